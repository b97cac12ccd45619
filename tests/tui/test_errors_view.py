from __future__ import annotations

from pathlib import Path

import pytest
from rich.cells import cell_len

from nlu_arena.paths import ledger_path
from nlu_arena.tui.errors_view import ErrorsView
from tests.tui.contest_ledger import mark, say, write_contest
from tests.tui.goldens import check_golden
from tests.tui.stage import Stage, press, settle
from tests.views.ledgers import quick_plan, waiting, write_sweep

SIZES = [(60, 20), (80, 24), (120, 40)]


@pytest.mark.parametrize("size", SIZES)
async def test_the_screen_at_three_sizes(size: tuple[int, int], tmp_path: Path) -> None:
    stage = Stage(write_contest(tmp_path), ErrorsView)
    async with stage.run_test(size=size, notifications=True) as pilot:
        stage.tick()
        await settle(pilot)
        check_golden(f"errors-{size[0]}x{size[1]}", stage.text())


async def test_the_texts_are_those_of_the_selected_experiment_until_another_is_asked_for(
    tmp_path: Path,
) -> None:
    stage = Stage(write_contest(tmp_path), ErrorsView)
    async with stage.run_test(size=(80, 24), notifications=True) as pilot:
        frame = stage.tick()
        stage.selected = next(tile for tile in frame.tiles if tile.task == "rte")
        stage.tick()
        await settle(pilot)
        assert "2 of 2: rte · dev · 120 texts" in stage.text()
        await press(pilot, "o")
        assert "1 of 2: sst2 · dev · 120 texts" in stage.text()
        stage.tick()
        await settle(pilot)
        assert "1 of 2: sst2" in stage.text()


async def test_a_key_lists_the_next_set(tmp_path: Path) -> None:
    stage = Stage(write_contest(tmp_path, ["sst2"]), ErrorsView)
    async with stage.run_test(size=(80, 24), notifications=True) as pilot:
        stage.tick()
        await settle(pilot)
        assert "60 texts on which anybody is wrong" in stage.text()
        for said in (
            "12 texts on which all are wrong",
            "24 texts on which all LLMs are wrong, all encoders right",
            "0 texts on which all encoders are wrong, all LLMs right",
        ):
            stage = await press(pilot, "s")
            assert said in stage.text()


async def test_two_marked_contenders_are_told_apart(tmp_path: Path) -> None:
    stage = Stage(write_contest(tmp_path, ["sst2"]), ErrorsView)
    async with stage.run_test(size=(110, 24), notifications=True) as pilot:
        stage.tick()
        mark(stage, "zero-shot", "fine-tune")
        await press(pilot, "s", "s", "s", "s", "s")
        assert "0 texts on which minilm fine-tune is wrong, smollm2" in stage.text()
        await press(pilot, "s")
        assert "48 texts on which smollm2-135m Q4_1 zero-shot is wrong, minilm" in stage.text()


async def test_a_confusion_lists_its_texts(tmp_path: Path) -> None:
    stage = Stage(write_contest(tmp_path, ["sst2"]), ErrorsView)
    async with stage.run_test(size=(110, 24), notifications=True) as pilot:
        stage.tick()
        await press(pilot, "g", "down")
        assert "12 texts on which anybody is wrong · minilm fine-tune is wrong" in stage.text()
        await press(pilot, "down")
        assert "6 texts on which anybody is wrong · minilm fine-tune: negative → positive" in stage.text()
        assert "gold negative" in stage.text()
        assert stage.view.back()
        await settle(pilot)
        assert "60 texts on which anybody is wrong\n" in stage.text()
        assert "#108 · gold negative · 3 of 3 wrong" in stage.text()


async def test_the_text_under_the_cursor_is_shown_with_all_answers(tmp_path: Path) -> None:
    stage = Stage(write_contest(tmp_path, ["sst2"]), ErrorsView)
    async with stage.run_test(size=(80, 24), notifications=True) as pilot:
        stage.tick()
        await settle(pilot)
        first = stage.text()
        await press(pilot, "n")
        assert stage.text() != first
        await press(pilot, "p")
        assert stage.text() == first
        await press(pilot, "end")
        last = stage.text()
        await press(pilot, "n")
        assert stage.text() == last
        last = " ".join(last.split())
        for name in ("minilm fine-tune", "smollm2-135m Q4_1 zero-shot", "smollm2-135m Q4_1 few-shot"):
            assert name in last


