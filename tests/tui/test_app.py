from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.binding import Binding

from nlu_arena.ledger.store import Store
from nlu_arena.tui.app import ArenaApp
from nlu_arena.tui.confirm import Confirm
from nlu_arena.tui.help import HelpScreen, key_list
from nlu_arena.tui.view import VIEWS, view_class
from tests.tui.goldens import check_golden
from tests.tui.screen import screen_lines, screen_text, wait_for
from tests.tui.stand import ALL_DONE, LEDGER, press, settle, stand, write
from tests.views.ledgers import done, quick_plan

SIZES = [(60, 20), (80, 24), (120, 40)]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def live() -> Iterator[Store]:
    """A sweep under way."""
    store = write(state=None, keep_open=True)
    yield store
    store.close()


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_a_sweep_under_way_fills_the_screen(live: Store, size: tuple[int, int]) -> None:
    async with stand(size) as pilot:
        app = await press(pilot, "home")
        # Of a run under way the phase that it is in takes as long as the test.
        await press(pilot, "up", "h", "h", "h", "h", "h", "h")
        check_golden(f"matrix-{size[0]}x{size[1]}", screen_text(app))


async def test_the_screen_begins_with_what_is_happening_now(live: Store) -> None:
    async with stand() as pilot:
        app = await settle(pilot)
        assert app.selected is not None and app.selected.state == "running"
        assert "smollm2-135m/sst2/few-shot" in screen_text(app)


async def test_without_a_ledger_it_waits_and_then_shows_it() -> None:
    async with stand() as pilot:
        app = await settle(pilot)
        assert app.frame is None and app.trouble is not None
        assert "nlu-arena sweep --profile quick" in screen_text(app)
        write(ALL_DONE)
        app.tick()
        await settle(pilot)
        assert "12/12" in screen_text(app)
        assert app.trouble is None and "Waiting" not in screen_text(app)


async def test_what_is_committed_elsewhere_is_on_the_screen_after_the_next_look(live: Store) -> None:
    async with stand() as pilot:
        app = await settle(pilot)
        assert "4/12" in screen_text(app)
        done(0.9)(live, 1, quick_plan()[9])
        assert "5/12" not in screen_text(app)
        app.tick()
        await settle(pilot)
        assert "5/12" in screen_text(app)


async def test_a_ledger_that_goes_away_leaves_the_last_state_dimmed_and_says_so(live: Store) -> None:
    async with stand() as pilot:
        app = await settle(pilot)
        live.close()
        for file in LEDGER.parent.iterdir():
            file.unlink()
        app.tick()
        await settle(pilot)
        assert "out of sight" in screen_text(app) and "smollm2" in screen_text(app)
        assert app.query_one("ContentSwitcher").has_class("-stale")


