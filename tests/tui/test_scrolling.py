from __future__ import annotations

import pytest
from rich.text import Text
from textual.app import App, ComposeResult
from textual.strip import Strip

from nlu_arena.tui.scrolling import Page, RowList, draw_lines
from tests.tui.screen import screen_lines


class Rows(App[None]):
    """A list of rows of which it is known when they were drawn."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.count = count
        self.drawn: set[int] = set()
        self.moved: list[int] = []
        self.rows = RowList(self.draw_row, id="rows")

    def compose(self) -> ComposeResult:
        yield self.rows

    def on_mount(self) -> None:
        self.rows.focus()
        self.rows.set_rows(self.count)

    def draw_row(self, place: int, width: int) -> Text:
        self.drawn.add(place)
        return Text(f"row {place} \u6f22 [b]")

    def on_row_list_moved(self, event: RowList.Moved) -> None:
        self.moved.append(event.control.cursor)


@pytest.mark.parametrize(
    ("keys", "cursor"),
    [
        (["down"], 1),
        (["j", "j", "k"], 1),
        (["up"], 0),
        (["pagedown"], 9),
        (["pagedown", "pagedown", "pageup"], 9),
        (["end"], 99_999),
        (["end", "down"], 99_999),
        (["end", "home"], 0),
    ],
)
async def test_keys_move_the_cursor_and_keep_it_in_sight(keys: list[str], cursor: int) -> None:
    app = Rows(100_000)
    async with app.run_test(size=(30, 10)) as pilot:
        await pilot.press(*keys)
        await pilot.pause()
        assert app.rows.cursor == cursor
        assert any(line.startswith(f"row {cursor} \u6f22 [b]") for line in screen_lines(app))
        assert app.moved[-1:] == ([cursor] if cursor or len(keys) > 1 else [])


async def test_only_rows_in_sight_are_drawn() -> None:
    app = Rows(100_000)
    async with app.run_test(size=(30, 10)) as pilot:
        await pilot.press("end")
        await pilot.pause()
        assert len(app.drawn) <= 20


async def test_a_click_moves_the_cursor() -> None:
    app = Rows(100)
    async with app.run_test(size=(30, 10)) as pilot:
        await pilot.press("pagedown", "pagedown")
        await pilot.click("#rows", offset=(3, 2))
        assert app.rows.cursor == app.rows.scroll_offset.y + 2


@pytest.mark.parametrize("count", [0, 1])
async def test_without_rows_to_go_to_keys_do_nothing(count: int) -> None:
    app = Rows(count)
    async with app.run_test(size=(30, 10)) as pilot:
        await pilot.press("down", "end", "pageup", "up")
        assert app.rows.cursor == 0
        assert not app.moved


async def test_a_new_set_of_rows_keeps_a_cursor_that_is_still_there() -> None:
    app = Rows(100)
    async with app.run_test(size=(30, 10)) as pilot:
        app.rows.set_rows(50, 70)
        await pilot.pause()
        assert app.rows.cursor == 49
        assert "row 49" in "\n".join(screen_lines(app))


class Lines(App[None]):
    def __init__(self, strips: list[Strip]) -> None:
        super().__init__()
        self.page, self.strips = Page(), strips

    def compose(self) -> ComposeResult:
        yield self.page

    def on_mount(self) -> None:
        self.page.focus()
        self.page.set_lines(self.strips)


async def test_a_page_is_scrolled_in_both_directions() -> None:
    text = "\n".join(f"{place:03} {'0123456789' * 5} end" for place in range(100))
    app = Lines(draw_lines(Text(text), 60, ascii=False))
    async with app.run_test(size=(30, 10)) as pilot:
        assert screen_lines(app)[0].startswith("000 0123")
        await pilot.press("end")
        await pilot.pause()
        assert any(line.startswith("099") for line in screen_lines(app))
        await pilot.press("home", *["right"] * 40)
        await pilot.pause()
        assert "end" in screen_lines(app)[0]


async def test_other_lines_begin_at_the_top_unless_they_are_the_same_page() -> None:
    strips = draw_lines(Text("\n".join(f"line {place}" for place in range(100))), 30, ascii=False)
    app = Lines(strips)
    async with app.run_test(size=(30, 10)) as pilot:
        await pilot.press("pagedown")
        await pilot.pause()
        scrolled = screen_lines(app)[0]
        app.page.set_lines(strips, from_top=False)
        await pilot.pause()
        assert screen_lines(app)[0] == scrolled
        app.page.set_lines(strips)
        await pilot.pause()
        assert screen_lines(app)[0].startswith("line 0")


def test_ascii_lines_have_no_signs_of_this_program_and_the_same_width() -> None:
    page = Text("\u2713 good \u2192 \u2717 bad \u2026 \u00b7 1\u20132 \u2248 3")
    (plain,), (ascii_line,) = (draw_lines(page, 60, ascii=wanted) for wanted in (False, True))
    assert ascii_line.text == "+ good > x bad ~ | 1-2 ~ 3"
    assert ascii_line.cell_length == plain.cell_length
