from __future__ import annotations

import os
import random
import sqlite3
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from pathlib import Path

import pytest

from nlu_arena import events
from nlu_arena.ledger.control import request
from nlu_arena.ledger.rows import MemorySample
from nlu_arena.ledger.store import Store
from nlu_arena.paths import ledger_path
from nlu_arena.tui.feed import PATIENCE, Feed, Frame, Trouble
from tests.ledger.sweeps import without_privileges
from tests.views.ledgers import begin, done, failed, quick_plan, running, waiting, write_sweep

PLAN = quick_plan()[:4]
SAMPLE = MemorySample(1_800_000_000.0, "host", 1, 2)


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return tmp_path / "results"


@pytest.fixture
def ledger(results: Path) -> Path:
    return ledger_path(results)


@pytest.fixture
def feed(ledger: Path) -> Iterator[Feed]:
    feed = Feed(ledger)
    yield feed
    feed.close()


def look(feed: Feed) -> Frame:
    frame = feed.poll()
    assert isinstance(frame, Frame), frame
    return frame


def stumble(feed: Feed) -> Trouble:
    trouble = feed.poll()
    assert isinstance(trouble, Trouble), trouble
    return trouble


def states(frame: Frame) -> list[str]:
    return [tile.state for tile in frame.tiles]


def execute(ledger: Path, statement: str) -> None:
    connection = sqlite3.connect(ledger, isolation_level=None)
    connection.execute(statement)
    connection.close()


# ── A sweep that goes on ──────────────────────────────────────────────────────────────────────────────────


def test_the_first_frame_has_everything(results: Path, feed: Feed) -> None:
    with write_sweep(results, PLAN, [done(), failed("no"), running(), waiting], state="", keep_open=True):
        frame = look(feed)
    assert frame.sweep is not None
    assert (frame.sweep.name, frame.sweep.state) == ("quick", "running")
    assert [tile.key for tile in frame.tiles] == [experiment.key for experiment in PLAN]
    assert states(frame) == ["done", "failed", "running", "waiting"]
    assert frame.changed == {0, 1, 2, 3}
    assert frame.totals[:6] == (4, 1, 1, 1, 1, 0)
    assert frame.is_live


def test_nothing_is_told_twice(results: Path, feed: Feed) -> None:
    with write_sweep(results, PLAN, [running(), *[waiting] * 3], state="", keep_open=True):
        look(feed)
        assert feed.poll() is None


def test_a_change_is_told_with_its_place(results: Path, feed: Feed) -> None:
    with write_sweep(results, PLAN, [done(), *[waiting] * 3], state="", keep_open=True) as store:
        before = look(feed)
        assert before.sweep is not None
        running(32)(store, before.sweep.id, PLAN[2])
        after = look(feed)
    assert after.changed == {2}
    assert (after.tiles[2].state, after.tiles[2].done, after.tiles[2].phase) == ("running", 32, "evaluate")
    assert after.tiles[:2] == before.tiles[:2]
    assert after.rev > before.rev


def test_frames_are_numbered_and_progress_is_no_new_result(results: Path, feed: Feed) -> None:
    with write_sweep(results, PLAN, [done(), *[waiting] * 3], state="", keep_open=True) as store:
        frame = look(feed)
        assert frame.sweep is not None
        run = begin(store, frame.sweep.id, PLAN[1])
        running = look(feed)
        assert running.number == frame.number + 1
        assert running.results != frame.results
        assert [tile.position for tile in running.running] == [1]
        store.record(run, events.Progress(phase="train", done=3, total=9))
        later = look(feed)
        assert later.rev != running.rev
        assert later.results == running.results
        store.end_run(run, "failed", error="RunError", message="no")
        ended = look(feed)
        assert ended.results != later.results
        assert not ended.running


def test_what_is_written_beside_the_runs_is_told_without_places(
    results: Path, ledger: Path, feed: Feed
) -> None:
    with write_sweep(results, PLAN, [running(), *[waiting] * 3], state="", keep_open=True) as store:
        look(feed)
        store.add_samples([SAMPLE])
        assert not look(feed).changed
        request(ledger, "stop")
        assert not look(feed).changed


