from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from nlu_arena.comparing import Wish, compare
from nlu_arena.ledger.queries import Reader
from nlu_arena.paths import ledger_path
from nlu_arena.tui.compare_view import CompareView
from nlu_arena.views.compare import CompareView as ComparisonPage
from tests.tui.contest_ledger import mark, write_contest
from tests.tui.goldens import check_golden
from tests.tui.stage import Stage, press, settle
from tests.views.ledgers import done, quick_plan, waiting, write_sweep


def printed(ledger: Path, width: int, **wish: str) -> list[str]:
    """What `nlu-arena compare` prints."""
    with Reader.open(ledger) as reader:
        found = compare(reader.finished(), reader.unfinished(), reader.labels, Wish(**wish))  # type: ignore[arg-type]
    stream = io.StringIO()
    Console(file=stream, width=width, markup=False, highlight=False, emoji=False).print(ComparisonPage(found))
    return [line.rstrip() for line in stream.getvalue().splitlines()]


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40)])
async def test_the_screen_at_three_sizes(size: tuple[int, int], tmp_path: Path) -> None:
    stage = Stage(write_contest(tmp_path), CompareView)
    async with stage.run_test(size=size, notifications=True) as pilot:
        stage.tick()
        await settle(pilot)
        check_golden(f"compare-{size[0]}x{size[1]}", stage.text())


async def test_the_page_is_what_the_command_prints(tmp_path: Path) -> None:
    ledger = write_contest(tmp_path)
    stage = Stage(ledger, CompareView)
    async with stage.run_test(size=(101, 80), notifications=True) as pilot:
        stage.tick()
        await settle(pilot)
        lines = [line[1:] for line in stage.text().splitlines()[1:]]
        assert [line for line in lines if line] == [line for line in printed(ledger, 99) if line]


async def test_marked_runs_alone_are_compared(tmp_path: Path) -> None:
    stage = Stage(write_contest(tmp_path), CompareView)
    async with stage.run_test(size=(80, 60), notifications=True) as pilot:
        stage.tick()
        mark(stage, "few-shot")
        await settle(pilot)
        assert "2 runs marked" in stage.text()
        assert "compared with minilm fine-tune" in stage.text()
        assert "few-shot" in stage.text()
        assert "zero-shot" not in stage.text()


async def test_another_baseline_is_chosen_from_a_list(tmp_path: Path) -> None:
    ledger = write_contest(tmp_path)
    stage = Stage(ledger, CompareView)
    async with stage.run_test(size=(101, 80), notifications=True) as pilot:
        stage.tick()
        await press(pilot, "b")
        assert stage.text().splitlines()[-3:] == [
            "  minilm:fine-tune",
            "  smollm2-135m:zero-shot",
            "  smollm2-135m:few-shot",
        ]
        await press(pilot, "down", "enter")
        lines = [line[1:] for line in stage.text().splitlines()[1:]]
        wanted = printed(ledger, 99, baseline="smollm2-135m:zero-shot")
        assert [line for line in lines if line] == [line for line in wanted if line]


@pytest.mark.parametrize("key", ["b", "back"])
async def test_the_list_of_baselines_is_left_without_a_choice(key: str, tmp_path: Path) -> None:
    stage = Stage(write_contest(tmp_path), CompareView)
    async with stage.run_test(size=(80, 24), notifications=True) as pilot:
        stage.tick()
        await settle(pilot)
        before = stage.text()
        await press(pilot, "b", "down")
        assert stage.text() != before
        if key == "back":
            assert stage.view.back()
            assert not stage.view.back()
            await settle(pilot)
        else:
            await press(pilot, key)
        assert stage.text() == before


async def test_the_order_changes_with_a_key(tmp_path: Path) -> None:
    ledger = write_contest(tmp_path)
    stage = Stage(ledger, CompareView)
    async with stage.run_test(size=(101, 80), notifications=True) as pilot:
        stage.tick()
        for order in ("accuracy", "latency", "name", "difference"):
            await press(pilot, "s")
            lines = stage.text().splitlines()
            assert lines[0].endswith(f"by {order}")
            wanted = printed(ledger, 99, order=order)
            assert [line[1:] for line in lines[1:] if line] == [line for line in wanted if line]


async def test_a_long_page_is_scrolled_and_a_frame_without_new_results_leaves_it(tmp_path: Path) -> None:
    stage = Stage(write_contest(tmp_path), CompareView)
    async with stage.run_test(size=(80, 12), notifications=True) as pilot:
        stage.tick()
        await press(pilot, "pagedown", "down")
        scrolled = stage.text()
        assert "compared with" not in scrolled
        stage.tick()
        await settle(pilot)
        assert stage.text() == scrolled
        await press(pilot, "home")
        assert "compared with" in stage.text()


async def test_nothing_finished_is_said_with_what_to_do(tmp_path: Path) -> None:
    plan = quick_plan()[:2]
    write_sweep(tmp_path, plan, [waiting, waiting])
    stage = Stage(ledger_path(tmp_path), CompareView)
    async with stage.run_test(size=(80, 24), notifications=True) as pilot:
        stage.tick()
        await press(pilot, "b")
        assert "no run is finished" in stage.text()
        assert "nlu-arena" in stage.text()


async def test_a_ledger_that_is_gone_is_said_and_the_next_frame_asks_again(tmp_path: Path) -> None:
    ledger = write_contest(tmp_path)
    stage = Stage(ledger, CompareView)
    async with stage.run_test(size=(80, 24), notifications=True) as pilot:
        stage.tick()
        ledger.rename(tmp_path / "away")
        await settle(pilot)
        ledger_text = stage.text()
        (tmp_path / "away").rename(ledger)
        stage.tick()
        await settle(pilot)
        assert "compared with" in stage.text(), ledger_text


async def test_ascii_signs_only(tmp_path: Path) -> None:
    stage = Stage(write_contest(tmp_path), CompareView, ascii=True)
    async with stage.run_test(size=(60, 60), notifications=True) as pilot:
        stage.tick()
        await press(pilot, "b")
        assert stage.text().isascii()


async def test_a_run_that_ends_meanwhile_does_not_change_what_is_chosen(tmp_path: Path) -> None:
    plan = [e for e in quick_plan() if e.task.name == "sst2"]
    acts = [done(0.9), done(0.5), done(0.7), waiting]
    store = write_sweep(tmp_path, plan, acts, state=None, keep_open=True)
    stage = Stage(ledger_path(tmp_path), CompareView)
    async with stage.run_test(size=(80, 40), notifications=True) as pilot:
        frame = stage.tick()
        await press(pilot, "b", "down")
        assert frame.sweep is not None
        # Now minilm's run is the newest, and the last one of the baselines.
        done(0.8, fresh=True)(store, frame.sweep.id, plan[0])
        done(0.8)(store, frame.sweep.id, plan[3])
        stage.tick()
        await press(pilot, "enter")
        assert "compared with smollm2-135m zero-shot" in stage.text()
        assert "lora" in stage.text()
    store.close()
