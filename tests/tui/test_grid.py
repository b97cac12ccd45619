from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.geometry import Region

from nlu_arena.ledger.rows import Tile
from nlu_arena.ledger.store import Store
from nlu_arena.tui.app import ArenaApp
from nlu_arena.tui.board import build_board
from nlu_arena.tui.field import Value
from nlu_arena.tui.grid import Grid, style_name
from tests.tui.screen import screen_lines
from tests.tui.stand import press, settle, stand, write
from tests.views.ledgers import done, quick_plan


@pytest.fixture
def live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.chdir(tmp_path)
    store = write(state=None, keep_open=True)
    yield store
    store.close()


def tile(position: int, **changes: Any) -> Tile:
    one = Tile(
        position=position,
        key=f"key-{position}",
        model=f"model-{position}",
        title="Model",
        family="encoder",
        quantisation="",
        task="sst2",
        mode="fine-tune",
        variant="",
        seed=1,
        state="waiting",
    )
    return one._replace(**changes)


def grid_of(app: ArenaApp) -> Grid:
    return app.query_one(Grid)


def painted(grid: Grid, monkeypatch: pytest.MonkeyPatch) -> list[Region]:
    """What the grid asks to be painted from here on; a whole painting is an empty region."""
    regions: list[Region] = []
    refresh = grid.refresh

    def record(*asked: Region, **options: Any) -> Any:
        regions.extend(asked or [Region()])
        return refresh(*asked, **options)

    monkeypatch.setattr(grid, "refresh", record)
    return regions


async def test_only_the_field_that_has_changed_is_painted(
    live: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stand((120, 24)) as pilot:
        app = await press(pilot, "end", *["right"] * 12)
        grid = grid_of(app)
        regions = painted(grid, monkeypatch)
        app.tick()
        assert regions == []
        done(0.9)(live, 1, quick_plan()[9])
        app.tick()
        await settle(pilot)
        # The one that is done, and those that have moved up in the queue.
        assert Region() not in regions and 1 <= len(regions) <= 4
        assert all(region.height == 1 for region in regions)
        top = grid.region.offset
        assert any("90.0" in screen_lines(app)[top.y + r.y][top.x + r.x : top.x + r.right] for r in regions)


async def test_a_move_paints_two_fields(live: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    async with stand((80, 24)) as pilot:
        app = await press(pilot, "up", *["left"] * 12)
        regions = painted(grid_of(app), monkeypatch)
        await press(pilot, "down")
        assert len(regions) == 2 and Region() not in regions


@pytest.mark.parametrize("keys", [("up", "down", "left", "right"), ("k", "j", "h", "l")])
async def test_the_cursor_moves_by_arrows_and_letters(live: Store, keys: tuple[str, ...]) -> None:
    up, down, left, right = keys
    async with stand((120, 24)) as pilot:
        app = await press(pilot, "home", *[left] * 12)
        port = grid_of(app).port
        assert (port.row, port.column) == (0, 0)
        await press(pilot, down, right, right)
        assert (port.row, port.column) == (1, 2)
        await press(pilot, up, left)
        assert (port.row, port.column) == (0, 1)
        assert app.selected is not None and app.selected.task == "rte"


async def test_the_cursor_stops_at_the_edges(live: Store) -> None:
    async with stand() as pilot:
        app = await press(pilot, "end", *["right"] * 20)
        port = grid_of(app).port
        assert (port.row, port.column) == (1, 11)
        await press(pilot, "pageup", *["left"] * 20)
        assert (port.row, port.column) == (0, 0)
        await press(pilot, "pagedown")
        assert port.row == 1


@pytest.mark.parametrize("width", [60, 80, 120])
async def test_every_column_can_be_seen_and_the_cursor_always_is(live: Store, width: int) -> None:
    async with stand((width, 20)) as pilot:
        app = await press(pilot, "home", *["left"] * 12)
        port = grid_of(app).port
        seen = set()
        for column in range(12):
            assert port.column == column and port.sees(port.row, column)
            seen |= {slot.column for slot in port.lineup.slots}
            await press(pilot, "right")
        assert seen == set(range(12))


async def test_a_narrow_screen_shows_one_mode(live: Store) -> None:
    async with stand((60, 20)) as pilot:
        app = await press(pilot, "home", *["left"] * 12)
        head = screen_lines(app)[2]
        assert "fine-tune" in head and "zero-shot" not in head
        await press(pilot, "tab")
        head = screen_lines(app)[2]
        assert "zero-shot" in head and "fine-tune" not in head


async def test_tab_goes_from_mode_to_mode_and_round(live: Store) -> None:
    async with stand() as pilot:
        app = await press(pilot, *["left"] * 12)
        port = grid_of(app).port
        columns = [port.column]
        for _ in range(4):
            await press(pilot, "tab")
            columns.append(port.column)
        assert columns == [0, 3, 6, 9, 0]
        await press(pilot, "shift+tab")
        assert port.column == 9


async def test_a_click_moves_the_cursor_and_a_second_one_opens_the_run(live: Store) -> None:
    async with stand((120, 24)) as pilot:
        app = await press(pilot, "home", *["left"] * 12)
        grid = grid_of(app)
        slot = grid.port.lineup.slots[1]
        offset = (slot.start + 2, grid.port.head + 1)
        await pilot.click(Grid, offset=offset)
        await settle(pilot)
        assert (grid.port.row, grid.port.column) == (1, slot.column)
        await pilot.click(Grid, offset=offset, times=2)
        await settle(pilot)
        assert app.view is not None and app.view.id == "run"


async def test_a_click_beside_the_fields_does_nothing(live: Store) -> None:
    async with stand((80, 24)) as pilot:
        app = await press(pilot, "home", *["left"] * 12)
        grid = grid_of(app)
        for offset in ((1, 3), (30, 0), (30, grid.size.height - 1)):
            await pilot.click(Grid, offset=offset)
        await settle(pilot)
        assert (grid.port.row, grid.port.column) == (0, 0)


async def test_the_wheel_moves_through_many_rows(live: Store) -> None:
    async with stand() as pilot:
        app = await settle(pilot)
        grid = grid_of(app)
        tiles = [tile(position) for position in range(10_000)]
        grid.show(build_board(tiles), Value.ACCURACY, set())
        grid.move(-99_999, -99)
        grid.on_mouse_scroll_down()
        assert grid.port.row == 3
        grid.on_mouse_scroll_up()
        assert grid.port.row == 0
        grid.move(99_999, 0)
        await pilot.pause()
        assert "model-9999" in "\n".join(screen_lines(app))
        assert "rows" in grid.port.place_text and "of 10000" in grid.port.place_text


@pytest.mark.parametrize(
    ("tiles", "name"),
    [
        ([], "none"),
        ([tile(0)], "waiting"),
        ([tile(0, state="done")], "done"),
        ([tile(0, state="done", alarms=("one label",))], "alarm"),
        ([tile(0, state="done"), tile(1, state="failed")], "failed"),
    ],
)
def test_a_field_looks_like_the_state_that_says_most(tiles: list[Tile], name: str) -> None:
    from nlu_arena.tui.field import Field

    assert style_name(Field(tuple(tiles))) == name