def test_a_newer_sweep_is_followed(results: Path, feed: Feed) -> None:
    write_sweep(results, PLAN, [done(), *[waiting] * 3], state="interrupted")
    first = look(feed)
    with write_sweep(results, PLAN[:2], [waiting, running()], state="", keep_open=True):
        second = look(feed)
    assert first.sweep is not None
    assert second.sweep is not None
    assert second.sweep.id == first.sweep.id + 1
    assert states(second) == ["done", "running"]
    assert second.changed == {0, 1}


def test_a_sweep_that_was_named_is_stayed_with(results: Path, ledger: Path) -> None:
    write_sweep(results, PLAN, [done(), *[waiting] * 3], state="interrupted")
    feed = Feed(ledger, sweep=1)
    look(feed)
    write_sweep(results, PLAN[:2], [waiting, done()])
    frame = look(feed)
    feed.close()
    assert frame.sweep is not None
    assert frame.sweep.id == 1
    assert states(frame) == ["done", "waiting", "waiting", "waiting"]


def test_a_sweep_that_there_is_not_is_said(results: Path, ledger: Path) -> None:
    write_sweep(results, PLAN[:1], [done()])
    feed = Feed(ledger, sweep=7)
    assert "no sweep 7" in stumble(feed).message
    feed.close()


def test_a_ledger_without_a_sweep_is_shown_as_such(ledger: Path, feed: Feed) -> None:
    with Store.open(ledger):
        frame = look(feed)
        assert (frame.sweep, frame.tiles, frame.last_write) == (None, (), None)
        assert feed.poll() is None


def test_a_sweep_that_dies_is_noticed_without_a_word_from_it(results: Path, feed: Feed) -> None:
    store = write_sweep(results, PLAN, [done(), running(), *[waiting] * 2], state="", keep_open=True)
    alive = look(feed)
    # A process that is killed lets go of the lock and writes nothing.
    store.close()
    dead = look(feed)
    assert (alive.is_live, dead.is_live) == (True, False)
    assert alive.sweep is not None
    assert dead.sweep is not None
    assert (alive.sweep.state, dead.sweep.state) == ("running", "interrupted")
    assert states(dead) == ["done", "interrupted", "waiting", "waiting"]
    assert 1 in dead.changed
    assert 0 not in dead.changed
    assert (dead.totals.running, dead.totals.interrupted, dead.totals.seconds_left) == (0, 1, None)
    assert dead.last_write == datetime.fromisoformat(dead.tiles[1].updated_at).timestamp()
    assert feed.poll() is None


def test_a_sweep_that_is_resumed_comes_back_to_life(results: Path, feed: Feed) -> None:
    write_sweep(results, PLAN, [running(), *[waiting] * 3], state="")
    assert states(look(feed))[0] == "interrupted"
    with write_sweep(results, PLAN, [begin, *[waiting] * 3], state="", keep_open=True):
        frame = look(feed)
    assert frame.is_live
    assert states(frame)[0] == "running"


# ── A file with which something is wrong ──────────────────────────────────────────────────────────────────


def write_text(ledger: Path) -> None:
    ledger.write_text("these are notes, and not a ledger at all; " * 20)


def damage(ledger: Path) -> None:
    """Leave the header as it is and overwrite the rest."""
    write_done(ledger)
    with ledger.open("r+b") as file:
        file.seek(100)
        file.write(b"\xff" * (ledger.stat().st_size - 100))


def write_done(ledger: Path) -> None:
    write_sweep(ledger.parent, PLAN[:1], [done()])


def write_version(number: int) -> Callable[[Path], None]:
    def write(ledger: Path) -> None:
        write_done(ledger)
        execute(ledger, f"PRAGMA user_version = {number}")

    return write


TROUBLES: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "no file": ("absent", lambda ledger: None, "--profile quick"),
    "an empty file": ("empty", lambda ledger: ledger.touch(), "fills it"),
    "version 1": ("older", write_version(1), "migrates it"),
    "version 99": ("newer", write_version(99), "Upgrade"),
    "a text": ("corrupt", write_text, "Move it away"),
    "a folder": ("corrupt", lambda ledger: ledger.mkdir(), "Move it away"),
    "a damaged file": ("corrupt", damage, "Move it away"),
}


