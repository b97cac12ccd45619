from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from nlu_arena.cli import app
from nlu_arena.ledger.store import Store
from nlu_arena.paths import ledger_path
from nlu_arena.spec import Experiment, Subset
from tests.views.ledgers import done, failed, quick_plan, running, waiting, write_sweep


def recommend(results: Path, *arguments: str, code: int = 0) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["nlu-arena", "recommend", "--results", str(results), *arguments])
        with pytest.raises(SystemExit) as end:
            app.main()
    assert end.value.code in (code, None if code == 0 else code)


def sst2_plan() -> list[Experiment]:
    return [experiment for experiment in quick_plan() if experiment.task.name == "sst2"]


def latency(milliseconds: float) -> dict[str, Any]:
    return {"1": {"p50_ms": milliseconds, "p95_ms": None, "p99_ms": None, "calls": 12}}


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Four experiments of sst2, the more accurate the slower."""
    acts = [done(0.9 - i / 20, latency=latency(40.0 - i * 10), train_rows=64) for i in range(4)]
    write_sweep(tmp_path, sst2_plan(), acts)
    return tmp_path


def test_a_pipe_gets_the_candidates_on_stdout_and_the_advice_on_stderr(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recommend(results, "--task", "SST-2")
    captured = capsys.readouterr()
    header, *lines = captured.out.splitlines()
    assert header.startswith("standing\tname")
    assert [line.split("\t")[0] for line in lines].count("recommended") == 1
    assert captured.err.startswith("use minilm fine-tune: 90.0 %, 40 ms a text")
    assert (
        f"nlu-arena predict minilm/sst2/fine-tune FILE --output labelled.csv --results {results}"
        in captured.err
    )


def test_a_name_is_the_one_that_other_commands_use(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tuned = [e for e in quick_plan() if (e.model.name, e.mode) == ("minilm", "fine-tune")]
    by_task = {experiment.task.name: experiment for experiment in tuned}
    fewer = [
        msgspec.structs.replace(by_task[task], subset=Subset(train=rows))
        for task, rows in (("sst2", 64), ("rte", 64), ("rte", 32))
    ]
    write_sweep(tmp_path, fewer, [done(0.9, train_rows=64)] * 3)
    recommend(tmp_path, "--task", "sst2")
    assert capsys.readouterr().err.startswith("use minilm fine-tune (train 64): 90.0 %")


def test_limits_choose_among_them(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recommend(
        results,
        "--task",
        "sst2",
        "--max-latency-ms",
        "35",
        "--max-memory-gb",
        "1.5",
        "--labels",
        "5",
        "--json",
    )
    document = json.loads(capsys.readouterr().out)
    assert document["limits"] == {"latency_ms": 35.0, "memory_bytes": 1.5e9, "labels": 5}
    assert document["recommended"] == "smollm2-135m Q4_1 zero-shot"
    standings = {candidate["mode"]: candidate["standing"] for candidate in document["candidates"]}
    assert standings["fine-tune"] == standings["lora"] == "misses a limit"
    assert standings["few-shot"] == "worse"


def test_where_nothing_meets_the_limits_it_ends_with_4_and_says_which_one_to_relax(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recommend(results, "--task", "sst2", "--max-latency-ms", "8", code=4)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "nothing meets the limits on sst2: 8 ms for one text" in captured.err
    assert "--max-latency-ms 10 lets it in" in captured.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("--max-latency-ms", "-1"),
        ("--max-latency-ms", "nan"),
        ("--max-memory-gb", "inf"),
        ("--max-memory-gb", "-1"),
        ("--labels", "-1"),
        ("--labels", "many"),
    ],
)
def test_a_limit_that_is_none_is_a_wrong_usage(
    results: Path, arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    recommend(results, "--task", "sst2", *arguments, code=2)
    assert arguments[0] in capsys.readouterr().err


def test_unknown_and_unfinished_tasks_and_missing_ledgers_name_the_next_command(
    results: Path, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    recommend(results, "--task", "sst3", code=2)
    assert "Did you mean sst2" in capsys.readouterr().err
    recommend(results, "--task", "rte", code=4)
    assert "nlu-arena sweep --profile quick --task rte" in capsys.readouterr().err
    recommend(results / "nowhere", "--task", "rte", code=4)
    assert f"`nlu-arena sweep --profile quick --results {results / 'nowhere'}`" in capsys.readouterr().err
    empty, unfinished = (tmp_path_factory.mktemp(name) for name in ("empty", "unfinished"))
    Store.open(ledger_path(empty)).close()
    recommend(empty, "--task", "rte", code=4)
    assert "nlu-arena sweep --profile quick" in capsys.readouterr().err
    write_sweep(unfinished, sst2_plan()[:1], [failed("why")], state="failed")
    recommend(unfinished, "--task", "sst2", code=4)
    assert "1 failed" in capsys.readouterr().err


def test_on_a_terminal_it_is_told_in_lines(
    results: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    recommend(results, "--task", "sst2")
    captured = capsys.readouterr()
    assert captured.out.startswith("recommendation for sst2 · 120 dev texts · starter data (not GLUE)\n")
    assert "use minilm fine-tune: 90.0 %" in captured.out
    assert "not here" not in captured.out
    assert captured.err == ""


def test_experiments_that_are_not_finished_are_said_to_be_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_sweep(tmp_path, sst2_plan(), [done(0.9), done(0.8), running(), waiting], state="interrupted")
    recommend(tmp_path, "--task", "sst2")
    said = "not here: 2 experiments without a finished run (interrupted, waiting): see `nlu-arena status"
    assert said in capsys.readouterr().err
