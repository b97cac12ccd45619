"""Examples from files: labels by name, quotation marks as text, errors that name file and row."""

from __future__ import annotations

from pathlib import Path

import datasets
import msgspec
import pytest

from nlu_arena.backend.data import fingerprint, parse_label, read_examples, read_split, read_tsv
from nlu_arena.errors import RunError
from nlu_arena.registry import load_registry
from nlu_arena.spec import DataRef, Experiment, Subset, TaskSpec
from tests.conftest import MakeExperiment


@pytest.fixture
def glue(tmp_path: Path) -> Path:
    """A folder in the layout of the GLUE download, a few rows for each task."""
    (tmp_path / "SST-2").mkdir()
    sst2 = 'sentence\tlabel\na "quoted" start \t1\ndid n\'t work \t0\n'
    for name in ("train", "dev"):
        (tmp_path / "SST-2" / f"{name}.tsv").write_text(sst2, encoding="utf-8")
    (tmp_path / "RTE").mkdir()
    rte = 'index\tsentence1\tsentence2\tlabel\n0\tShe said "no.\tShe spoke.\tentailment\n'
    rte += "1\tA\tB\tnot_entailment\n"
    for name in ("train", "dev"):
        (tmp_path / "RTE" / f"{name}.tsv").write_text(rte, encoding="utf-8")
    return tmp_path


def glue_experiment(experiment: Experiment, task: str, folder: Path) -> Experiment:
    data = DataRef(source="glue-dir", location=str(folder), identity="glue")
    return msgspec.structs.replace(experiment, task=load_registry().task(task), data=data)


def test_a_glue_table_is_read_with_its_quotation_marks(make_experiment: MakeExperiment, glue: Path) -> None:
    base = make_experiment("encoder", glue, "fine-tune")
    sst2 = read_examples(glue_experiment(base, "sst2", glue))
    assert [(e.text, e.label) for e in sst2.dev["dev"]] == [('a "quoted" start ', 1), ("did n't work ", 0)]
    rte = read_examples(glue_experiment(base, "rte", glue))
    assert [(e.text, e.pair, e.label) for e in rte.train] == [
        ('She said "no.', "She spoke.", 0),
        ("A", "B", 1),
    ]


def test_starter_data_are_read_from_the_package(make_experiment: MakeExperiment, tmp_path: Path) -> None:
    base = make_experiment("encoder", tmp_path, "fine-tune")
    data = DataRef(source="starter", location="starter", identity="starter")
    experiment = msgspec.structs.replace(base, task=load_registry().task("mnli"), data=data)
    examples = read_examples(experiment)
    assert len(examples.train) == 180
    assert {name: len(rows) for name, rows in examples.dev.items()} == {"matched": 120, "mismatched": 60}


def test_limits_take_the_same_rows_every_time(make_experiment: MakeExperiment, tmp_path: Path) -> None:
    experiment = make_experiment("encoder", tmp_path, "fine-tune", subset=Subset(train=8, dev=6, seed=3))
    first, again = read_examples(experiment), read_examples(experiment)
    assert (len(first.train), len(first.dev["dev"])) == (8, 6)
    assert first == again
    assert sum(e.label for e in first.train) == 4


def test_a_missing_column_is_named_with_its_file(make_experiment: MakeExperiment, glue: Path) -> None:
    (glue / "SST-2" / "dev.tsv").write_text("sentence\tgold\nfine \t1\n", encoding="utf-8")
    experiment = glue_experiment(make_experiment("encoder", glue, "fine-tune"), "sst2", glue)
    with pytest.raises(RunError, match=r"SST-2/dev\.tsv, row 1: no column label"):
        read_examples(experiment)


def test_an_unknown_label_is_named_with_its_row(make_experiment: MakeExperiment, glue: Path) -> None:
    (glue / "SST-2" / "dev.tsv").write_text("sentence\tlabel\nfine \t1\nbad \t-1\n", encoding="utf-8")
    experiment = glue_experiment(make_experiment("encoder", glue, "fine-tune"), "sst2", glue)
    with pytest.raises(RunError, match="row 2: label '-1' is none of negative, positive"):
        read_examples(experiment)