@pytest.mark.parametrize("name", TROUBLES)
def test_a_ledger_that_cannot_be_shown_is_said_once_and_shown_when_it_can(
    name: str, ledger: Path, feed: Feed
) -> None:
    kind, write, hint = TROUBLES[name]
    ledger.parent.mkdir()
    write(ledger)
    trouble = stumble(feed)
    assert trouble.kind == kind
    assert str(ledger) in trouble.message
    assert hint in trouble.hint
    assert feed.poll() is None
    remove(ledger)
    write_done(ledger)
    assert states(look(feed)) == ["done"]


@pytest.mark.parametrize("name", TROUBLES)
def test_a_ledger_that_goes_wrong_while_it_is_followed_is_said(name: str, ledger: Path, feed: Feed) -> None:
    write_done(ledger)
    look(feed)
    kind, write, _ = TROUBLES[name]
    remove(ledger)
    write(ledger)
    assert stumble(feed).kind == kind


def remove(ledger: Path) -> None:
    if ledger.is_dir():
        ledger.rmdir()
    for path in ledger.parent.glob(f"{ledger.name}*"):
        path.unlink()


@pytest.mark.parametrize("change", [write_text, lambda ledger: os.truncate(ledger, 0)])
def test_a_ledger_that_is_written_over_is_noticed(
    change: Callable[[Path], object], ledger: Path, feed: Feed
) -> None:
    write_done(ledger)
    look(feed)
    change(ledger)
    assert stumble(feed).kind in ("corrupt", "empty")


@pytest.mark.parametrize(("version", "kind"), [(99, "newer"), (1, "older")])
def test_a_ledger_whose_version_changes_is_noticed(version: int, kind: str, ledger: Path, feed: Feed) -> None:
    write_done(ledger)
    look(feed)
    execute(ledger, f"PRAGMA user_version = {version}")
    assert stumble(feed).kind == kind


def test_a_ledger_that_is_deleted_and_made_anew_is_followed(results: Path, ledger: Path, feed: Feed) -> None:
    write_sweep(results, PLAN, [done(), done(), done(), done()])
    assert len(look(feed).tiles) == 4
    remove(ledger)
    assert stumble(feed).kind == "absent"
    write_sweep(results, PLAN[:2], [waiting, failed("no")])
    frame = look(feed)
    assert states(frame) == ["waiting", "failed"]
    assert frame.changed == {0, 1}


def test_a_ledger_that_another_one_replaces_is_followed(tmp_path: Path, ledger: Path, feed: Feed) -> None:
    write_sweep(ledger.parent, PLAN[:2], [done(), waiting])
    write_sweep(tmp_path / "other", PLAN[:2], [waiting, done()])
    before = look(feed)
    assert states(before) == ["done", "waiting"]
    ledger_path(tmp_path / "other").replace(ledger)
    frame = look(feed)
    assert states(frame) == ["waiting", "done"]
    assert frame.changed == {0, 1}
    assert frame.results != before.results


def test_a_ledger_that_is_put_back_to_an_earlier_state_is_followed(
    results: Path, ledger: Path, feed: Feed
) -> None:
    write_sweep(results, PLAN[:2], [done(), waiting], state="")
    backup = ledger.read_bytes()
    with Store.open(ledger) as store:
        begin(store, 1, PLAN[1])
        assert states(look(feed)) == ["done", "running"]
    remove(ledger)
    ledger.write_bytes(backup)
    frame = look(feed)
    assert states(frame) == ["done", "waiting"]
    assert 1 in frame.changed


