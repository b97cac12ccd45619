"""The run view: one run's facts, phases, curves and log, and the command that repeats it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.timer import Timer
from textual.widgets import Static

from nlu_arena.ledger.rows import CellState, Tile
from nlu_arena.tui.computation import Computation
from nlu_arena.tui.feed import Frame
from nlu_arena.tui.log_pane import LogPane
from nlu_arena.tui.run_details import Details, read_details
from nlu_arena.tui.run_log import write_log
from nlu_arena.tui.run_page import Look, draw_page, draw_waiting
from nlu_arena.tui.view import View
from nlu_arena.views.text import clean

# A run under way is read and drawn again at most twice a second: a curve costs more than a matrix.
SECONDS_BETWEEN_READS = 0.5


class Wish(NamedTuple):
    """A run as it is to be read: that its sweep has died changes its state, and nothing in the ledger."""

    run_id: int
    updated_at: str
    state: CellState


class RunView(View):
    """Shows the selected run; it is read in a thread, and anew when the run has changed."""

    DEFAULT_CSS = """
    RunView { layout: vertical; }
    RunView > Static { height: auto; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "other_run(1)", "Next", id="run.next", tooltip="The next run of the sweep"),
        Binding("p", "other_run(-1)", "Previous", id="run.previous", tooltip="The run before it"),
        Binding("o", "log_scale", "Log-Y", id="run.log", tooltip="A logarithmic scale for the loss, or not"),
        Binding("s", "smooth", "Smooth", id="run.smooth", tooltip="Smooth the curves, or not"),
        Binding("f", "follow", "Follow", id="run.follow", tooltip="Go to the end of the log and stay there"),
        Binding("y", "copy", "Copy command", id="run.copy", tooltip="Copy the command that repeats the run"),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.details: Details | None = None
        self.look = Look()
        self._tile: Tile | None = None
        self._reading = Computation[Wish, Details](
            self, self._read, show=self._take, fail=self._fail, wait=self._say_reading
        )
        self._asked_at = 0.0
        self._timer: Timer | None = None
        self._upper = Static(markup=False)

    def compose(self) -> ComposeResult:
        """Lay out the upper part and the log."""
        self._log_pane = LogPane(ascii=self.arena.ascii)
        yield self._upper
        yield self._log_pane

    def show(self, frame: Frame) -> None:
        """Show the selected run, or the first one that says something where none is selected."""
        before, tile = self._tile, self.arena.selected or _first(frame.tiles)
        self._tile = tile
        if tile is None or before is None or (tile.key, tile.run_id) != (before.key, before.run_id):
            self._begin()
        if tile is None:
            self._upper.update(Text(" nothing is planned here"))
        elif tile.run_id is None:
            self._draw()
        else:
            self._ask()

    # ── Reading ───────────────────────────────────────────────────────────────────────────────────────

    def _begin(self) -> None:
        """Begin with another run, from the end of its log."""
        self.details, self._asked_at = None, 0.0
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        self._log_pane.clear()

    def _ask(self) -> None:
        """Have the run read now, or as soon as the last reading is old enough."""
        if self._timer is not None:
            return
        wait = self._asked_at + SECONDS_BETWEEN_READS - time.monotonic()
        if wait > 0:
            self._timer = self.set_timer(wait, self._ask_now)
        else:
            self._ask_now()

    def _ask_now(self) -> None:
        self._timer, tile = None, self._tile
        if tile is not None and tile.run_id is not None:
            self._asked_at = time.monotonic()
            self._reading.want(Wish(tile.run_id, tile.updated_at, tile.state))

    def _read(self, wish: Wish) -> Details:
        with self.arena.reader() as reader:
            return read_details(reader, wish.run_id, self.arena.here, self.details)

    def _take(self, wish: Wish, details: Details) -> None:
        """Show what was read, unless another run is shown by now."""
        if self._tile is not None and self._tile.run_id == wish.run_id:
            self.details = details
            self._draw()
            self._log_pane.set_entries(write_log(details.run, details.phases, details.lines))

    def _fail(self, error: Exception) -> None:
        """Keep what is shown: the line above the views says what is wrong with the ledger."""
        if self.details is None:
            self._upper.update(Text(f" the run cannot be read: {clean(str(error))}"))

    def _say_reading(self) -> None:
        if self.details is None:
            self._upper.update(Text(" reading the run"))

    # ── Drawing ───────────────────────────────────────────────────────────────────────────────────────

    def on_resize(self) -> None:
        """Draw everything for the new size."""
        self._draw()

    def _draw(self) -> None:
        width, height = self.size
        if self._tile is None or not width:
            return
        if self.details is not None:
            look = self.look._replace(ascii=self.arena.ascii)
            lines = draw_page(self.details, self._tile, width, height, look)
        elif self._tile.run_id is None:
            lines = draw_waiting(self._tile, self._queue(self._tile))
        else:
            return
        self._upper.update(Text("\n", no_wrap=True).join(lines))

    def _queue(self, tile: Tile) -> int:
        frame = self.arena.frame
        tiles = frame.tiles if frame else ()
        return 1 + sum(other.state == "waiting" and other.position < tile.position for other in tiles)

    # ── Keys ──────────────────────────────────────────────────────────────────────────────────────────

    def action_other_run(self, places: int) -> None:
        """Show a run further on in the sweep; those that have not begun are passed over."""
        frame = self.arena.frame
        runs = [tile for tile in frame.tiles if tile.run_id is not None] if frame else []
        if frame is None or not runs or self._tile is None:
            return
        before = [place for place, tile in enumerate(runs) if tile.position <= self._tile.position]
        here = len(before) - 1
        if places < 0 and here >= 0 and runs[here].position < self._tile.position:
            # It is itself none of them: the one before it is the nearest already.
            here += 1
        there = here + places
        if 0 <= there < len(runs):
            self.arena.select(runs[there].key)
            self.show(frame)
        else:
            self.notify("this is the last run" if places > 0 else "this is the first run", timeout=2)

    def action_log_scale(self) -> None:
        """Change between a linear and a logarithmic scale."""
        self.look = self.look._replace(log_y=not self.look.log_y)
        self._draw()

    def action_smooth(self) -> None:
        """Change between the recorded and the smoothed curves."""
        self.look = self.look._replace(smoothed=not self.look.smoothed)
        self._draw()

    def action_follow(self) -> None:
        """Go to the end of the log and stay there."""
        self._log_pane.follow()

    def action_copy(self) -> None:
        """Copy the command that repeats the run, through the terminal."""
        if self.details is None:
            self.notify("there is no run yet that could be repeated", severity="warning", timeout=3)
            return
        self.app.copy_to_clipboard(self.details.repetition.command)
        self.notify("the command is in the clipboard, if the terminal allows it", timeout=3)


def _first(tiles: Sequence[Tile]) -> Tile | None:
    """Return the run that is under way, else the first with a run, else the first."""
    begun = [tile for tile in tiles if tile.run_id is not None]
    running = [tile for tile in begun if tile.state == "running"]
    return next(iter([*running, *begun, *tiles]), None)
