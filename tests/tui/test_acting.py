from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from nlu_arena.ledger.store import Store
from nlu_arena.paths import ledger_path
from nlu_arena.tui import acting, starting
from nlu_arena.tui.acting import Acting
from nlu_arena.tui.asking import ask
from nlu_arena.tui.banner import Banner
from nlu_arena.tui.confirm import Confirm
from nlu_arena.tui.feed import Feed, Frame
from tests.tui.screen import screen_text, wait_for
from tests.views.ledgers import Act, done, failed, quick_plan, running, waiting, write_sweep

SIZE = (80, 24)


@pytest.fixture(autouse=True)
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The usual results folder."""
    monkeypatch.setenv("NLU_ARENA_RESULTS", str(tmp_path / "results"))
    return tmp_path / "results"


class Host(App[None]):
    """The least that acting needs of a screen."""

    def __init__(self, results: Path) -> None:
        super().__init__()
        self.ledger = ledger_path(results)
        self.here = ""
        self.acting = Acting(self, self.ledger)

    def compose(self) -> ComposeResult:
        yield Banner()

    @property
    def frame(self) -> Frame | None:
        feed = Feed(self.ledger)
        frame = feed.poll()
        feed.close()
        return frame if isinstance(frame, Frame) else None

    @property
    def said(self) -> str:
        """The standing line and the newest toast."""
        toasts = [toast.message for toast in self._notifications]
        return f"{self.screen_stack[0].query_one(Banner).content} | {toasts[-1] if toasts else ''}"


@contextmanager
def sweep(results: Path, *acts: Act, state: str = "") -> Iterator[Store]:
    """A sweep that a scheduler works at, which here answers when the test lets it."""
    with write_sweep(results, quick_plan()[: len(acts)], acts, state=state, keep_open=True) as store:
        yield store


def obey(store: Store, answer: str) -> bool:
    """Answer as a scheduler does, if there is anything to answer."""
    requests = store.control_requests()
    for request in requests:
        store.acknowledge(request.request_id, answer)
    return bool(requests)


async def settle(pilot: Pilot[Any], *keys: str) -> None:
    await pilot.pause()
    await pilot.press(*keys)
    await pilot.pause()


# ── The question ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("keys", "answer"),
    [
        (["enter"], False),
        (["n"], False),
        (["escape"], False),
        (["q"], False),
        (["y"], True),
        (["right", "enter"], True),
        (["tab", "enter"], True),
        (["l", "h", "enter"], False),
    ],
)
async def test_the_answer_is_no_unless_yes_is_chosen(results: Path, keys: list[str], answer: bool) -> None:
    app, answers = Host(results), []
    async with app.run_test(size=(60, 16)) as pilot:
        await app.push_screen(
            Confirm("Stop [it]?", "what [/b] happens\nnlu-arena sweep", "Stop"), answers.append
        )
        text = screen_text(app)
        assert "Stop [it]?" in text and "what [/b] happens" in text and "nlu-arena sweep" in text
        assert "No (n)" in text and "Stop (y)" in text
        await settle(pilot, *keys)
        assert answers == [answer]


@pytest.mark.parametrize(("button", "answer"), [("#no", False), ("#yes", True)])
async def test_a_click_answers(results: Path, button: str, answer: bool) -> None:
    app, answers = Host(results), []
    async with app.run_test(size=(60, 16)) as pilot:
        await app.push_screen(Confirm("Stop?", "all", "Stop"), answers.append)
        await pilot.click(button)
        await pilot.pause()
        assert answers == [answer]


async def test_a_long_question_still_shows_its_answers(results: Path) -> None:
    app = Host(results)
    async with app.run_test(size=(60, 16)) as pilot:
        await app.push_screen(Confirm("Stop?", "word " * 400, "Stop"))
        await pilot.pause()
        assert "Stop (y)" in screen_text(app)


# ── Stop ──────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_sweep_is_asked_to_stop_and_its_answer_is_shown(results: Path) -> None:
    app = Host(results)
    with sweep(results, done(), running(), waiting) as store:
        async with app.run_test(size=SIZE, notifications=True) as pilot:
            app.acting.stop(app.frame)
            await pilot.pause()
            text = screen_text(app)
            assert "Stop sweep 1 (quick) after this batch?" in text and "2 experiments are left" in text
            assert "nlu-arena sweep --profile quick" in text
            assert store.control_requests() == []
            await settle(pilot, "y")
            assert "stop requested" in app.said
            await wait_for(pilot, lambda: obey(store, "stopping"), "the request")
            await wait_for(pilot, lambda: "stopping since" in app.said, "the answer")


async def test_a_second_time_means_now(results: Path) -> None:
    app = Host(results)
    with sweep(results, running()) as store:
        async with app.run_test(size=SIZE, notifications=True) as pilot:
            app.acting.stop(app.frame)
            await settle(pilot, "y")
            await wait_for(pilot, lambda: obey(store, "stopping"), "the request")
            await wait_for(pilot, lambda: "stopping since" in app.said, "the answer")
            app.acting.stop(app.frame)
            await pilot.pause()
            assert "Stop sweep 1 (quick) now?" in screen_text(app)


async def test_no_changes_nothing(results: Path) -> None:
    app = Host(results)
    with sweep(results, running()) as store:
        async with app.run_test(size=SIZE, notifications=True) as pilot:
            app.acting.stop(app.frame)
            await settle(pilot, "enter")
            assert store.control_requests() == [] and app.said == " | "


async def test_an_answer_that_never_comes_is_not_waited_for(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acting, "ask", partial(ask, patience=0.1))
    app = Host(results)
    with sweep(results, running()):
        async with app.run_test(size=SIZE, notifications=True) as pilot:
            app.acting.stop(app.frame)
            await settle(pilot, "y")
            await wait_for(pilot, lambda: "no answer within 10 s" in app.said, "the end of the patience")
            assert "Ctrl-C in its terminal" in app.said


async def test_a_sweep_that_ends_between_the_question_and_the_answer_is_said(results: Path) -> None:
    app = Host(results)
    with sweep(results, running()) as store:
        async with app.run_test(size=SIZE, notifications=True) as pilot:
            app.acting.stop(app.frame)
            await pilot.pause()
            store.close()
            await settle(pilot, "y")
            await wait_for(pilot, lambda: "no sweep is writing" in app.said, "the refusal")
            assert app.said.startswith(" | ")


@pytest.mark.parametrize("has_sweep", [False, True])
async def test_without_a_running_sweep_stop_says_how_one_is_started(results: Path, has_sweep: bool) -> None:
    app = Host(results)
    if has_sweep:
        write_sweep(results, quick_plan()[:1], [running()], state="")
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        app.acting.stop(app.frame)
        await pilot.pause()
        assert "no sweep is running here. R starts one: nlu-arena sweep --profile quick" in app.said


async def test_an_ended_sweep_is_not_stopped_in_place_of_another(results: Path) -> None:
    app = Host(results)
    with sweep(results, failed("bad"), state="failed") as store:
        async with app.run_test(size=SIZE, notifications=True) as pilot:
            for act in (app.acting.stop, lambda frame: app.acting.retry(frame, None)):
                app._notifications.clear()
                act(app.frame)
                await pilot.pause()
                assert "another one" in app.said and len(app.screen_stack) == 1
        assert store.control_requests() == []


# ── Try again ─────────────────────────────────────────────────────────────────────────────────────────────


async def test_the_selected_experiment_is_tried_again_if_it_failed(results: Path) -> None:
    app = Host(results)
    with sweep(results, failed("bad"), failed("worse"), running()) as store:
        async with app.run_test(size=SIZE, notifications=True) as pilot:
            frame = app.frame
            assert frame is not None
            app.acting.retry(frame, frame.tiles[1])
            await settle(pilot, "y")
            await wait_for(pilot, lambda: bool(store.control_requests()), "the request")
            (request,) = store.control_requests()
            assert (request.action, request.key) == ("retry", frame.tiles[1].key)
            obey(store, "queued again")
            await wait_for(pilot, lambda: " | 1 experiment: queued again" in app.said, "the answer")


async def test_otherwise_all_that_failed_are_tried_again(results: Path) -> None:
    app = Host(results)
    with sweep(results, failed("bad"), failed("worse"), running()) as store:
        async with app.run_test(size=SIZE, notifications=True) as pilot:
            frame = app.frame
            assert frame is not None
            app.acting.retry(frame, frame.tiles[2])
            await pilot.pause()
            assert "Try all 2 failed experiments again?" in screen_text(app)
            await settle(pilot, "y")
            await wait_for(pilot, lambda: len(store.control_requests()) == 2, "the requests")
            obey(store, "refused: not this one")
            await wait_for(pilot, lambda: "2 experiments: refused: not this one" in app.said, "the answer")


async def test_where_nothing_failed_there_is_nothing_to_try_again(results: Path) -> None:
    app = Host(results)
    with sweep(results, done(), running()):
        async with app.run_test(size=SIZE, notifications=True) as pilot:
            app.acting.retry(app.frame, None)
            await pilot.pause()
            assert "no experiment of this sweep has failed" in app.said


# ── Start ─────────────────────────────────────────────────────────────────────────────────────────────────


def program(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    monkeypatch.setattr(starting, "PROGRAM", (sys.executable, "-c", f"import sys; {code}"))


async def test_without_a_scheduler_it_offers_to_start_the_command_of_the_sweep(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(monkeypatch, "print(*sys.argv[1:])")
    write_sweep(results, quick_plan()[:3], [done(), failed("bad"), waiting], state="interrupted")
    app = Host(results)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        app.acting.retry(app.frame, None)
        await pilot.pause()
        text = screen_text(app)
        assert "Go on with sweep 1 (quick)?" in text and "2 of 3 are not done, 1 of them failed" in text
        assert "nlu-arena sweep --profile quick" in text
        assert list(results.glob("*.out")) == []
        await settle(pilot, "y")
        assert "a sweep starts" in app.said
        await wait_for(pilot, lambda: app.said == " | ", "its end")
    (output,) = results.glob("*.out")
    assert output.read_text() == "sweep --profile quick\n"


async def test_in_an_empty_folder_it_offers_the_first_sweep(results: Path) -> None:
    app = Host(results)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        app.acting.retry(None, None)
        await pilot.pause()
        text = screen_text(app)
        assert "Start a sweep?" in text and "nlu-arena sweep --profile quick" in text
        await settle(pilot, "n")
    assert not results.exists()


async def test_a_sweep_that_could_not_start_says_why(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(monkeypatch, "print('error: no [/b] profile', file=sys.stderr); sys.exit(2)")
    app = Host(results)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        app.acting.retry(None, None)
        await settle(pilot, "y")
        await wait_for(pilot, lambda: "has ended. error: no [/b] profile" in app.said, "the reason")
        await pilot.pause()
        text = " ".join(screen_text(app).split())
        assert "no [/b] profile · all it said:" in text and ".out" in text


async def test_a_folder_that_cannot_be_made_is_said(results: Path) -> None:
    results.touch()
    app = Host(results)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        app.acting.retry(None, None)
        await settle(pilot, "y")
        assert "a file is in its place" in app.said


async def test_where_everything_is_done_nothing_is_started(results: Path) -> None:
    write_sweep(results, quick_plan()[:1], [done()])
    app = Host(results)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        app.acting.retry(app.frame, None)
        await pilot.pause()
        assert "everything in this sweep is done" in app.said


async def test_a_sweep_that_is_getting_ready_is_not_started_twice(results: Path) -> None:
    app = Host(results)
    results.mkdir()
    with Store.open(app.ledger):
        async with app.run_test(size=SIZE, notifications=True) as pilot:
            app.acting.retry(app.frame, None)
            await pilot.pause()
            assert "is getting ready here" in app.said and len(app.screen_stack) == 1


@pytest.mark.parametrize(
    ("version", "said"),
    [(1, "migrates it, after a backup copy"), (99, "Upgrade nlu-arena"), (0, "is not a ledger")],
)
async def test_beside_a_ledger_that_cannot_be_read_nothing_is_started(
    results: Path, version: int, said: str
) -> None:
    write_sweep(results, quick_plan()[:1], [failed("bad")], state="failed")
    app = Host(results)
    if version:
        with sqlite3.connect(app.ledger) as connection:
            connection.execute(f"PRAGMA user_version = {version}")
        connection.close()
    else:
        app.ledger.write_text("no database" * 100)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        app.acting.retry(None, None)
        await pilot.pause()
        assert said in app.said and len(app.screen_stack) == 1


async def test_that_a_sweep_starts_is_said_until_its_experiments_are_there(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(monkeypatch, "import time; time.sleep(60)")
    results.mkdir()
    app = Host(results)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        started = starting.start_sweep(["sweep"], results)
        try:
            app.acting.watch(started)
            with Store.open(app.ledger) as store:
                await pilot.pause(3 * acting.LOOK)
                assert f"a sweep starts, process {started.process.pid}" in app.said
                store.begin_sweep("quick", quick_plan()[:1], {})
                await wait_for(pilot, lambda: app.said == " | ", "the beginning")
        finally:
            started.process.kill()