async def test_a_fault_in_reading_is_said_and_does_not_end_the_screen(
    live: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stand() as pilot:
        app = await settle(pilot)

        def fail() -> None:
            raise ZeroDivisionError("a fault")

        monkeypatch.setattr(app._pulse._feed, "poll", fail)
        app.tick()
        await settle(pilot)
        assert "a fault" in screen_text(app)


@pytest.mark.parametrize(("key", "name"), zip("12345", VIEWS, strict=True))
async def test_a_digit_shows_a_view_and_escape_goes_back(live: Store, key: str, name: str) -> None:
    async with stand() as pilot:
        app = await press(pilot, "2" if key == "1" else "1", key)
        assert app.view is not None and app.view.id == name
        assert app.view.has_focus_within or app.view.has_focus
        await press(pilot, "escape", "escape", "escape")
        assert app.view.id == "matrix"


async def test_escape_goes_back_by_the_way_one_came(live: Store) -> None:
    async with stand() as pilot:
        app = await press(pilot, "2", "3", "4", "escape")
        assert app.view is not None and app.view.id == "memory"
        await press(pilot, "escape")
        assert app.view.id == "run"


async def test_help_has_every_key_of_every_view(live: Store) -> None:
    async with stand((80, 60)) as pilot:
        app = await press(pilot, "question_mark")
        assert isinstance(app.screen, HelpScreen)
        await press(pilot, "escape")
        assert not isinstance(app.screen, HelpScreen)
        await press(pilot, "f1")
        assert isinstance(app.screen, HelpScreen)
        await pilot.press("ctrl+c")
        await pilot.pause()
        assert app._exit
    text = key_list(ascii=False).plain
    for bindings in (ArenaApp.BINDINGS, *(view_class(name).BINDINGS for name in VIEWS)):
        for binding in bindings:
            assert isinstance(binding, Binding)
            assert binding.id and binding.tooltip
            assert binding.tooltip in text


def test_no_two_keys_have_the_same_id() -> None:
    views = [binding for name in VIEWS for binding in view_class(name).BINDINGS]
    ids = [binding.id for binding in [*ArenaApp.BINDINGS, *views] if isinstance(binding, Binding)]
    assert len(ids) == len(set(ids))


async def test_the_palette_offers_the_views_and_the_actions(live: Store) -> None:
    async with stand((80, 40)) as pilot:
        app = await press(pilot, "ctrl+p")
        for title in ("Matrix", "Memory", "Stop the sweep", "Light or dark", "Quit"):
            assert title in screen_text(app)
        await pilot.press(*"memory", "enter")
        await wait_for(pilot, lambda: app.view is not None and app.view.id == "memory", "the memory view")


@pytest.mark.parametrize("key", ["x", "R"])
async def test_stop_and_retry_ask_first(live: Store, key: str) -> None:
    async with stand() as pilot:
        app = await press(pilot, key)
        assert isinstance(app.screen, Confirm)
        await press(pilot, "escape")
        assert not isinstance(app.screen, Confirm)


async def test_t_changes_between_light_and_dark(live: Store) -> None:
    async with stand() as pilot:
        app = await settle(pilot)
        assert app.current_theme.dark
        await press(pilot, "t")
        assert not app.current_theme.dark
        await press(pilot, "t")
        assert app.current_theme.dark


async def test_r_looks_at_once(live: Store) -> None:
    async with stand() as pilot:
        app = await settle(pilot)
        done(0.9)(live, 1, quick_plan()[9])
        await press(pilot, "r")
        assert "5/12" in screen_text(app)


@pytest.mark.parametrize("key", ["q", "ctrl+c", "ctrl+q"])
async def test_leaving_says_that_the_sweep_goes_on(live: Store, key: str) -> None:
    async with stand() as pilot:
        app = await settle(pilot)
        await pilot.press(key)
        await pilot.pause()
        assert not app.is_running or app._exit
    assert app.farewell() == [
        "sweep 1 (quick) goes on without this screen: 4 of 12 done, 1 failed",
        "see it again: nlu-arena tui",
    ]
    assert not app.return_code


async def test_leaving_a_sweep_that_has_stopped_says_how_to_go_on() -> None:
    write()
    async with stand() as pilot:
        app = await settle(pilot)
    assert app.farewell()[1] == "go on with it: nlu-arena sweep --profile quick"


async def test_news_while_the_screen_closes_does_no_harm(live: Store) -> None:
    async with stand() as pilot:
        app = await settle(pilot)
        await app.query_one("ContentSwitcher").remove_children()
        done(0.9)(live, 1, quick_plan()[9])
        app.tick()
        assert app.view is None and app.frame is not None and app.frame.totals.done == 5


async def test_keys_behind_the_one_that_leaves_do_no_harm(live: Store) -> None:
    async with stand() as pilot:
        await pilot.press("q", "e", "5", "2")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
async def test_a_signal_leaves_in_order_with_its_exit_code(
    live: Store, number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Never:
        """In place of the timer that would end this process."""

        daemon = False

        def __init__(self, *args: object) -> None: ...

        def start(self) -> None: ...

    monkeypatch.setattr("nlu_arena.tui.leaving.threading.Timer", Never)
    async with stand() as pilot:
        app = await settle(pilot)
        os.kill(os.getpid(), number)
        await asyncio.sleep(0.1)
    assert app.return_code == 143


@pytest.mark.parametrize("size", [(59, 24), (80, 15), (20, 5)], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_a_terminal_that_is_too_small_says_what_is_needed_and_can_be_left(
    live: Store, size: tuple[int, int]
) -> None:
    async with stand(size) as pilot:
        app = await settle(pilot)
        text = screen_text(app)
        assert f"{size[0]} x {size[1]}" in text and "60 x 16" in text and "minilm" not in text
        await pilot.resize_terminal(60, 16)
        await settle(pilot)
        assert "minilm" in screen_text(app)
        await pilot.resize_terminal(*size)
        await pilot.press("q")
        await pilot.pause()
        assert app._exit


async def test_ascii_leaves_nothing_else_on_any_view(live: Store) -> None:
    async with stand((120, 40), ascii=True) as pilot:
        for key in ("1", "2", "3", "4", "5", "question_mark"):
            app = await press(pilot, key)
            assert screen_text(app).isascii(), screen_text(app)
        await press(pilot, "escape", "1", "x")
        assert screen_text(app).isascii()


async def test_without_colour_only_the_terminals_own_two_are_used(live: Store) -> None:
    async with stand(no_color=True) as pilot:
        app = await settle(pilot)
        await press(pilot, "right")
        strips = app.screen._compositor.render_strips()
        colours = {
            colour.name
            for strip in strips
            for segment in strip
            if segment.style is not None
            for colour in (segment.style.color, segment.style.bgcolor)
            if colour is not None
        }
        assert colours <= {"default"}


async def test_hostile_names_stay_text(monkeypatch: pytest.MonkeyPatch) -> None:
    write(ALL_DONE, name="[red]\x1b[31mname[/x]")
    async with stand((120, 24)) as pilot:
        app = await settle(pilot)
        assert "[red]name[/x]" in screen_lines(app)[0]