def test_labels_are_mapped_by_name_whatever_their_case_or_by_their_number(opinion_task: TaskSpec) -> None:
    assert parse_label("Positive", opinion_task, "here") == 1
    assert parse_label(0, opinion_task, "here") == 0
    assert parse_label(" 1 ", opinion_task, "here") == 1


def test_the_fingerprint_is_that_of_texts_and_label_names(
    make_experiment: MakeExperiment, glue: Path, tmp_path: Path
) -> None:
    base = make_experiment("encoder", glue, "fine-tune")
    task = load_registry().task("sst2")
    rows = read_examples(glue_experiment(base, "sst2", glue)).dev["dev"]
    assert fingerprint(rows, task) == fingerprint(list(rows), task)
    assert fingerprint(rows, task) != fingerprint(rows[::-1], task)
    renamed = msgspec.structs.replace(task, labels=("bad", "good"))
    assert fingerprint(rows, task) != fingerprint(rows, renamed)


def hub_rows(monkeypatch: pytest.MonkeyPatch, names: list[str], labels: list[int]) -> None:
    """Let the hub have one split with some class names."""
    features = datasets.Features(
        {"sentence": datasets.Value("string"), "label": datasets.ClassLabel(names=names)}
    )
    rows = {"sentence": [f"row {number}" for number in range(len(labels))], "label": labels}
    split = datasets.Dataset.from_dict(rows, features=features)
    monkeypatch.setattr(datasets, "load_dataset", lambda *_, **__: split)


HUB = DataRef(source="hub", location="x", identity="x")


def test_a_hub_data_sets_ids_are_read_by_its_own_names(monkeypatch: pytest.MonkeyPatch) -> None:
    sst2 = load_registry().task("sst2")
    hub_rows(monkeypatch, ["negative", "positive"], [0, 1, 1])
    assert [e.label for e in read_split(sst2, HUB, "dev")] == [0, 1, 1]
    hub_rows(monkeypatch, ["Positive", "Negative"], [0, 1, 1])
    assert [e.label for e in read_split(sst2, HUB, "dev")] == [1, 0, 0]


@pytest.mark.parametrize(("names", "label"), [(["neg", "pos"], "'neg'"), (["negative", "positive"], "'-1'")])
def test_a_hub_label_that_the_task_does_not_have_is_an_error(
    monkeypatch: pytest.MonkeyPatch, names: list[str], label: str
) -> None:
    hub_rows(monkeypatch, names, [0, -1])
    with pytest.raises(RunError, match=f"label {label} is none of negative, positive"):
        read_split(load_registry().task("sst2"), HUB, "dev")


def test_a_table_may_have_very_long_texts_and_carriage_returns_in_them(tmp_path: Path) -> None:
    path = tmp_path / "long.tsv"
    path.write_bytes(b"\xef\xbb\xbfsentence\tlabel\r\n" + b"word " * 50_000 + b"\t1\r\na\rb\t0\n\n")
    rows = list(read_tsv(path))
    assert [row["label"] for row in rows] == ["1", "0"]
    assert (len(rows[0]["sentence"]), rows[1]["sentence"]) == (250_000, "a\rb")


def test_a_line_that_is_no_json_object_is_named_and_an_empty_one_is_not_missed(
    make_experiment: MakeExperiment, opinion_data: Path, tmp_path: Path
) -> None:
    experiment = make_experiment("encoder", tmp_path, "fine-tune")
    dev = opinion_data / "dev.jsonl"
    dev.write_text(dev.read_text() + "\n")
    assert len(read_examples(experiment).dev["dev"]) == 21
    dev.write_text('{"text": "fine", "label": "positive"}\n["fine", "positive"]\n')
    with pytest.raises(RunError, match=r"dev\.jsonl, line 2: not a JSON object"):
        read_examples(experiment)
