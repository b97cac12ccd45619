from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from nlu_arena.ledger.queries import Reader
from nlu_arena.ledger.rows import LogRow, PhaseRow, RunRow
from nlu_arena.paths import ledger_path
from nlu_arena.tui.run_log import Entry, write_log
from tests.views.ledgers import done, quick_plan, write_sweep


def at(second: int) -> str:
    return f"2026-11-24T12:00:{second:02}.000+00:00"


@pytest.fixture
def run(tmp_path: Path) -> RunRow:
    write_sweep(tmp_path, quick_plan()[:1], [done()])
    with Reader.open(ledger_path(tmp_path)) as reader:
        run = reader.run(1)
    return msgspec.structs.replace(run, started_at=at(0), finished_at=at(30))


def change(run: RunRow, **changes: Any) -> RunRow:
    return msgspec.structs.replace(run, **changes)


def test_start_phases_and_notes_stand_in_the_order_of_time_and_the_end_last(run: RunRow) -> None:
    phases = [PhaseRow("load", 2.0, at(2)), PhaseRow("train", 18.0, at(20))]
    lines = [LogRow(at(10), "info", "half"), LogRow(at(21), "warning", "odd")]
    assert write_log(run, phases, lines) == [
        Entry(at(0), "began on cpu, 2 threads"),
        Entry(at(2), "load took 2.0 s"),
        Entry(at(10), "half"),
        Entry(at(20), "train took 18 s"),
        Entry(at(21), "odd", "warning"),
        Entry(at(30), "done"),
    ]


def test_a_warning_of_the_run_is_said_once(run: RunRow) -> None:
    warned = change(run, facts={"warnings": ["odd", "cut"]})
    texts = [entry.text for entry in write_log(warned, [], [LogRow(at(5), "warning", "odd")])]
    assert texts[1:] == ["odd", "! cut", "done"]


def test_a_failure_has_its_cause_the_hint_and_the_whole_traceback(run: RunRow) -> None:
    broken = change(
        run, state="failed", message="no\x1b[31m memory", hint="less", traceback="Traceback:\n\ta\n\tb"
    )
    assert write_log(broken, [], [])[1:] == [
        Entry(at(30), "failed: no memory", "error"),
        Entry("", "less", "error"),
        Entry("", "Traceback:"),
        Entry("", "    a"),
        Entry("", "    b"),
    ]


def test_a_run_whose_sweep_died_says_so_and_one_under_way_has_no_end(run: RunRow) -> None:
    dead = change(run, state="interrupted", finished_at=None, updated_at=at(9))
    assert write_log(dead, [], [])[-1] == Entry(at(9), "stopped: its sweep ended without a word", "warning")
    assert len(write_log(change(run, state="running"), [], [])) == 1


def test_another_attempt_and_its_device_are_named(run: RunRow) -> None:
    gpu = change(run, attempt=2, device_kind="cuda", environment={"device": "cuda:1", "device_title": "H100"})
    assert write_log(gpu, [], [])[0].text == "began on cuda:1 H100, attempt 2"


def test_an_entry_has_the_time_of_day_here() -> None:
    here = datetime.fromisoformat(at(7)).astimezone()
    assert Entry(at(7), "text").line == f"{here:%H:%M:%S} text"
    assert Entry("", "more").line == " " * 9 + "more"
