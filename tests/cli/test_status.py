from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from nlu_arena.answer import Answer, find_answers
from nlu_arena.cli import app
from nlu_arena.cli.showing import Snapshot, narrate_end, take_snapshot
from nlu_arena.cli.watching import Additions, _repaint, changes, follow
from nlu_arena.contender import ReadLabels
from nlu_arena.ledger.rows import Cell
from nlu_arena.ledger.store import Store
from nlu_arena.paths import ledger_path
from tests.views.ledgers import done, failed, quick_plan, running, waiting, write_sweep


def status(results: Path, *arguments: str, code: int = 0) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["nlu-arena", "status", "--results", str(results), *arguments])
        with pytest.raises(SystemExit) as end:
            app.main()
    assert end.value.code == code


def snapshot(results: Path) -> Snapshot:
    return take_snapshot(ledger_path(results))


def test_without_a_ledger_it_ends_with_4_and_the_command_that_makes_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status(tmp_path, code=4)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "nlu-arena sweep --profile quick" in captured.err
    assert list(tmp_path.iterdir()) == []


def test_what_an_error_quotes_cannot_command_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status(tmp_path / "a\x1b[31mb\x9bc", code=4)
    text = capsys.readouterr().err
    assert "\x1b" not in text
    assert "\x9b" not in text


