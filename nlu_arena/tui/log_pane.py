"""A log that is followed until somebody scrolls away from its end."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.app import ComposeResult
from textual.widget import Widget
from textual.widgets import Static

from nlu_arena.tui.run_log import Entry
from nlu_arena.tui.scrolling import Page, draw_lines

STYLES = {"plain": "", "warning": "yellow", "error": "red"}


class LogPane(Widget):
    """The entries of a run's log, long ones on several lines, and above them whether it is followed."""

    DEFAULT_CSS = """
    LogPane { layout: vertical; height: 1fr; min-height: 2; }
    LogPane > Static { height: 1; color: $text-muted; padding: 0 0 0 1; }
    LogPane > Page { padding: 0 0 0 1; }
    """

    def __init__(self, *, ascii: bool) -> None:
        super().__init__()
        self.follows = True
        self._ascii = ascii
        self._head = Static(markup=False)
        self._page = Page()
        self._entries: Sequence[Entry] = ()
        # Which entries are drawn and in which width, and how many have been there while the end was in sight.
        self._drawn: tuple[Sequence[Entry], int] = ((), 0)
        self._seen = 0

    def compose(self) -> ComposeResult:
        """Lay out the line above and the entries."""
        yield self._head
        yield self._page

    def on_mount(self) -> None:
        """Notice when it is scrolled."""
        self.watch(self._page, "scroll_y", self._scrolled, init=False)

    def clear(self) -> None:
        """Begin with another log, at its end."""
        self._entries, self._seen, self._drawn, self.follows = (), 0, ((), 0), True
        self._page.set_lines([])
        self._head.update("")

    def set_entries(self, entries: Sequence[Entry]) -> None:
        """Show a log that has grown."""
        self._entries = entries
        self._draw()

    def follow(self) -> None:
        """Go to the end and stay there."""
        self.follows = True
        self._draw()

    def on_resize(self) -> None:
        """Draw for the new width, and keep the end in sight."""
        self._draw()

    def _draw(self) -> None:
        # One cell at the left, one for the scrollbar.
        width = self.size.width - 2
        if width < 1:
            return
        if (self._entries, width) != self._drawn:
            self._drawn = self._entries, width
            text = Text("\n").join(Text(entry.line, style=STYLES[entry.level]) for entry in self._entries)
            self._page.set_lines(draw_lines(text, width, ascii=self._ascii), from_top=False)
        if self.follows:
            # The end is where the layout puts it.
            self.call_after_refresh(self._go_to_end)
        self._say()

    def _go_to_end(self) -> None:
        if self.follows:
            self._page.scroll_to(y=self._page.max_scroll_y, animate=False, force=True)

    def _scrolled(self) -> None:
        self.follows = self._page.scroll_offset.y >= self._page.max_scroll_y
        self._say()

    def _say(self) -> None:
        if self.follows:
            self._seen = len(self._entries)
        new = len(self._entries) - self._seen
        paused = f"log (paused, f follows{f', {new} new' if new else ''})"
        self._head.update("log (following)" if self.follows else paused)