def test_a_lock_of_another_program_is_waited_for_only_shortly(ledger: Path, feed: Feed) -> None:
    write_done(ledger)
    other = sqlite3.connect(ledger, isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    trouble = stumble(feed)
    assert trouble.kind == "locked"
    assert "SQL shell" in trouble.hint
    assert feed.poll() is None
    other.close()
    assert states(look(feed)) == ["done"]
    assert feed._reader is not None
    (milliseconds,) = feed._reader._opened.connection.execute("PRAGMA busy_timeout").fetchone()
    assert milliseconds == 1000 * PATIENCE


def test_a_ledger_without_permission_is_said(open_folder: Path) -> None:
    results = open_folder / "results"
    write_done(ledger_path(results))
    feed = Feed(ledger_path(results))
    with without_privileges(results):
        ledger_path(results).chmod(0)
        assert stumble(feed).kind == "unreadable"
        ledger_path(results).chmod(0o644)
        assert states(look(feed)) == ["done"]
        feed.close()


def test_a_ledger_in_a_folder_that_cannot_be_written_is_shown(open_folder: Path) -> None:
    results = open_folder / "results"
    write_done(ledger_path(results))
    feed = Feed(ledger_path(results))
    results.chmod(0o555)
    with without_privileges():
        assert states(look(feed)) == ["done"]
        assert feed.poll() is None
    results.chmod(0o755)
    write_sweep(results, PLAN[:2], [waiting, failed("no")])
    results.chmod(0o555)
    with without_privileges():
        assert states(look(feed)) == ["done", "failed"]
        feed.close()


# ── The writer ────────────────────────────────────────────────────────────────────────────────────────────


def test_following_keeps_nothing_from_the_writer(results: Path, ledger: Path, feed: Feed) -> None:
    with write_sweep(results, PLAN, [running(), *[waiting] * 3], state="", keep_open=True) as store:
        look(feed)
        store.add_samples([SAMPLE])
        look(feed)
        other = sqlite3.connect(ledger, isolation_level=None)
        busy, *_ = other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        other.close()
    assert not busy


@pytest.mark.parametrize("seed", range(20))
def test_however_often_one_looks_the_last_frame_is_that_of_one_look_at_the_end(
    seed: int, results: Path, ledger: Path
) -> None:
    dice, feed, mirror = random.Random(seed), Feed(ledger), Mirror()
    for act in random_history(dice, results):
        act()
        for _ in range(dice.choice([0, 0, 1, 2])):
            mirror.reflect(feed.poll())
    mirror.reflect(feed.poll())
    at_once = Feed(ledger)
    assert mirror.frame is not None
    assert unnumbered(mirror.frame) == unnumbered(look(at_once))
    assert mirror.tiles == list(mirror.frame.tiles)
    for each in (feed, at_once):
        each.close()


def unnumbered(frame: Frame) -> Frame:
    """Leave out what depends on how often somebody has looked."""
    return frame._replace(changed=frozenset(), number=0, results=0)


class Mirror:
    """Who paints only what is said to have changed."""

    def __init__(self) -> None:
        self.frame: Frame | None = None
        self.tiles: list[object] = []

    def reflect(self, news: Frame | Trouble | None) -> None:
        if not isinstance(news, Frame):
            return
        if self.frame is None or self.sweep_of(self.frame) != self.sweep_of(news):
            self.tiles = [None] * len(news.tiles)
        for position in news.changed:
            self.tiles[position] = news.tiles[position]
        self.frame = news

    def sweep_of(self, frame: Frame) -> int | None:
        return frame.sweep.id if frame.sweep else None


def random_history(dice: random.Random, results: Path) -> Iterator[Callable[[], object]]:
    """Sweeps of which each ends as it should or is killed, as steps."""
    for _ in range(dice.randint(1, 3)):
        store = write_sweep(results, PLAN, [waiting] * 4, state="", keep_open=True)
        yield lambda: None
        with store:
            sweep = int(store._connection.execute("SELECT max(sweep_id) FROM sweeps").fetchone()[0])
            for experiment in dice.sample(PLAN, dice.randint(0, 4)):
                run = begin(store, sweep, experiment, fresh=True)
                yield lambda: None
                for step in range(dice.randint(0, 3)):
                    progress = events.Progress(phase="train", done=step, total=3)
                    yield partial(store.record, run, progress)
                if dice.random() < 0.6:
                    yield partial(store.end_run, run, "failed", message="no")
            if dice.random() < 0.5:
                yield partial(store.finish_sweep, sweep, "done")
        yield lambda: None
