"""What an experiment reads: whole splits counted, subsets taken, hub labels by their own names."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import datasets
import msgspec
import pytest

from nlu_arena.backend.data import fingerprint, read_examples, read_split
from nlu_arena.errors import RunError
from nlu_arena.registry import load_registry
from nlu_arena.spec import DataRef, Example, Experiment, Subset
from tests.conftest import MakeExperiment


@pytest.fixture
def glue(tmp_path: Path) -> Path:
    """A folder in the layout of the GLUE download, with a few rows of SST-2."""
    (tmp_path / "SST-2").mkdir()
    sst2 = 'sentence\tlabel\na "quoted" start \t1\ndid n\'t work \t0\n'
    for name in ("train", "dev"):
        (tmp_path / "SST-2" / f"{name}.tsv").write_text(sst2, encoding="utf-8")
    return tmp_path


def glue_experiment(experiment: Experiment, task: str, folder: Path) -> Experiment:
    data = DataRef(source="glue-dir", location=str(folder), identity="glue")
    return msgspec.structs.replace(experiment, task=load_registry().task(task), data=data)


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


def test_the_whole_splits_are_counted_whatever_part_of_them_is_used(
    make_experiment: MakeExperiment, tmp_path: Path
) -> None:
    experiment = make_experiment("encoder", tmp_path, "fine-tune", subset=Subset(train=8, dev=6))
    assert read_examples(experiment).counts == {"train": (16, 16), "dev": (11, 10)}


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


def test_a_genre_is_no_part_of_the_fingerprint() -> None:
    task = load_registry().task("mnli")
    known = [Example("A", 0, "B", "fiction"), Example("C", 1, "D")]
    assert fingerprint(known, task) == fingerprint([Example("A", 0, "B"), Example("C", 1, "D")], task)


# As on the hub, the card names a configuration first whose files nobody fetches.
CARD = """---
configs:
- config_name: ax
  data_files:
  - split: test
    path: ax/test-*
- config_name: sst2
  data_files:
  - split: train
    path: sst2/train-*
  - split: validation
    path: sst2/validation-*
---
"""
HUB = DataRef(source="hub", location="x", identity="x")
SST2 = load_registry().task("sst2")


@pytest.fixture
def fetch_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[list[str], list[int]], None]:
    """Give what lays rows of SST-2 into the hub client's cache, with some class names and label ids."""
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    table = SST2.data.hub
    assert table is not None
    folder = tmp_path / "hub" / "datasets--nyu-mll--glue" / "snapshots" / table.revision

    def fetch(names: list[str], labels: list[int]) -> None:
        features = datasets.Features(
            {"sentence": datasets.Value("string"), "label": datasets.ClassLabel(names=names)}
        )
        rows = {"sentence": [f"row {number}" for number in range(len(labels))], "label": labels}
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "sst2").mkdir(parents=True)
        (folder / "README.md").write_text(CARD, encoding="utf-8")
        for split in ("train", "validation"):
            path = folder / "sst2" / f"{split}-00000-of-00001.parquet"
            datasets.Dataset.from_dict(rows, features=features).to_parquet(path)

    return fetch


def test_a_hub_data_sets_ids_are_read_by_its_own_names(
    fetch_rows: Callable[[list[str], list[int]], None],
) -> None:
    fetch_rows(["negative", "positive"], [0, 1, 1])
    assert [e.label for e in read_split(SST2, HUB, "dev")] == [0, 1, 1]
    fetch_rows(["Positive", "Negative"], [0, 1, 1])
    assert [e.label for e in read_split(SST2, HUB, "dev")] == [1, 0, 0]


@pytest.mark.parametrize(("names", "label"), [(["neg", "pos"], "'neg'"), (["negative", "positive"], "'-1'")])
def test_a_hub_label_that_the_task_does_not_have_is_an_error(
    fetch_rows: Callable[[list[str], list[int]], None], names: list[str], label: str
) -> None:
    fetch_rows(names, [0, -1])
    with pytest.raises(RunError, match=f"label {label} is none of negative, positive"):
        read_split(SST2, HUB, "dev")


def test_hub_data_that_are_not_here_are_not_fetched_by_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    with pytest.raises(RunError, match="not on this machine") as caught:
        read_split(SST2, HUB, "dev")
    assert caught.value.hint == "Fetch them with: nlu-arena pull --task sst2"


def test_data_without_one_of_the_tasks_splits_are_not_there(
    fetch_rows: Callable[[list[str], list[int]], None],
) -> None:
    fetch_rows(["negative", "positive"], [0, 1])
    table = SST2.data.hub
    assert table is not None
    other = msgspec.structs.replace(table, dev={"dev": "elsewhere"})
    task = msgspec.structs.replace(SST2, data=msgspec.structs.replace(SST2.data, hub=other))
    with pytest.raises(RunError, match="the data of sst2 are not on this machine"):
        read_split(task, HUB, "train")
