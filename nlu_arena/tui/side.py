"""Beside the matrix of a wide screen: the facts of the selected run, and on a tall one its loss."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, cast

from rich.text import Text
from textual import work
from textual.widget import Widget

from nlu_arena.errors import ArenaError
from nlu_arena.ledger.rows import Tile
from nlu_arena.tui.curve import draw_curve
from nlu_arena.tui.fitting import cut_middle
from nlu_arena.tui.run_details import Details, read_details
from nlu_arena.tui.run_facts import list_facts
from nlu_arena.views.text import clean

if TYPE_CHECKING:
    from nlu_arena.tui.app import ArenaApp

NAMES = 20
CURVE_ROWS = 9
# A run under way is read again this often: its facts do not change faster than one reads.
SECONDS_BETWEEN_READS = 1.0


class Side(Widget):
    """Reads the selected run in a thread; the style sheet shows it where there is room."""

    DEFAULT_CSS = """
    Side { display: none; width: 40; padding: 0 1; background: $surface; }
    """

    def __init__(self) -> None:
        super().__init__(id="side")
        self._details: Details | None = None
        self._wanted: Tile | None = None
        self._read_at = 0.0
        self._is_reading = False

    def show(self, tile: Tile | None) -> None:
        """Show the run of an experiment; without one nothing."""
        before, self._wanted = self._wanted, tile
        if self._details is not None and (tile is None or self._details.run.run_id != tile.run_id):
            self._details = None
            self.refresh()
        if self._is_reading or tile is None or tile.run_id is None or not self.display:
            return
        is_new = before is None or (before.run_id, before.state) != (tile.run_id, tile.state)
        is_due = tile.state == "running" and time.monotonic() - self._read_at > SECONDS_BETWEEN_READS
        if is_new or is_due or self._details is None:
            self._is_reading = True
            self._read(tile.run_id, self._details)

    def on_show(self) -> None:
        """Read what was not read while nobody saw it."""
        self.show(self._wanted)

    def render(self) -> Text:
        """Return what is known of the run."""
        if self._details is None:
            return Text()
        width, rows = self.size.width, self.size.height
        loss = self._details.loss
        has_curve = bool(loss.points) and rows >= 2 * CURVE_ROWS
        lines = [
            Text.assemble(
                (f"{fact.name:<{NAMES}}", "dim"),
                (cut_middle(clean(fact.value), width - NAMES), "yellow" if fact.is_warning else ""),
            )
            for fact in list_facts(self._details)
        ]
        lines = lines[: rows - CURVE_ROWS - 2 if has_curve else rows]
        if has_curve:
            lines += [Text(), Text("loss", style="dim")]
            curve = draw_curve(
                loss.points,
                width,
                CURVE_ROWS,
                ascii=cast("ArenaApp", self.app).ascii,
                right=self._details.right,
            )
            lines += map(Text, curve)
        return Text("\n").join(lines)

    @work(thread=True, exit_on_error=False, group="side")
    def _read(self, run_id: int, before: Details | None) -> None:
        app = cast("ArenaApp", self.app)
        try:
            with app.reader() as reader:
                details = read_details(reader, run_id, app.here, before)
        except ArenaError:
            # The banner says what is wrong with the ledger.
            details = None
        app.call_from_thread(self._take, details)

    def _take(self, details: Details | None) -> None:
        self._is_reading, self._read_at = False, time.monotonic()
        wanted = self._wanted
        if details is not None and wanted is not None and wanted.run_id == details.run.run_id:
            self._details = details
            self.refresh()
        elif details is not None and wanted is not None:
            # The cursor has moved on meanwhile.
            self._wanted = None
            self.show(wanted)
