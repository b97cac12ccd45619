"""With the matrix of a wide screen: the facts of the selected run and its loss, where there is room."""

from __future__ import annotations

import time
from contextlib import suppress
from itertools import zip_longest
from typing import TYPE_CHECKING, cast

from rich.text import Text
from textual import work
from textual.geometry import Size
from textual.widget import Widget

from nlu_arena.errors import ArenaError
from nlu_arena.ledger.rows import Tile
from nlu_arena.tui.curve import draw_curve
from nlu_arena.tui.fitting import cut_middle
from nlu_arena.tui.identity import course_of
from nlu_arena.tui.run_details import Details, read_details
from nlu_arena.tui.run_facts import list_facts
from nlu_arena.views.text import clean

if TYPE_CHECKING:
    from nlu_arena.tui.app import ArenaApp

NAMES = 20
GAP = 2
CURVE_ROWS = 9
# A screen that is wide enough for the panel at all; what the panel takes beside the matrix, or below it.
WIDE = 120
LEAST_COLUMNS, MOST_COLUMNS = 40, 60
LEAST_ROWS, MOST_ROWS = 10, 18
# A run under way is read again this often: its facts do not change faster than one reads.
SECONDS_BETWEEN_READS = 1.0


class Side(Widget):
    """Reads the selected run in a thread while it is seen."""

    DEFAULT_CSS = "Side { display: none; padding: 0 1; background: $surface; }"

    def __init__(self) -> None:
        super().__init__(id="side")
        self._details: Details | None = None
        self._wanted: Tile | None = None
        self._read_at = 0.0
        self._is_reading = False

    def settle(self, room: Size, matrix: Size) -> bool:
        """Take what a matrix leaves of the room for both, and say whether that is below it.

        Numbers come first: beside a matrix that is cut off at the right there is no panel.
        """
        columns, rows = room.width - matrix.width, room.height - matrix.height
        is_beside = columns >= LEAST_COLUMNS
        self.display = room.width >= WIDE and (is_beside or rows >= LEAST_ROWS)
        self.styles.width = min(columns, MOST_COLUMNS) if is_beside else "1fr"
        self.styles.height = "1fr" if is_beside else min(rows, MOST_ROWS)
        return self.display and not is_beside

    def show(self, tile: Tile | None) -> None:
        """Show the run of an experiment; without one nothing."""
        before, self._wanted = self._wanted, tile
        if self._details is not None and (tile is None or not _is_of(self._details, tile)):
            self._details = None
            self.refresh()
        if self._is_reading or tile is None or tile.run_id is None or not self.display:
            return
        is_new = before is None or course_of(before) != course_of(tile)
        is_due = tile.state == "running" and time.monotonic() - self._read_at > SECONDS_BETWEEN_READS
        if is_new or is_due or self._details is None:
            self._is_reading = True
            self._read(tile.run_id, self._details)

    def on_show(self) -> None:
        """Read what was not read while nobody saw it."""
        self.show(self._wanted)

    def render(self) -> Text:
        """Return what is known of the run: the loss below the facts, or beside them where it is wide."""
        if self._details is None:
            return Text()
        width, rows = self.size.width, self.size.height
        if not self._details.loss.points:
            lines = self._facts(width)
        elif width >= 2 * LEAST_COLUMNS:
            left = min(MOST_COLUMNS, width // 2)
            lines = [Text.assemble(fact, " " * (left - fact.cell_len)) for fact in self._facts(left - GAP)]
            curve = self._curve(width - left, rows - 1)
            pairs = zip_longest(lines, curve, fillvalue=Text(" " * left))
            lines = [Text.assemble(fact, drawn) for fact, drawn in list(pairs)[:rows]]
        elif rows >= 2 * CURVE_ROWS:
            lines = [*self._facts(width)[: rows - CURVE_ROWS - 2], Text(), *self._curve(width, CURVE_ROWS)]
        else:
            lines = self._facts(width)
        return Text("\n").join(lines[:rows])

    def _facts(self, width: int) -> list[Text]:
        assert self._details is not None
        return [
            Text.assemble(
                (f"{fact.name:<{NAMES}}", "dim"),
                (cut_middle(clean(fact.value), width - NAMES), "yellow" if fact.is_warning else ""),
            )
            for fact in list_facts(self._details)
        ]

    def _curve(self, width: int, rows: int) -> list[Text]:
        assert self._details is not None
        ascii, right = cast("ArenaApp", self.app).ascii, self._details.right
        curve = draw_curve(self._details.loss.points, width, rows, ascii=ascii, right=right)
        return [Text("loss", style="dim"), *map(Text, curve)]

    @work(thread=True, exit_on_error=False, group="side")
    def _read(self, run_id: int, before: Details | None) -> None:
        app = cast("ArenaApp", self.app)
        details = None
        try:
            # The banner says what is wrong with the ledger.
            with suppress(ArenaError), app.reader() as reader:
                details = read_details(reader, run_id, app.here, before)
        finally:
            app.call_from_thread(self._take, details)

    def _take(self, details: Details | None) -> None:
        self._is_reading, self._read_at = False, time.monotonic()
        wanted = self._wanted
        if details is None or wanted is None:
            return
        if _is_of(details, wanted):
            self._details = details
            self.refresh()
        else:
            # The cursor has moved on meanwhile.
            self._wanted = None
            self.show(wanted)


def _is_of(details: Details, tile: Tile) -> bool:
    return (details.run.run_id, details.run.key) == (tile.run_id, tile.key)
