from __future__ import annotations

import csv
import io
import json
import sqlite3
import sys
from pathlib import Path

import pytest

from nlu_arena.cli import app
from nlu_arena.ledger.store import Store
from nlu_arena.paths import ledger_path
from tests.views.ledgers import done, failed, quick_plan, running, waiting, write_sweep

# In the order of the quick profile's blocks: an encoder on three tasks, then a decoder in its modes.
ACTS = [done(0.8), done(0.7), done(0.6), *[done(0.55)] * 9]


def compare(results: Path, *arguments: str, code: int = 0) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["nlu-arena", "compare", "--results", str(results), *arguments])
        with pytest.raises(SystemExit) as end:
            app.main()
    assert end.value.code == code


@pytest.fixture
def results(tmp_path: Path) -> Path:
    write_sweep(tmp_path, quick_plan(), ACTS)
    return tmp_path


def test_piped_it_is_one_complete_line_a_row_and_what_to_know_is_on_stderr(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    compare(results)
    captured = capsys.readouterr()
    rows = list(csv.DictReader(io.StringIO(captured.out), delimiter="\t"))
    # Three contenders on three tasks, one of which has two splits, and on all three together.
    assert len(rows) == 3 * (4 + 1)
    assert {row["baseline"] for row in rows} == {"minilm fine-tune"}
    assert [row["task"] for row in rows[-3:]] == ["all"] * 3
    assert all(None not in row and None not in row.values() for row in rows)
    assert "1 training each" in captured.err


def test_json_and_csv_have_the_same_rows(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    compare(results, "--json")
    document = json.loads(capsys.readouterr().out)
    compare(results, "--csv")
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["name"] for row in rows] == [row["name"] for row in document["rows"]]
    assert [float(row["p_adjusted"]) for row in rows] == [row["p_adjusted"] for row in document["rows"]]
    assert document["schema"] == 1
    assert document["family"] == len(rows)


def test_options_choose_baseline_tasks_modes_metric_margin_and_order(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--task", "rte", "--task", "sst2", "--mode", "lora", "--metric", "macro_f1"]
    compare(results, "--vs", "minilm", *arguments, "--margin", "3.5", "--sort", "name", "--json")
    document = json.loads(capsys.readouterr().out)
    assert {(row["task"], row["mode"]) for row in document["rows"]} == {
        *(("rte", "lora"), ("sst2", "lora"), ("all", "lora")),
    }
    assert document["metric"] == "macro_f1"
    assert document["margin"] == pytest.approx(0.035)


def test_what_goes_on_or_has_failed_is_left_out_and_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    acts = [*ACTS[:9], running(), failed("no memory left"), waiting]
    write_sweep(tmp_path, quick_plan(), acts, state=None, keep_open=True)
    compare(tmp_path, "--json")
    left_out = json.loads(capsys.readouterr().out)["left_out"]
    assert [omission["kind"] for omission in left_out] == ["not finished"] * 3
    assert {omission["why"] for omission in left_out} == {
        *("still running, 64 of 120", "failed: no memory left", "not begun"),
    }
    compare(tmp_path)
    assert "left out" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--vs", "bert"], 4, "nlu-arena run --model bert-base"),
        (["--vs", "minilm:lora"], 4, "Its finished modes: fine-tune"),
        (["--vs", "minlim"], 4, "Did you mean minilm"),
        (["--vs", "smollm2-135m"], 2, "--vs smollm2-135m:zero-shot"),
        (["--task", "cola"], 2, "mnli, rte, sst2"),
        (["--mode", "prompt"], 2, "few-shot, fine-tune, lora, zero-shot"),
        (["--margin", "0"], 2, "--margin 0"),
        (["--margin", "nan"], 2, "--margin nan"),
        (["--margin", "50"], 2, "--margin 50"),
        (["--json", "--csv"], 2, "Choose one"),
        (["--metric", "f2"], 2, "macro_f1"),
    ],
)
def test_a_wrong_request_says_what_there_is(
    results: Path, arguments: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    compare(results, *arguments, code=code)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert said in captured.err


def test_without_a_ledger_or_a_finished_run_it_ends_with_4_and_the_next_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    compare(tmp_path, code=4)
    assert "nlu-arena sweep --profile quick" in capsys.readouterr().err
    Store.open(ledger_path(tmp_path)).close()
    compare(tmp_path, code=4)
    assert "nlu-arena sweep --profile quick" in capsys.readouterr().err


def test_one_run_only_ends_with_4_and_the_command_that_runs_another(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_sweep(tmp_path, quick_plan()[:1], ACTS[:1])
    compare(tmp_path, code=4)
    err = capsys.readouterr().err
    assert "nlu-arena run --model smollm2-135m" in err
    assert "--data starter" in err


def test_a_ledger_of_an_older_version_names_the_command_that_migrates_it(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with sqlite3.connect(ledger_path(results)) as connection:
        connection.execute("PRAGMA user_version = 1")
    connection.close()
    compare(results, code=4)
    assert f"`nlu-arena sweep --profile quick --results {results}` migrates it" in capsys.readouterr().err
