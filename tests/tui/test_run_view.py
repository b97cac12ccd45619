from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from nlu_arena import events
from nlu_arena.ledger.queries import Reader
from nlu_arena.ledger.store import Store
from nlu_arena.paths import ledger_path
from nlu_arena.spec import Experiment
from nlu_arena.tui import run_view
from nlu_arena.tui.asciifilter import to_ascii
from nlu_arena.tui.log_pane import LogPane
from nlu_arena.tui.run_log import Entry
from nlu_arena.tui.run_view import RunView
from tests.tui.run_stage import RunStage
from tests.tui.stage import press, settle
from tests.views.ledgers import Act, begin, done, failed, quick_plan, running, waiting, write_sweep

EVIL = "\x1b[2J[/red]\x9b31m cafe\u0301 \u202e漢字"


def training(steps: int, held_out: bool = False) -> Act:
    """A run in the middle of its training."""

    def act(store: Store, sweep: int, experiment: Experiment) -> None:
        run = begin(store, sweep, experiment)
        store.record(run, events.PhaseFinished(phase="load", seconds=0.5))
        store.record(run, events.PhaseStarted(phase="train"))
        add_steps(store, run, range(1, steps + 1))
        if held_out:
            store.record(run, events.MetricPoint(step=steps, epoch=1, name="held_out_accuracy", value=0.75))
        store.record(run, events.Progress(phase="train", done=steps, total=4 * steps))
        store.record(run, events.Log(level="warning", text=f"a note {EVIL}"))

    return act


def add_steps(store: Store, run: int, steps: Sequence[int]) -> None:
    for step in steps:
        store.record(run, events.MetricPoint(step=step, epoch=step / 40, name="loss", value=2 - step / 100))


def stage(
    folder: Path, acts: Sequence[Act], ascii: bool = False, alive: bool = False
) -> tuple[RunStage, Store]:
    """The view over a sweep of the first experiments of the quick profile."""
    plan = quick_plan()[: len(acts)]
    state = None if alive else "done"
    store = write_sweep(folder, plan, acts, state=state, keep_open=alive)
    return RunStage(ledger_path(folder), RunView, ascii=ascii), store


@pytest.mark.parametrize("size", [(60, 13), (80, 22), (120, 38), (250, 78)])
async def test_a_finished_run_shows_all_that_matters_in_every_size(
    size: tuple[int, int], tmp_path: Path
) -> None:
    app, _ = stage(tmp_path, [done()])
    async with app.run_test(size=size, notifications=True) as pilot:
        app.tick()
        await settle(pilot)
        text = app.text()
        assert "minilm/sst2/fine-tune" in text and "✓ done" in text
        assert "$ nlu-arena run --model minilm --task sst2" in text
        assert "load 0.5 s ▕█" in text
        assert "accuracy 72.5 %" in text
        assert "1.1┤" in text
        assert "log (following)" in text and app.last_line().endswith(" done")
        assert len(app.lines()) == size[1]


async def test_a_wide_screen_has_the_facts_beside_the_curve(tmp_path: Path) -> None:
    app, _ = stage(tmp_path, [done()])
    async with app.run_test(size=(120, 38)) as pilot:
        app.tick()
        await settle(pilot)
        (line,) = [line for line in app.lines() if "accuracy" in line]
        assert line.startswith(" loss ")
        assert "host peak 1.4 GiB" in app.text() and "latency of 1 text 4.0 ms" in app.text()


async def test_a_failed_run_says_why_and_what_to_do(tmp_path: Path) -> None:
    app, _ = stage(tmp_path, [failed("CUDA is out of memory", "Use a smaller batch.")])
    async with app.run_test(size=(80, 22)) as pilot:
        app.tick()
        await settle(pilot)
        assert "✗ failed" in app.text()
        assert " CUDA is out of memory" in app.lines() and " Use a smaller batch." in app.lines()
        assert any(line.endswith("failed: CUDA is out of memory") for line in app.lines())


async def test_an_experiment_that_waits_says_where_in_the_queue(tmp_path: Path) -> None:
    app, store = stage(tmp_path, [training(3), waiting, waiting], alive=True)
    async with app.run_test(size=(80, 22)) as pilot:
        frame = app.tick()
        app.select(frame.tiles[2].key)
        app.view.show(frame)
        await settle(pilot)
        assert " · waiting, number 2 in the queue" in app.lines()
    store.close()


async def test_a_run_under_way_grows_and_only_what_is_new_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_view, "SECONDS_BETWEEN_READS", 0.0)
    asked: list[int] = []
    read_points = Reader.metric_points
    monkeypatch.setattr(
        Reader, "metric_points", lambda self, run, after: asked.append(after) or read_points(self, run, after)
    )
    app, store = stage(tmp_path, [training(20)], alive=True)
    async with app.run_test(size=(80, 22)) as pilot:
        app.tick()
        await settle(pilot)
        assert "▸ running" in app.text() and "train 25%" in app.text() and "loss 1.8 at step 20" in app.text()
        # The curve has room for all steps: an epoch has 40 here.
        (train,) = [one.train for one in quick_plan()[:1]]
        assert train is not None and any(line.endswith(f" {40 * train.epochs}") for line in app.lines())
        add_steps(store, 1, range(21, 31))
        app.tick()
        await settle(pilot)
        assert "loss 1.7 at step 30" in app.text()
        assert asked == [-1, 19]
        assert isinstance(app.view, RunView) and app.view.details is not None
        assert len(app.view.details.loss.values) == 30
    store.close()


