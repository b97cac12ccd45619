from __future__ import annotations

from pathlib import Path

import pytest
from textual.app import App, ComposeResult

from nlu_arena.ledger.store import Store
from nlu_arena.paths import ledger_path
from nlu_arena.tui.banner import Banner, death_line, is_dead, trouble_line
from nlu_arena.tui.feed import Feed, Frame, Trouble
from tests.tui.screen import screen_text
from tests.views.ledgers import done, interrupted, quick_plan, running, waiting, write_sweep

ABSENT = Trouble("absent", "there is no ledger x/arena.db", "`nlu-arena sweep --profile quick` makes one")
CORRUPT = Trouble("corrupt", "the ledger x/arena.db is damaged", "Move it away.")


@pytest.fixture(autouse=True)
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The usual results folder."""
    monkeypatch.setenv("NLU_ARENA_RESULTS", str(tmp_path / "results"))
    return tmp_path / "results"


def frame_of(results: Path) -> Frame:
    feed = Feed(ledger_path(results))
    frame = feed.poll()
    feed.close()
    assert isinstance(frame, Frame)
    return frame


@pytest.fixture
def dead(results: Path) -> Frame:
    """A sweep whose process was killed at its second experiment, 180 seconds before its `now`."""
    write_sweep(results, quick_plan()[:3], [done(), running(), waiting], state="")
    return frame_of(results)


def now(frame: Frame, later: float = 180) -> float:
    assert frame.last_write is not None
    return frame.last_write + later


def test_a_dead_sweep_says_since_when_at_what_and_how_to_go_on(dead: Frame, results: Path) -> None:
    assert is_dead(dead)
    name = "/".join(quick_plan()[1].title.split("/")[:3])
    assert death_line(dead, now(dead), results) == (
        f"! sweep 1 died 3.0 min ago at {name}: its process has ended without a word."
        " R goes on, or: nlu-arena sweep --profile quick"
    )


def test_a_dead_sweep_that_had_begun_nothing_names_no_experiment(results: Path) -> None:
    write_sweep(results, quick_plan()[:1], [waiting], state="")
    frame = frame_of(results)
    assert death_line(frame, now(frame, 5), results).startswith("! sweep 1 died 5 s ago: its process")


def test_the_command_names_a_folder_that_is_not_the_usual_one(
    dead: Frame, results: Path, tmp_path: Path
) -> None:
    assert death_line(dead, now(dead), tmp_path / "other").endswith(f"--results {tmp_path / 'other'}")


def test_a_sweep_that_is_alive_or_has_ended_is_not_dead(results: Path) -> None:
    with write_sweep(results, quick_plan()[:1], [running()], state="", keep_open=True):
        assert not is_dead(frame_of(results))
    with Store.open(ledger_path(results)) as store:
        store.begin_sweep("quick", quick_plan()[:1], {})
        store.finish_sweep(2, "interrupted")
    assert not is_dead(frame_of(results))


def test_trouble_says_what_to_do_and_how_old_the_rest_of_the_screen_is(dead: Frame) -> None:
    assert trouble_line(CORRUPT, None, 0, "") == "! the ledger x/arena.db is damaged. Move it away."
    assert trouble_line(CORRUPT, dead, now(dead, 7), "").endswith(
        "Move it away. Shown: the state of 7 s ago."
    )


def test_without_a_ledger_it_waits_and_names_the_command_for_this_folder() -> None:
    line = trouble_line(ABSENT, None, 0, "my results")
    assert "`nlu-arena sweep --profile quick --results 'my results'`" in line
    assert line.endswith("R starts one. Waiting…")


def test_trouble_cannot_command_the_terminal() -> None:
    line = trouble_line(Trouble("corrupt", "a\x1b[31mb", "c\x9bd\n"), None, 0, "")
    assert not set(line) & set("\x1b\x9b\n")


class Host(App[None]):
    def __init__(self, ledger: Path) -> None:
        super().__init__()
        self.ledger = ledger
        self.here = ""
        self.time = 0.0

    def compose(self) -> ComposeResult:
        yield Banner(clock=lambda: self.time)


async def test_the_line_is_there_only_when_something_is(dead: Frame, results: Path) -> None:
    app = Host(ledger_path(results))
    async with app.run_test(size=(60, 16)) as pilot:
        banner = app.query_one(Banner)
        assert not banner.display
        banner.show(None, ABSENT)
        await pilot.pause()
        assert "there is no ledger" in screen_text(app) and not banner.has_class("-error")
        banner.show(None, CORRUPT)
        assert banner.has_class("-error")
        app.time = now(dead, 9)
        banner.show(dead, None)
        await pilot.pause()
        assert "died 9 s ago" in screen_text(app)
        assert banner.size.height <= 4
        banner.show(dead._replace(is_live=True), None)
        assert not banner.display


async def test_markup_in_a_message_is_text(results: Path) -> None:
    app = Host(ledger_path(results))
    async with app.run_test(size=(60, 16)) as pilot:
        app.query_one(Banner).show(None, Trouble("corrupt", "a [/b] [red]c", "[$d"))
        await pilot.pause()
        assert "! a [/b] [red]c. [$d" in screen_text(app)


async def test_what_was_asked_stays_until_the_sweep_has_ended(results: Path) -> None:
    write_sweep(results, quick_plan()[:1], [interrupted()], state="interrupted")
    ended = frame_of(results)
    live = ended._replace(is_live=True)
    app = Host(ledger_path(results))
    async with app.run_test(size=(60, 16)):
        banner = app.query_one(Banner)
        banner.show(live, None)
        banner.tell("stopping since 12:00:00", while_live=True)
        banner.show(live, None)
        assert banner.display
        banner.show(ended, None)
        assert not banner.display
        banner.tell("stopping since 12:00:01", while_live=True)
        assert not banner.display


async def test_what_was_said_of_a_start_is_over_when_a_sweep_begins(results: Path) -> None:
    store = write_sweep(results, quick_plan()[:1], [waiting], state=None, keep_open=True)
    at_work = frame_of(results)
    store.close()
    dead = frame_of(results)
    app = Host(ledger_path(results))
    async with app.run_test(size=(60, 16)):
        banner = app.query_one(Banner)
        for seen in (at_work, at_work, dead):
            # Until it is seen that the sweep has gone.
            banner.show(seen, None)
            banner.tell("the sweep has ended")
            banner.show(seen, None)
            assert "the sweep has ended" in str(banner.content)
        banner.show(at_work, None)
        assert not banner.display


async def test_what_was_asked_where_nothing_runs_yet_stays_until_the_next_word(results: Path) -> None:
    app = Host(ledger_path(results))
    async with app.run_test(size=(60, 16)):
        banner = app.query_one(Banner)
        banner.tell("a sweep starts")
        banner.show(None, ABSENT)
        assert "a sweep starts" in str(banner.content)
        banner.tell("")
        assert "there is no ledger" in str(banner.content)
