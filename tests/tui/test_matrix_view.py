from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nlu_arena.ledger.store import Store
from nlu_arena.tui.filter_line import FilterLine
from nlu_arena.tui.grid import Grid
from nlu_arena.tui.matrix_view import MatrixView
from nlu_arena.tui.selection import Record, Selection
from nlu_arena.tui.side import Side
from tests.tui.screen import screen_lines, screen_text
from tests.tui.stand import LEDGER, press, settle, stand, write
from tests.views.ledgers import done, quick_plan, write_sweep


@pytest.fixture(autouse=True)
def live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.chdir(tmp_path)
    store = write(state=None, keep_open=True)
    yield store
    store.close()


async def test_v_goes_through_the_values() -> None:
    async with stand() as pilot:
        app = await press(pilot, "home", *["left"] * 12)
        seen = []
        for _ in range(6):
            lines = screen_lines(app)
            seen.append((lines[1].split("   ")[0].strip(), lines[4].split()[2]))
            await press(pilot, "v")
        assert seen == [
            ("value accuracy in %", "85.0"),
            ("value points to the baseline minilm", "+0.0"),
            ("value time", "42s"),
            ("value peak memory", "1.4G"),
            ("value state", "done"),
            ("value accuracy in %", "85.0"),
        ]


async def test_m_shows_one_mode_after_the_other_then_all() -> None:
    async with stand((120, 24)) as pilot:
        app = await settle(pilot)
        heads = []
        for _ in range(5):
            await press(pilot, "m")
            heads.append(screen_lines(app)[1].partition("mode ")[2].split()[0])
        assert heads == ["fine-tune", "zero-shot", "few-shot", "lora", "all"]


async def test_a_mode_shows_only_the_models_that_are_used_so() -> None:
    async with stand() as pilot:
        app = await press(pilot, "m")
        assert "minilm" in screen_text(app) and "smollm2-135m Q4_1" not in screen_text(app)


async def test_space_marks_and_unmarks() -> None:
    async with stand() as pilot:
        app = await press(pilot, "home", *["left"] * 12, "space")
        key = quick_plan()[0].key
        assert app.marked == {key}
        assert "*✓ 85.0" in screen_text(app) and "marked 1" in screen_text(app)
        await press(pilot, "space")
        assert app.marked == set() and "*" not in screen_lines(app)[4]


async def test_where_nothing_is_planned_nothing_is_marked_or_selected() -> None:
    async with stand() as pilot:
        app = await press(pilot, "home", *["left"] * 12, "down", "space")
        assert app.marked == set() and app.selected is None
        assert "nothing is planned here" in screen_text(app)
        assert "Nothing is planned here." in screen_text(app)
        await press(pilot, "enter")
        assert app.view is not None and app.view.id == "matrix"
        app.show_frame()
        assert app.query_one(Grid).port.row == 1


@pytest.mark.parametrize(("key", "name"), [("enter", "run"), ("c", "compare"), ("e", "errors")])
async def test_keys_open_the_other_views(key: str, name: str) -> None:
    async with stand() as pilot:
        app = await press(pilot, key)
        assert app.view is not None and app.view.id == name


async def test_the_filter_takes_letters_that_are_keys_elsewhere() -> None:
    async with stand() as pilot:
        app = await press(pilot, "slash", *"minilm")
        assert "smollm2-135m Q4_1" not in screen_text(app)
        await press(pilot, "enter")
        assert "filter minilm" in screen_text(app)
        assert app.query_one(Grid).has_focus
        await press(pilot, "escape")
        assert "smollm2-135m Q4_1" in screen_text(app) and "filter" not in screen_lines(app)[1]


async def test_while_the_filter_is_typed_the_line_of_keys_says_how_to_leave_it() -> None:
    async with stand() as pilot:
        app = await press(pilot, "slash")
        assert screen_lines(app)[-1].split("  ") == [" f1 Help", "↵ Keep the filter", "esc Drop it"]
        await press(pilot, "enter")
        assert "m Mode" in screen_lines(app)[-1]


async def test_escape_in_the_filter_drops_it_and_all_is_as_before() -> None:
    async with stand() as pilot:
        app = await press(pilot, "home", *["left"] * 12, "right", "slash", *"Q4_1", "escape")
        assert "smollm2-135m Q4_1" in screen_text(app)
        assert app.query_one(Grid).has_focus
        port = app.query_one(Grid).port
        assert (port.row, port.column) == (0, 1)
        await press(pilot, "slash")
        assert app.query_one(FilterLine).value == ""


async def test_a_filter_that_is_dropped_later_leaves_the_cursor_where_it_went() -> None:
    async with stand() as pilot:
        app = await press(pilot, "home", *["left"] * 12, "slash", *"Q4_1", "enter", "right")
        selected = app.selected_key
        assert selected is not None
        await press(pilot, "escape")
        assert app.selected_key == selected