async def test_a_run_whose_sweep_has_died_is_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_view, "SECONDS_BETWEEN_READS", 0.0)
    app, store = stage(tmp_path, [training(20)], alive=True)
    async with app.run_test(size=(80, 22)) as pilot:
        app.tick()
        await settle(pilot)
        store.close()
        app.tick()
        await settle(pilot)
        assert "‖ interrupted" in app.text()


async def test_a_dead_run_has_taken_no_time_since_its_last_word(tmp_path: Path) -> None:
    app, _ = stage(tmp_path, [training(20)])
    with sqlite3.connect(app.ledger) as connection:
        ago = (datetime.now(UTC) - timedelta(hours=3)).isoformat(timespec="milliseconds")
        connection.execute("UPDATE runs SET started_at = ?, updated_at = ?", (ago, ago))
        connection.execute("UPDATE phases SET finished_at = ?", (ago,))
    connection.close()
    async with app.run_test(size=(80, 22)) as pilot:
        app.tick()
        await settle(pilot)
        assert "train 25% 0.0 s" in app.text()


async def test_another_ledger_in_its_place_is_shown_and_nothing_of_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_view, "SECONDS_BETWEEN_READS", 0.0)
    app, store = stage(tmp_path, [training(20)], alive=True)
    async with app.run_test(size=(80, 22)) as pilot:
        app.tick()
        await settle(pilot)
        assert "loss 1.8 at step 20" in app.text()
        store.close()
        for file in tmp_path.glob("arena.*"):
            file.unlink()
        _, store = stage(tmp_path, [training(5)], alive=True)
        app.tick()
        await settle(pilot)
        assert "loss 1.95 at step 5" in app.text()
        assert isinstance(app.view, RunView) and app.view.details is not None
        assert sorted(app.view.details.loss.values) == [1, 2, 3, 4, 5]
        store.close()
        for file in tmp_path.glob("arena.*"):
            file.unlink()
        write_sweep(tmp_path, [], []).close()
        app.tick()
        await settle(pilot)
        assert " nothing is planned here" in app.lines() and "minilm" not in app.text()


async def test_another_run_is_read_at_once_also_soon_after_the_last_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_view, "SECONDS_BETWEEN_READS", 3600.0)
    app, store = stage(tmp_path, [training(20), done()], alive=True)
    async with app.run_test(size=(80, 22)) as pilot:
        app.tick()
        await settle(pilot)
        add_steps(store, 1, [21])
        app.tick()
        await press(pilot, "n")
        assert "✓ done" in app.text()
    store.close()


async def test_a_run_is_not_read_more_often_than_it_may(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_view, "SECONDS_BETWEEN_READS", 3600.0)
    app, store = stage(tmp_path, [training(20)], alive=True)
    async with app.run_test(size=(80, 22)) as pilot:
        app.tick()
        await settle(pilot)
        add_steps(store, 1, range(21, 31))
        app.tick()
        await settle(pilot)
        assert "loss 1.8 at step 20" in app.text()
    store.close()


async def test_n_and_p_go_through_the_runs_and_pass_over_what_waits(tmp_path: Path) -> None:
    app, store = stage(tmp_path, [done(), waiting, failed("no")], alive=True)
    async with app.run_test(size=(80, 22), notifications=True) as pilot:
        frame = app.tick()
        await press(pilot, "n")
        assert app.selected == frame.tiles[2] and "✗ failed" in app.text()
        await press(pilot, "n")
        assert app.selected == frame.tiles[2] and "this is the last run" in app.text()
        await press(pilot, "p")
        assert app.selected == frame.tiles[0] and "✓ done" in app.text()
        app.select(frame.tiles[1].key)
        app.view.show(frame)
        await press(pilot, "p")
        assert app.selected == frame.tiles[0]
        app.select(frame.tiles[1].key)
        app.view.show(frame)
        await press(pilot, "n")
        assert app.selected == frame.tiles[2]
    store.close()


async def test_o_and_s_change_the_curve_and_back(tmp_path: Path) -> None:
    app, _ = stage(tmp_path, [done()])
    async with app.run_test(size=(80, 22)) as pilot:
        app.tick()
        await settle(pilot)
        before = app.text()
        await press(pilot, "o")
        assert " loss (log)" in app.lines()
        await press(pilot, "s")
        assert " loss (log, smoothed)" in app.lines()
        await press(pilot, "o", "s")
        assert app.text() == before


