from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import pytest

from nlu_arena.cli import app
from nlu_arena.ledger.store import Store
from nlu_arena.paths import ledger_path
from tests.views.ledgers import done, failed, quick_plan, running, waiting, write_sweep


def errors(results: Path, *arguments: str, code: int = 0) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["nlu-arena", "errors", *arguments, "--results", str(results)])
        with pytest.raises(SystemExit) as end:
            app.main()
    assert end.value.code == code


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """The quick profile, whose first texts are right: 96 of 120 of the encoder's, 72 of the LLM's."""
    plan = quick_plan()
    acts = [done(0.8 if experiment.model.family == "encoder" else 0.6) for experiment in plan]
    write_sweep(tmp_path, plan, acts)
    return tmp_path


def test_a_pipe_gets_every_answer_to_the_listed_texts(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    errors(results, "sst2")
    captured = capsys.readouterr()
    header, *rows = [line.split("\t") for line in captured.out.splitlines()]
    assert header[:5] == ["split", "index", "text", "genre", "gold"]
    assert len(rows) == 24 * 4
    assert {len(row) for row in rows} == {len(header)}
    assert "sst2 · dev · 120 texts · starter data (not GLUE): 24 on which all are wrong" in captured.err


def test_csv_has_the_same_and_json_one_document(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    errors(results, "sst-2", "--csv")
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert len(rows) == 24 * 4
    assert set(rows[0]) > {"text", "contender", "p(negative)"}
    errors(results, "SST2", "--json", "--set", "llms-wrong")
    document = json.loads(capsys.readouterr().out)
    assert (document["task"], document["set"], document["total"]) == ("sst2", "llms-wrong", 24)
    assert [example["index"] for example in document["examples"]] == list(range(72, 96))


def test_who_is_wrong_and_who_is_right_can_be_named(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    errors(results, "rte", "--json", "--only", "smollm2-135m:lora", "--not", "minilm")
    assert json.loads(capsys.readouterr().out)["total"] == 24
    errors(results, "rte", "--json", "--only", "minilm")
    document = json.loads(capsys.readouterr().out)
    assert (document["set"], document["only"], document["total"], document["examples"]) == (
        None,
        "minilm",
        0,
        [],
    )


def test_each_split_is_listed_or_the_one_asked_for(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    errors(results, "mnli", "--json")
    document = json.loads(capsys.readouterr().out)
    assert [split["split"] for split in document["splits"]] == ["matched", "mismatched"]
    assert document["total"] == 24 + 12
    errors(results, "mnli", "--json", "--split", "mismatched", "--label", "neutral")
    document = json.loads(capsys.readouterr().out)
    assert {example["gold"] for example in document["examples"]} == {"neutral"}
    assert {example["split"] for example in document["examples"]} == {"mismatched"}


def test_no_text_in_a_set_is_an_answer(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    errors(results, "rte", "--set", "encoders-wrong")
    captured = capsys.readouterr()
    assert len(captured.out.splitlines()) == 1
    assert "0 on which all encoders are wrong, all LLMs right" in captured.err


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (["rtee"], "no task 'rtee'", "Did you mean rte"),
        (["rte", "--only", "bert"], "no run here is of 'bert'", "minilm:fine-tune"),
        (["rte", "--split", "matched"], "no split 'matched'", "dev"),
        (["rte", "--label", "entail"], "no label 'entail'", "entailment"),
        (["rte", "--texts", "zz"], "no run has answered texts 'zz'", "rte-dev (dev, 120 texts)"),
        (["rte", "--not", "minilm"], "--not needs --only", "--only A --not B"),
        (["rte", "--only", "minilm", "--set", "suspects"], "--only and --set", "Choose one"),
        (["rte", "--json", "--csv"], "--json, --csv and --out", "Choose one"),
    ],
)
def test_what_is_not_there_or_does_not_fit_ends_with_2_and_what_there_is(
    results: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str, hint: str
) -> None:
    errors(results, *arguments, code=2)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert message in captured.err
    assert hint in captured.err


def test_without_a_ledger_or_a_finished_run_it_ends_with_4_and_the_command_to_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    errors(tmp_path, "rte", code=4)
    assert "nlu-arena sweep --profile quick" in capsys.readouterr().err
    Store.open(ledger_path(tmp_path)).close()
    errors(tmp_path, "rte", code=4)
    assert "nlu-arena sweep --profile quick" in capsys.readouterr().err


def test_a_task_whose_runs_are_under_way_or_that_never_ran_ends_with_4(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sst2, rte = (next(e for e in quick_plan() if e.task.name == name) for name in ("sst2", "rte"))
    store = write_sweep(tmp_path, [sst2, rte], [done(), running()], state=None, keep_open=True)
    try:
        errors(tmp_path, "rte", code=4)
        assert "nlu-arena status --watch" in capsys.readouterr().err
        errors(tmp_path, "mnli", code=4)
        assert "nlu-arena sweep --profile quick --task mnli" in capsys.readouterr().err
    finally:
        store.close()


def test_a_set_that_needs_an_encoder_and_an_llm_ends_with_4_without_both(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = [e for e in quick_plan() if e.model.family == "encoder"]
    write_sweep(tmp_path, plan, [done()] * len(plan))
    errors(tmp_path, "rte", "--set", "llms-wrong", code=4)
    assert "needs an encoder and an LLM" in capsys.readouterr().err


def test_runs_on_other_texts_and_unfinished_ones_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = [e for e in quick_plan() if e.task.name == "rte"]
    write_sweep(tmp_path, plan, [done(), done(), failed("why"), waiting])
    errors(tmp_path, "rte")
    said = capsys.readouterr().err
    assert "2 experiments without a finished run (failed, waiting)" in said
    assert f"`nlu-arena status --results {tmp_path}`" in said


def test_out_writes_tables_and_pictures_and_names_them(
    results: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder = tmp_path / "new" / "folder"
    errors(results, "rte", "--out", str(folder))
    paths = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert {path.name for path in paths} == {path.name for path in folder.iterdir()}
    assert {"rte_answers.csv", "rte_slices.csv", "rte_confusions.csv", "rte_dev_slices.png"} < {
        p.name for p in paths
    }
    (tmp_path / "file").write_text("")
    errors(results, "rte", "--out", str(tmp_path / "file"), code=2)
    assert "is a file" in capsys.readouterr().err
    errors(results, "rte", "--out", str(tmp_path / "file" / "below"), code=3)
    assert "cannot be written" in capsys.readouterr().err


def test_nothing_that_computes_or_draws_is_loaded_to_list_texts(results: Path) -> None:
    loaded = set(sys.modules)
    errors(results, "rte", "--json")
    assert not {"torch", "transformers", "pandas", "sklearn"} & (set(sys.modules) - loaded)