async def test_a_filter_by_state_follows_the_states(live: Store) -> None:
    async with stand() as pilot:
        app = await press(pilot, "slash", *"waiting", "enter")
        before = set(app.query_one(Grid).port.board.places)  # type: ignore[union-attr]
        assert 6 not in before and 9 in before
        done(0.9)(live, 1, quick_plan()[9])
        app.tick()
        await settle(pilot)
        assert set(app.query_one(Grid).port.board.places) == before - {9}  # type: ignore[union-attr]


async def test_a_key_behind_a_move_does_not_take_the_cursor_back() -> None:
    async with stand() as pilot:
        app = await press(pilot, "home", *["left"] * 12)
        grid = app.query_one(Grid)
        # The move is not known to the view yet.
        grid.move(0, 1)
        app.query_one(MatrixView).action_value()
        await settle(pilot)
        assert (grid.port.row, grid.port.column) == (0, 1)
        assert app.selected is not None and app.selected.task == "rte"


async def test_another_ledger_in_its_place_is_laid_out_anew_and_takes_the_marks_with_it(live: Store) -> None:
    async with stand() as pilot:
        app = await press(pilot, "home", *["left"] * 12, "space", "m", "m")
        assert screen_lines(app)[1].partition("mode ")[2].startswith("zero-shot")
        live.close()
        for file in LEDGER.parent.glob("arena.*"):
            file.unlink()
        experiments = [one for one in quick_plan() if one.mode == "lora"][::-1]
        write_sweep(LEDGER.parent, experiments, [done(0.9)] * len(experiments))
        app.tick()
        await settle(pilot)
        board = app.query_one(Grid).port.board
        assert board is not None
        assert [column.task for column in board.columns] == [one.task.name for one in experiments]
        assert app.marked == set() and "mode all" in screen_text(app)


@pytest.mark.parametrize(
    ("size", "place"), [((80, 40), None), ((120, 16), None), ((120, 40), "below"), ((200, 40), "beside")]
)
async def test_the_panel_takes_only_the_room_that_the_matrix_leaves(
    size: tuple[int, int], place: str | None
) -> None:
    async with stand(size) as pilot:
        app = await press(pilot, "home", *["left"] * 12)
        grid, side = app.query_one(Grid), app.query_one(Side)
        assert side.display == (place is not None)
        if place is None:
            assert "macro-F1" not in screen_text(app)
            return
        assert "macro-F1" in screen_text(app)
        assert (side.region.y >= grid.region.bottom) == (place == "below")
        assert (side.region.x >= grid.region.right) == (place == "beside")
        assert grid.size.height >= grid.port.whole[1] or place == "beside"
        # One mode needs less.
        await press(pilot, "m")
        assert side.region.x >= grid.region.right and "columns" not in screen_lines(app)[1]


async def test_a_filter_without_a_match_says_so_and_comes_back() -> None:
    async with stand() as pilot:
        app = await press(pilot, "slash", *"zzz")
        assert "nothing matches" in screen_text(app)
        await press(pilot, "escape")
        assert "smollm2-135m" in screen_text(app)


async def test_escape_drops_the_filter_then_the_mode_then_the_marks() -> None:
    async with stand() as pilot:
        app = await press(pilot, "home", *["left"] * 12, "space", "m", "slash", *"mini", "enter")
        for gone in ("filter ", "mode fine-tune", "marked "):
            assert gone in screen_lines(app)[1]
            await press(pilot, "escape")
            assert gone not in screen_lines(app)[1]


async def test_the_cursor_stays_on_its_experiment_while_others_change(live: Store) -> None:
    async with stand() as pilot:
        app = await press(pilot, "home", *["left"] * 12, "right")
        selected = app.selected_key
        done(0.9)(live, 1, quick_plan()[9])
        app.tick()
        await settle(pilot)
        assert app.selected_key == selected
        await press(pilot, "m")
        assert app.selected_key == selected
        await press(pilot, "escape")
        assert app.selected_key == selected


async def test_the_cursor_follows_what_another_view_selects() -> None:
    async with stand() as pilot:
        app = await press(pilot, "2")
        app.select(quick_plan()[0].key)
        await press(pilot, "1")
        port = app.query_one(Grid).port
        assert (port.row, port.column) == (0, 0)


async def test_below_stands_why_an_experiment_failed() -> None:
    async with stand() as pilot:
        app = await press(pilot, "home", *["left"] * 12, "right", "right")
        assert "the loss is not finite at step 12" in screen_lines(app)[-2]


async def test_below_stands_the_place_in_the_queue() -> None:
    async with stand() as pilot:
        app = await press(pilot, "end", *["right"] * 12)
        assert "lora" in screen_lines(app)[-3]
        assert "5 of those that wait" in screen_lines(app)[-2]


async def test_below_stands_the_timeline_of_a_run() -> None:
    async with stand() as pilot:
        app = await press(pilot, "home", *["left"] * 12)
        assert screen_lines(app)[-2].strip().startswith("load 0.5 s")
        # What was read of a run that the cursor has left comes late.
        app.query_one(Selection)._take(Record(("another", 99, "done", "", ""), [], None))
        await press(pilot, "v")
        assert screen_lines(app)[-2].strip().startswith("load 0.5 s")