async def test_held_out_accuracy_stands_beside_the_loss(tmp_path: Path) -> None:
    app, store = stage(tmp_path, [training(20, held_out=True)], alive=True)
    async with app.run_test(size=(100, 22)) as pilot:
        app.tick()
        await settle(pilot)
        assert any(line.startswith(" loss ") and "held-out accuracy" in line for line in app.lines())
        assert "held out 75.0 %, best 75.0 %" in app.text()
    store.close()


async def test_y_copies_the_whole_command(tmp_path: Path) -> None:
    app, _ = stage(tmp_path, [done()])
    async with app.run_test(size=(60, 13), notifications=True) as pilot:
        app.tick()
        await press(pilot, "y")
        assert app.clipboard.startswith("nlu-arena run --model minilm") and app.clipboard.endswith("--fresh")
        assert "clipboard, if the terminal" in app.text()


async def test_the_log_is_followed_until_it_is_scrolled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_view, "SECONDS_BETWEEN_READS", 0.0)
    app, store = stage(tmp_path, [training(20)], alive=True)

    async def log(*texts: str) -> None:
        for text in texts:
            store.record(1, events.Log(level="info", text=text))
        app.tick()
        await settle(pilot)

    async with app.run_test(size=(80, 22)) as pilot:
        await log(*(f"line {number}" for number in range(30)))
        assert "log (following)" in app.text() and app.last_line().endswith("line 29")
        await press(pilot, "up", "up")
        assert "log (paused, f follows)" in app.text() and app.last_line().endswith("line 27")
        await log("line 30", "line 31")
        assert "log (paused, f follows, 2 new)" in app.text() and app.last_line().endswith("line 27")
        await press(pilot, "f")
        assert "log (following)" in app.text() and app.last_line().endswith("line 31")
        await log("line 32")
        assert app.last_line().endswith("line 32")
        await pilot.resize_terminal(60, 14)
        await settle(pilot)
        assert "log (following)" in app.text() and app.last_line().endswith("line 32")
    store.close()


async def test_hostile_texts_stay_texts(tmp_path: Path) -> None:
    app, store = stage(tmp_path, [training(20), failed(EVIL, f"hint {EVIL}")], alive=True)
    async with app.run_test(size=(80, 22)) as pilot:
        app.tick()
        await settle(pilot)
        assert "a note [/red] cafe\u0301 漢字" in app.text()
        await press(pilot, "n")
        assert "[/red] cafe\u0301 漢字" in app.text()
        assert not {"\x1b", "\x9b", "\u202e"} & set(app.text())
    store.close()


@pytest.mark.parametrize("act", [done(), training(20), failed("it broke"), waiting])
async def test_ascii_has_a_character_for_every_sign(act: Act, tmp_path: Path) -> None:
    app, store = stage(tmp_path, [act], ascii=True, alive=True)
    async with app.run_test(size=(120, 38)) as pilot:
        app.tick()
        await settle(pilot)
        lines = [line for line in app.lines() if EVIL[-1] not in line]
        assert "?" not in to_ascii("\n".join(lines))
    store.close()


async def test_a_ledger_that_is_gone_changes_nothing_on_the_screen(tmp_path: Path) -> None:
    app, _ = stage(tmp_path, [done(), failed("no")])
    async with app.run_test(size=(80, 22)) as pilot:
        app.tick()
        await settle(pilot)
        ledger_path(tmp_path).unlink()
        await press(pilot, "n")
        assert " the run cannot be read: there is no ledger" in app.text()
        await press(pilot, "o", "s", "f", "y")
        await asyncio.sleep(0)


async def test_a_prompted_run_has_its_facts_in_place_of_a_curve(tmp_path: Path) -> None:
    plan = [one for one in quick_plan() if one.mode == "zero-shot"][:1]
    write_sweep(tmp_path, plan, [running(64)], state=None)
    app = RunStage(ledger_path(tmp_path), RunView)
    async with app.run_test(size=(80, 22)) as pilot:
        app.tick()
        await settle(pilot)
        assert "evaluate 53%" in app.text() and "‖" in app.text()
        assert " device cpu, 2 threads" in app.lines() and "┤" not in app.text()


async def test_a_narrow_line_says_the_state_before_the_variant(tmp_path: Path) -> None:
    plan = quick_plan(limit=50, train_limit=64)[:1]
    write_sweep(tmp_path, plan, [done()])
    app = RunStage(ledger_path(tmp_path), RunView)
    async with app.run_test(size=(60, 13)) as pilot:
        app.tick()
        await settle(pilot)
        assert app.lines()[0].startswith(" minilm/sst2/fine-tune  ✓ done")
        assert "seed 42  train 64" in app.lines()[0] and app.lines()[0].endswith("…")


async def test_a_log_of_as_many_lines_that_says_something_else_is_drawn(tmp_path: Path) -> None:
    app, _ = stage(tmp_path, [done()])
    async with app.run_test(size=(80, 22)) as pilot:
        app.tick()
        await settle(pilot)
        pane = app.view.query_one(LogPane)
        for text in ("one", "two"):
            pane.set_entries([Entry("", text)])
            await settle(pilot)
            assert app.last_line().endswith(text)
