"""The memory view: what the sweep's own sampler has recorded of GPUs and host, never a reading of our own."""

from __future__ import annotations

import time

from rich.text import Text
from textual.app import ComposeResult

from nlu_arena.tui.computation import Computation
from nlu_arena.tui.feed import Frame
from nlu_arena.tui.identity import sweep_of
from nlu_arena.tui.memory_history import History, read_history
from nlu_arena.tui.memory_page import draw_memory
from nlu_arena.tui.scrolling import Page, draw_lines
from nlu_arena.tui.view import View

# The sampler writes a row a second.
SECONDS_BETWEEN_READS = 1.0


class MemoryView(View):
    """Shows the last ten minutes, and each run's peak; all of it is scrolled as one page."""

    DEFAULT_CSS = """
    MemoryView > Page { padding: 0 0 0 1; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.history: History | None = None
        self._frame: Frame | None = None
        self._reading = Computation[int, History | None](
            self, self._read, show=self._take, fail=self._fail, wait=lambda: None
        )
        # What was read of the ledger is asked for by a number that grows.
        self._wish = 0
        self._asked_at = 0.0
        self._will_ask = False

    def compose(self) -> ComposeResult:
        """Lay out the page."""
        yield Page(id="memory-page")

    def show(self, frame: Frame) -> None:
        """Show the newest readings of a sweep, now or as soon as the last ones are old enough."""
        if self._frame is None or sweep_of(frame) != sweep_of(self._frame):
            self.history, self._asked_at = None, 0.0
            self.query_one(Page).set_lines([])
        self._frame = frame
        wait = self._asked_at + SECONDS_BETWEEN_READS - time.monotonic()
        if wait > 0 and not self._will_ask:
            self._will_ask = True
            self.set_timer(wait, self._ask)
        elif wait <= 0:
            self._ask()

    def _ask(self) -> None:
        self._will_ask, self._asked_at = False, time.monotonic()
        self._wish += 1
        self._reading.want(self._wish)

    def _read(self, _wish: int) -> History | None:
        frame, known = self._frame, self.history
        if frame is None or frame.sweep is None or frame.last_write is None:
            return None
        runs = {run.run_id: run for run in known.runs} if known else {}
        with self.arena.reader() as reader:
            return read_history(reader, frame.sweep.id, frame.tiles, frame.last_write, runs)

    def _take(self, _wish: int, history: History | None) -> None:
        # Another sweep, or another ledger, may have come meanwhile.
        if self._frame is not None and history is not None and history.sweep == sweep_of(self._frame):
            self.history = history
            self._draw()

    def _fail(self, _error: Exception) -> None:
        """Keep what is shown: the line above the views says what is wrong with the ledger."""

    def on_resize(self) -> None:
        """Draw for the new size."""
        self._draw()

    def _draw(self) -> None:
        width, height = self.size
        if self.history is None or not width:
            return
        # One cell at the left, one for the scrollbar.
        room = max(20, width - 2)
        lines = draw_memory(self.history, room, height, ascii=self.arena.ascii)
        page = Text("\n", no_wrap=True).join(lines)
        self.query_one(Page).set_lines(draw_lines(page, room, ascii=self.arena.ascii), from_top=False)
