"""Lines that are scrolled: a page of them, and a list with a cursor that draws only the rows in sight."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.console import Console, RenderableType
from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

# One cell for one cell, so that columns stay where they are.
ASCII_SIGNS = str.maketrans("✓✗←→…·\u2013≈", "+x<>~|-~")
# A cursor must be seen without colours, and where the focus is.
CURSOR = Style(reverse=True)
RESTING_CURSOR = Style(bold=True, underline=True)


def draw_lines(page: RenderableType, width: int, *, ascii: bool) -> list[Strip]:
    """Return what something renders in a width, line by line; with `ascii` without this program's signs."""
    console = Console(file=io.StringIO(), width=width, markup=False, highlight=False, emoji=False)
    strips = [Strip(line) for line in console.render_lines(page, pad=False)]
    if ascii:
        strips = [strip_signs(strip) for strip in strips]
    for strip in strips:
        # Measured once and kept: thousands of lines take too long for the event loop.
        _ = strip.cell_length
    return strips


def strip_signs(strip: Strip) -> Strip:
    """Return a line in which the signs of this program are ASCII characters."""
    return Strip([segment._replace(text=segment.text.translate(ASCII_SIGNS)) for segment in strip])


class Page(ScrollView, can_focus=True):
    """Lines that are made once and scrolled in both directions."""

    DEFAULT_CSS = "Page { width: 1fr; height: 1fr; scrollbar-size: 1 1; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll_up", "Up", show=False, id="page.up", tooltip="One line up"),
        Binding("down,j", "scroll_down", "Down", show=False, id="page.down", tooltip="One line down"),
        Binding("left,h", "scroll_left", "Left", show=False, id="page.left", tooltip="To the left"),
        Binding("right,l", "scroll_right", "Right", show=False, id="page.right", tooltip="To the right"),
        Binding("home", "scroll_home", "Top", show=False, id="page.home", tooltip="To the first line"),
        Binding("end", "scroll_end", "End", show=False, id="page.end", tooltip="To the last line"),
        Binding("pageup", "page_up", "Back", show=False, id="page.back", tooltip="A page up"),
        Binding("pagedown", "page_down", "On", show=False, id="page.on", tooltip="A page down"),
    ]

    _strips: Sequence[Strip] = ()

    def set_lines(self, strips: Sequence[Strip], *, from_top: bool = True) -> None:
        """Show other lines, where one has scrolled to or from the top."""
        self._strips = strips
        widest = max((strip.cell_length for strip in strips), default=0)
        self.virtual_size = Size(widest, len(strips))
        if from_top:
            self.scroll_to(0, 0, animate=False)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Return a line of what is in sight."""
        left, top = self.scroll_offset
        width, style = self.scrollable_content_region.width, self.rich_style
        if top + y >= len(self._strips):
            return Strip.blank(width, style)
        return self._strips[top + y].crop_extend(left, left + width, style).apply_style(style)


class RowList(ScrollView, can_focus=True):
    """Rows of one line with a cursor; a row is drawn when it comes into sight."""

    DEFAULT_CSS = "RowList { width: 1fr; height: 1fr; scrollbar-size: 1 1; overflow-x: hidden; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False, id="rows.up", tooltip="The row above"),
        Binding("down,j", "move(1)", "Down", show=False, id="rows.down", tooltip="The row below"),
        Binding("home", "jump(0)", "Top", show=False, id="rows.home", tooltip="The first row"),
        Binding("end", "jump(-1)", "End", show=False, id="rows.end", tooltip="The last row"),
        Binding("pageup", "turn(-1)", "Back", show=False, id="rows.back", tooltip="A page up"),
        Binding("pagedown", "turn(1)", "On", show=False, id="rows.on", tooltip="A page down"),
    ]

    class Moved(Message):
        """The cursor is on another row."""

        def __init__(self, rows: RowList) -> None:
            super().__init__()
            self.rows = rows

        @property
        def control(self) -> RowList:
            """Return the list, for handlers of one list only."""
            return self.rows

    cursor = 0
    _count = 0

    def __init__(self, draw_row: Callable[[int, int], Text], *, id: str) -> None:
        """Prepare an empty list.

        Args:
            draw_row: Gives the text of a row for a width in cells.
            id: The name of the widget.
        """
        super().__init__(id=id)
        self._draw_row = draw_row

    def set_rows(self, count: int, cursor: int = 0) -> None:
        """Show other rows, the cursor on one of them."""
        self._count = count
        self.virtual_size = Size(0, count)
        self.cursor = max(0, min(cursor, count - 1))
        self._keep_in_sight()
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Return a line of what is in sight."""
        place, width = self.scroll_offset.y + y, self.scrollable_content_region.width
        if place >= self._count or width < 1:
            return Strip.blank(width, self.rich_style)
        strip = Strip(self._draw_row(place, width).render(self.app.console))
        if self.screen.has_class("-ascii"):
            strip = strip_signs(strip)
        strip = strip.crop_extend(0, width, self.rich_style).apply_style(self.rich_style)
        if place == self.cursor:
            strip = Strip(
                [s._replace(style=(s.style or Style()) + self._cursor_style()) for s in strip], width
            )
        return strip

    def action_move(self, rows: int) -> None:
        """Move the cursor by some rows."""
        self._go(self.cursor + rows)

    def action_jump(self, row: int) -> None:
        """Move the cursor to a row, from the end where it is negative."""
        self._go(row if row >= 0 else self._count + row)

    def action_turn(self, pages: int) -> None:
        """Move the cursor by some pages."""
        self._go(self.cursor + pages * max(1, self.size.height - 1))

    def on_click(self, event: events.Click) -> None:
        """Move the cursor to where the mouse is."""
        self._go(self.scroll_offset.y + event.y)

    def on_focus(self) -> None:
        """Show that the keys are here now."""
        self.refresh()

    def on_blur(self) -> None:
        """Show that the keys are elsewhere now."""
        self.refresh()

    def on_resize(self) -> None:
        """Keep the cursor in sight."""
        self._keep_in_sight()

    def _cursor_style(self) -> Style:
        return CURSOR if self.has_focus else RESTING_CURSOR

    def _go(self, row: int) -> None:
        row = max(0, min(row, self._count - 1))
        if row != self.cursor:
            self.cursor = row
            self._keep_in_sight()
            self.refresh()
            self.post_message(self.Moved(self))

    def _keep_in_sight(self) -> None:
        top, height = self.scroll_offset.y, self.scrollable_content_region.height
        if height > 0 and not top <= self.cursor < top + height:
            wanted = self.cursor if self.cursor < top else self.cursor - height + 1
            self.scroll_to(y=wanted, animate=False, force=True)
