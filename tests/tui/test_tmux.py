"""The whole program in a real terminal, with a sweep in another process."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nlu_arena.ledger.control import request
from nlu_arena.ledger.lock import is_held, read_holder
from nlu_arena.ledger.store import Store
from nlu_arena.paths import ledger_path
from tests.cli.arena import Arena, finish, read_until
from tests.tui.tmux import Pane, is_alive, wait_until
from tests.views.ledgers import begin, done, quick_plan, waiting, write_sweep

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")

# The real command; a sweep that it starts has the toy worker, like one that is started beside it.
SCREEN = """
import os, sys
from pathlib import Path
from nlu_arena.tui import starting
starting.PROGRAM = {program!r}
Path({pid!r}).write_text(str(os.getpid()))
from nlu_arena.cli import app
app.main()
"""
# The sequences that leave the alternate screen, stop mouse reports and show the cursor have come.
RESTORED = "0 0 1"


class Desk:
    """A user's folder with a terminal in it."""

    def __init__(self, arena: Arena) -> None:
        self.arena = arena
        self.ledger = ledger_path(arena.results)

    def open_screen(self, *arguments: str, **settings: Any) -> Pane:
        program = SCREEN.format(program=self.arena.command(), pid=str(self.pid_file))
        command = [sys.executable, "-c", program, "tui", *arguments]
        return Pane(command, cwd=self.arena.home, environment=self.arena.environment, **settings)

    @property
    def pid_file(self) -> Path:
        return self.arena.home / "pid"

    @property
    def pid(self) -> int:
        return int(self.pid_file.read_text())

    def stop_sweep(self) -> None:
        """End whoever writes the ledger, and wait for it."""
        request(self.ledger, "stop")
        wait_until(lambda: not is_held(self.ledger), "the end of the sweep")


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A folder whose sweep "toys" does one experiment and waits at the second of three until stopped."""
    monkeypatch.delenv("NLU_ARENA_RESULTS", raising=False)
    desk = Desk(Arena(tmp_path, ["answers", "waits", "more"]))
    yield desk
    # What a failed test has left at work.
    holder = read_holder(desk.ledger)
    if holder is not None and is_held(desk.ledger):
        os.kill(holder.pid, signal.SIGKILL)


def test_a_sweep_is_followed_from_before_its_beginning_and_stopped(desk: Desk) -> None:
    with desk.open_screen() as pane:
        pane.wait_for("there is no ledger", "`nlu-arena sweep --profile quick`", "R starts one", "Help")
        sweep = desk.arena.start("sweep", "--profile", "toys")
        read_until(sweep, "started  toy/waits")
        pane.wait_for("sweep 1", "1/3", "toy", without="there is no ledger")

        pane.send("x")
        pane.wait_for("Stop sweep 1 (toys) after this batch?", "nlu-arena sweep --profile toys", "No (n)")
        pane.send("Enter")
        pane.wait_for("sweep 1", without="after this batch?")
        assert sweep.poll() is None
        pane.send("x")
        pane.wait_for("after this batch?")
        pane.send("y")
        finish(sweep)
        assert sweep.returncode == 130
        pane.wait_for("sweep 1", "stopped", without="stop requested")
        pane.wait_for("sweep 1", "stopped", without="stopping since")

        pane.send("q")
        text = pane.wait_for("RC=0")
        assert "go on with it: nlu-arena sweep --profile toys" in text
        assert pane.modes == RESTORED


def test_a_commit_of_another_process_becomes_visible(desk: Desk) -> None:
    plan = quick_plan()[:2]
    with (
        write_sweep(desk.arena.results, plan, [waiting, waiting], state="", keep_open=True) as store,
        desk.open_screen() as pane,
    ):
        pane.wait_for("0/2", plan[0].task.name)
        done(0.75)(store, 1, plan[0])
        pane.wait_for("1/2", "75.0")
        run = begin(store, 1, plan[1])
        store.end_run(run, "failed", error="RunError", message="the loss is not finite")
        pane.wait_for("1 failed", "✗")


def test_what_died_silently_says_so_and_is_continued_from_the_screen(desk: Desk) -> None:
    sweep = desk.arena.start("sweep", "--profile", "toys")
    read_until(sweep, "started  toy/waits")
    with desk.open_screen() as pane:
        pane.wait_for("sweep 1", "1/3")
        sweep.send_signal(signal.SIGKILL)
        finish(sweep)
        pane.wait_for("sweep 1 died", "ago at toy/waits/zero-shot", "nlu-arena sweep --profile toys")
        pane.send("R")
        pane.wait_for("Go on with sweep 1 (toys)?", "2 of 3 are not done", "Start (y)")
        pane.send("y")
        # A continued "waits" no longer waits.
        pane.wait_for("sweep 2", "3/3", without="died")
        pane.wait_for("3/3", without="live")
        pane.send("q")
        assert "sweep 2 (toys): 3 of 3 done" in pane.wait_for("RC=0")
    (output,) = desk.arena.results.glob("sweep_*.out")
    assert "goes on after" in output.read_text()


def test_a_failed_experiment_is_tried_again_while_the_sweep_goes_on(desk: Desk) -> None:
    desk = Desk(Arena(desk.arena.home, ["fails-once", "waits"]))
    sweep = desk.arena.start("sweep", "--profile", "toys")
    read_until(sweep, "started  toy/waits")
    with desk.open_screen() as pane:
        pane.wait_for("1 failed")
        pane.send("R")
        pane.wait_for("Try toy/fails-once/zero-shot again?")
        pane.send("y")
        pane.wait_for("1 experiment: queued again")
    desk.stop_sweep()
    finish(sweep)


def test_a_sweep_that_the_screen_started_outlives_it_and_its_terminal(desk: Desk) -> None:
    with desk.open_screen("--sweep", "toys") as pane:
        pane.wait_for("sweep 1", "1/3")
        pane.send("q")
        text = pane.wait_for("RC=0")
        assert "goes on without this screen" in text
        assert is_held(desk.ledger)
    with desk.open_screen() as pane:
        pane.wait_for("sweep 1", "1/3")
        screen = desk.pid
        pane.hang_up()
    wait_until(lambda: not is_alive(screen), "the end of the screen")
    assert is_held(desk.ledger)
    desk.stop_sweep()


def test_sigterm_restores_the_terminal(desk: Desk) -> None:
    with desk.open_screen() as pane:
        pane.wait_for("there is no ledger", "Help")
        assert pane.modes != RESTORED
        os.kill(desk.pid, signal.SIGTERM)
        pane.wait_for("RC=143")
        assert pane.modes == RESTORED


def test_ctrl_c_leaves_and_leaves_a_sweep_alone(desk: Desk) -> None:
    sweep = desk.arena.start("sweep", "--profile", "toys")
    read_until(sweep, "started  toy/waits")
    with desk.open_screen() as pane:
        pane.wait_for("1/3")
        pane.send("x")
        pane.wait_for("after this batch?")
        pane.send("C-c")
        pane.wait_for("RC=0")
    assert sweep.poll() is None
    desk.stop_sweep()
    finish(sweep)


def test_without_a_terminal_it_refuses_and_names_what_works_there(desk: Desk) -> None:
    process = desk.arena.run("tui", code=3)
    assert "nlu-arena status --watch" in process.stderr
    assert "\x1b" not in process.stderr + process.stdout


def test_a_dumb_terminal_and_a_closed_input_are_refused(desk: Desk) -> None:
    with desk.open_screen() as pane:
        pane.wait_for("Help")
        pane.send("q")
        pane.wait_for("RC=0")
    for before, after in (("TERM=dumb", ""), ("TERM=xterm", "</dev/null"), ("TERM=xterm", "2>/dev/null")):
        script = f"{before} {sys.executable} -m nlu_arena tui {after}"
        with Pane(["sh", "-c", script], cwd=desk.arena.home, environment=desk.arena.environment) as pane:
            text = pane.wait_for("RC=3")
            assert "status --watch" in text or after == "2>/dev/null"
            assert pane.modes == RESTORED


def test_a_ledger_may_be_lost_replaced_and_spoilt_under_the_screen(desk: Desk) -> None:
    results, ledger, plan = desk.arena.results, desk.ledger, quick_plan()
    write_sweep(results, plan[:1], [done(0.75)])
    with desk.open_screen() as pane:
        pane.wait_for("sweep 1", "1/1", "75.0")

        _remove(ledger)
        pane.wait_for("there is no ledger", "Shown: the state of", "75.0")

        write_sweep(results, plan[:2], [done(0.5), waiting], state="interrupted")
        pane.wait_for("1/2", "50.0", without="there is no ledger")

        other = results.parent / "other"
        write_sweep(other, plan[:3], [done(0.25), waiting, waiting], state="interrupted")
        # While others read the log beside it, nobody can lock a ledger: it is locked before it comes.
        lock = sqlite3.connect(ledger_path(other), isolation_level=None)
        lock.execute("PRAGMA locking_mode = EXCLUSIVE")
        lock.execute("UPDATE sweeps SET name = name")
        ledger_path(other).replace(ledger)
        pane.wait_for("is locked by another program", "50.0")
        lock.close()
        pane.wait_for("1/3", "25.0", without="is locked")

        with sqlite3.connect(ledger) as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            connection.execute("PRAGMA user_version = 99")
        pane.wait_for("has version 99", "Upgrade nlu-arena")
        with sqlite3.connect(ledger) as connection:
            connection.execute(f"PRAGMA user_version = {version}")
        connection.close()
        pane.wait_for("1/3", without="has version 99")

        _remove(ledger)
        ledger.write_bytes(b"this is no database\n" * 500)
        pane.wait_for("is not a ledger of nlu-arena", "25.0")
        _remove(ledger)
        Store.open(ledger).close()
        pane.wait_for("Help", without="is not a ledger")
        pane.send("q")
        pane.wait_for("RC=0")
        assert pane.modes == RESTORED


def test_a_small_terminal_says_what_it_needs_and_can_be_left(desk: Desk) -> None:
    write_sweep(desk.arena.results, quick_plan()[:1], [done(0.75)])
    with desk.open_screen(width=60, height=16) as pane:
        pane.wait_for("sweep 1", "75.0")
        pane.resize(50, 12)
        pane.wait_for("60", "16", without="75.0")
        pane.resize(250, 80)
        pane.wait_for("sweep 1", "75.0")
        pane.resize(50, 12)
        pane.send("q")
        pane.wait_for("RC=0")


def _remove(ledger: Path) -> None:
    for end in ("", "-wal", "-shm"):
        ledger.with_name(f"{ledger.name}{end}").unlink(missing_ok=True)