def test_a_ledger_without_a_sweep_and_a_sweep_that_does_not_exist_end_with_4(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Store.open(ledger_path(tmp_path)).close()
    status(tmp_path, code=4)
    assert "nlu-arena sweep --profile quick" in capsys.readouterr().err
    status(tmp_path, "--sweep", "7", code=4)


def test_a_newer_ledger_and_a_file_that_is_none_end_with_3(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_sweep(tmp_path, quick_plan()[:1], [done()])
    with sqlite3.connect(ledger_path(tmp_path)) as connection:
        connection.execute("PRAGMA user_version = 999")
    connection.close()
    status(tmp_path, code=3)
    assert "has version 999, this program knows up to" in capsys.readouterr().err
    other = tmp_path / "other"
    other.mkdir()
    ledger_path(other).write_text("a shopping list\n" * 100)
    status(other, code=3)
    assert "not a ledger" in capsys.readouterr().err


def test_a_pipe_gets_one_line_for_each_cell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_sweep(tmp_path, quick_plan()[:2], [done(), failed("why")])
    status(tmp_path)
    header, *lines = capsys.readouterr().out.splitlines()
    assert header.startswith("state\tmodel\ttask")
    assert [line.split("\t")[0] for line in lines] == ["done", "failed"]


def test_json_is_one_document_of_the_last_sweep_or_the_one_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = quick_plan()
    write_sweep(tmp_path, plan[:1], [done()])
    write_sweep(tmp_path, plan[1:3], [done(), done()])
    status(tmp_path, "--json")
    assert len(json.loads(capsys.readouterr().out)["cells"]) == 2
    status(tmp_path, "--json", "--sweep", "1")
    assert json.loads(capsys.readouterr().out)["sweep"]["id"] == 1


@pytest.mark.parametrize("is_usual", [True, False])
def test_the_next_command_names_the_folder_unless_it_is_the_usual_one(
    is_usual: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_sweep(tmp_path, quick_plan(), [done()] * 12)
    if is_usual:
        monkeypatch.setenv("NLU_ARENA_RESULTS", str(tmp_path))
    narrate_end(snapshot(tmp_path))
    *_, last = capsys.readouterr().err.splitlines()
    folder = "" if is_usual else f" --results {tmp_path}"
    assert last.startswith(f"next: nlu-arena report{folder}   ")


def test_a_piped_sweep_ends_with_the_answer_and_what_to_do_next(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_sweep(tmp_path, quick_plan(), [done(0.5 + i / 40) for i in range(12)])
    narrate_end(snapshot(tmp_path))
    totals, *lines = capsys.readouterr().err.splitlines()
    assert totals.startswith("12 of 12 done")
    assert lines[:2] == [
        "answers · starter data (not GLUE)",
        "  sst2: smollm2-135m Q4_1 lora, 72.5 % (63.9\u201379.7)",
    ]
    assert lines[-1].startswith("next: ")


@pytest.mark.parametrize(
    ("acts", "state", "code"),
    [
        ([done(), done()], "done", 0),
        ([done(), failed("why")], "failed", 1),
        ([done(), waiting], "interrupted", 8),
    ],
)
def test_the_exit_status_says_how_it_went_when_asked(
    tmp_path: Path, acts: list[Any], state: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    write_sweep(tmp_path, quick_plan()[:2], acts, state=state)
    status(tmp_path, code=0)
    status(tmp_path, "--exit-status", code=code)


def test_watching_shows_changes_only_and_ends_with_the_sweep(tmp_path: Path) -> None:
    plan = quick_plan()[:2]
    store = write_sweep(tmp_path, plan, [running(), waiting], state=None, keep_open=True)
    first = snapshot(tmp_path)
    polls: list[float] = []

    def act(seconds: float) -> None:
        polls.append(seconds)
        match len(polls):
            case 3:
                done()(store, 1, plan[1])
            case 5:
                store.finish_sweep(1, "interrupted")
                store.close()

    seen = list(changes(ledger_path(tmp_path), first, pause=act))
    assert [s.totals.done for s in seen] == [0, 1, 1]
    assert [s.sweep.state for s in seen] == ["running", "running", "interrupted"]
    assert len(polls) == 5


def test_watching_seeks_the_answer_only_when_it_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sought: list[int] = []

    def seek(cells: Sequence[Cell], read_labels: ReadLabels) -> list[Answer]:
        sought.append(len(cells))
        return find_answers(cells, read_labels)

    monkeypatch.setattr("nlu_arena.cli.showing.find_answers", seek)
    plan = [experiment for experiment in quick_plan() if experiment.task.name == "sst2"][:2]
    store = write_sweep(tmp_path, plan, [done(), running()], state=None, keep_open=True)

    def end(seconds: float) -> None:
        done()(store, 1, plan[1])
        store.finish_sweep(1, "done")
        store.close()

    snapshots = list(changes(ledger_path(tmp_path), snapshot(tmp_path), pause=end))
    for each in snapshots:
        Additions().show(each)
    last = _repaint(iter(snapshots))
    assert sought == []
    assert last.answers is last.answers
    assert [answer.task for answer in last.answers] == ["sst2"]
    assert sought == [2]


def test_watching_in_a_pipe_writes_the_header_once_and_then_what_changes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = quick_plan()[:1]
    store = write_sweep(tmp_path, plan, [running()], state=None, keep_open=True)
    additions = Additions()
    additions.show(snapshot(tmp_path))
    additions.show(snapshot(tmp_path))
    done()(store, 1, plan[0])
    store.close()
    additions.show(snapshot(tmp_path))
    words = [line.split("\t")[0] for line in capsys.readouterr().out.splitlines()]
    assert words == ["state", "running", "done"]


def test_watching_a_sweep_whose_process_dies_ends(tmp_path: Path) -> None:
    store = write_sweep(tmp_path, quick_plan()[:1], [running()], state=None, keep_open=True)
    states = [
        s.sweep.state for s in changes(ledger_path(tmp_path), snapshot(tmp_path), lambda _: store.close())
    ]
    assert states == ["running", "interrupted"]


def test_watching_a_sweep_that_has_ended_shows_it_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_sweep(tmp_path, quick_plan()[:1], [done()])
    follow(ledger_path(tmp_path), snapshot(tmp_path), as_json=True)
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["schema"] == 1
    follow(ledger_path(tmp_path), snapshot(tmp_path), as_json=False)
    assert len(capsys.readouterr().out.splitlines()) == 2