async def test_a_narrow_screen_has_one_list_at_a_time(tmp_path: Path) -> None:
    stage = Stage(write_contest(tmp_path), ErrorsView)
    async with stage.run_test(size=(60, 20), notifications=True) as pilot:
        stage.tick()
        await settle(pilot)
        listed = stage.text()
        assert "all of these texts" not in listed
        await press(pilot, "g")
        assert "all of these texts" in stage.text()
        await press(pilot, "enter")
        assert stage.text() == listed


async def test_another_width_lays_the_panes_out_anew(tmp_path: Path) -> None:
    stage = Stage(write_contest(tmp_path), ErrorsView)
    async with stage.run_test(size=(60, 20), notifications=True) as pilot:
        stage.tick()
        await settle(pilot)
        for width, height in (*SIZES[::-1], (30, 8), (80, 24)):
            await pilot.resize_terminal(width, height)
            await settle(pilot)
            assert all(cell_len(line) <= width for line in stage.text().splitlines())
        check_golden("errors-80x24", stage.text())


async def test_a_title_that_was_cut_is_whole_where_there_is_room(tmp_path: Path) -> None:
    stage = Stage(write_contest(tmp_path), ErrorsView)
    async with stage.run_test(size=(40, 20), notifications=True) as pilot:
        stage.tick()
        await settle(pilot)
        assert "…" in stage.text().splitlines()[0]
        await pilot.resize_terminal(120, 20)
        await settle(pilot)
        assert stage.text().splitlines()[0] == " 1 of 2: sst2 · dev · 120 texts · starter data (not GLUE)"


async def test_new_results_leave_the_cursors_where_they_are(tmp_path: Path) -> None:
    plan = [e for e in quick_plan() if e.task.name == "sst2" and e.mode != "lora"]
    texts = [f"text {place}" for place in range(20)]
    store = write_sweep(tmp_path, plan, [say(texts, 8), waiting, waiting], state=None, keep_open=True)
    stage = Stage(ledger_path(tmp_path), ErrorsView)
    async with stage.run_test(size=(110, 24), notifications=True) as pilot:
        frame = stage.tick()
        await press(pilot, "n", "n", "g", "down")
        title = next(line for line in stage.text().splitlines() if "· gold" in line)
        assert frame.sweep is not None
        say(texts, 12)(store, frame.sweep.id, plan[1])
        stage.tick()
        await settle(pilot)
        assert "smollm2-135m Q4_1 zero-shot" in stage.text()
        assert "minilm fine-tune is wrong" in stage.text()
        assert title.partition(" wrong")[0].split("·")[0] in stage.text()
    store.close()


@pytest.mark.parametrize("size", SIZES)
async def test_hostile_texts_and_names_stay_text(size: tuple[int, int], tmp_path: Path) -> None:
    texts = [
        "\x1b[2J\x1b]0;owned\x07red [bold]not markup[/bold] [/x] [@click=app.quit]q[/]",
        "cafe\u0301\u0301\u0301 combining \u202e turned \u2066 round",
        "\u6f22\u5b57" * 200,
        "tab\tand\nline\x9b31m",
        "",
        "y" * 200_000,
    ]
    plan = [e for e in quick_plan() if e.task.name == "rte" and e.mode in ("fine-tune", "zero-shot")]
    write_sweep(tmp_path, plan, [say(texts, 6)] * len(plan))
    stage = Stage(ledger_path(tmp_path), ErrorsView)
    async with stage.run_test(size=size, notifications=True) as pilot:
        stage.tick()
        await settle(pilot)
        for _ in texts:
            for line in stage.text().split("\n"):
                assert cell_len(line) <= size[0]
                assert not any(ord(sign) < 32 or sign in "\x7f\x9b\u202e\u2066" for sign in line)
            await press(pilot, "n")
        await press(pilot, "home")
        seen = []
        for _ in texts:
            seen.append(stage.text())
            await press(pilot, "n")
        assert any("[bold]not" in text and "[@click=app.quit]" in text for text in seen)


async def test_nothing_finished_is_said(tmp_path: Path) -> None:
    write_sweep(tmp_path, quick_plan()[:1], [waiting])
    stage = Stage(ledger_path(tmp_path), ErrorsView)
    async with stage.run_test(size=(80, 24), notifications=True) as pilot:
        stage.tick()
        await press(pilot, "s", "o", "g", "down", "enter", "n")
        assert "no run is finished yet" in stage.text()


async def test_ascii_signs_only(tmp_path: Path) -> None:
    stage = Stage(write_contest(tmp_path), ErrorsView, ascii=True)
    async with stage.run_test(size=(80, 24), notifications=True) as pilot:
        stage.tick()
        await press(pilot, "g", "down", "down")
        assert stage.text().isascii()
