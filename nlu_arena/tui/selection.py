"""What the selected experiment is doing, in two lines below the matrix."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple, cast

from rich.cells import cell_len
from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.containers import Vertical

from nlu_arena.errors import ArenaError
from nlu_arena.ledger.rows import PhaseRow, Tile
from nlu_arena.tui.field import Field, glyph_of
from nlu_arena.tui.fitting import cut_middle
from nlu_arena.tui.identity import course_of
from nlu_arena.tui.line import Line
from nlu_arena.tui.timeline import draw_timeline, spans_of
from nlu_arena.views.figures import format_bytes, format_percent, format_short_seconds
from nlu_arena.views.names import sign_alarm
from nlu_arena.views.text import clean

if TYPE_CHECKING:
    from nlu_arena.tui.app import ArenaApp

PADDING = 2
MORE = " …"
LEAST_NAME = 20


class Record(NamedTuple):
    """The phases of a run that have ended, and when it began; read at a certain point of its course."""

    course: tuple[object, ...]
    phases: list[PhaseRow]
    since: str | None


class Selection(Vertical):
    """Names the experiment with its numbers; below its timeline, why it failed, or its place in the queue."""

    DEFAULT_CSS = "Selection { height: 2; background: $surface; }"

    def __init__(self) -> None:
        super().__init__(id="selection")
        self._naming = Line("selection-name")
        self._course = Line("selection-course")
        self._tile: Tile | None = None
        self._field = Field(())
        self._record: Record | None = None

    def compose(self) -> ComposeResult:
        """Lay out the two lines."""
        yield self._naming
        yield self._course

    def show(self, field: Field, tile: Tile | None) -> None:
        """Show one experiment of a field, or that there is none."""
        self._tile, self._field = tile, field
        self._say()
        known = self._record.course if self._record is not None else None
        if tile is not None and tile.run_id is not None and known != course_of(tile):
            self._read(tile)

    def on_resize(self) -> None:
        """Fill the new width."""
        self._say()

    def _say(self) -> None:
        tile, width = self._tile, self.size.width - PADDING
        if tile is None:
            self._naming.say(Text("nothing is planned here", style="dim"))
        else:
            self._naming.say(describe_tile(tile, self._field, width))
        self._say_course()

    def _say_course(self) -> None:
        tile = self._tile
        width = self.size.width - PADDING
        if tile is None:
            self._course.say(Text())
        elif tile.state == "failed":
            self._course.say(Text(clean(tile.message) or clean(tile.error), style="red"))
        elif tile.state == "waiting":
            place = (
                f"number {self._field.queue} of those that wait" if self._field.queue is not None else "waits"
            )
            self._course.say(Text(place, style="dim"))
        elif self._record is not None and _is_same_run(self._record, tile) and width > 0:
            self._course.say(Text(self._timeline(tile, self._record, width)))
        else:
            self._course.say(Text())

    def _timeline(self, tile: Tile, record: Record, width: int) -> str:
        # One that waits has no run.
        assert tile.state != "waiting"
        spans = spans_of(
            record.phases,
            state=tile.state,
            phase=tile.phase,
            done=tile.done,
            total=tile.total,
            since=record.since,
            # A run that nobody works on any more has taken no time since its last word.
            until=time.time()
            if tile.state == "running"
            else datetime.fromisoformat(tile.updated_at).timestamp(),
        )
        return draw_timeline(spans, width)

    @work(thread=True, exclusive=True, exit_on_error=False, group="selection")
    def _read(self, tile: Tile) -> None:
        app = cast("ArenaApp", self.app)
        assert tile.run_id is not None
        try:
            with app.reader() as reader:
                run = reader.run(tile.run_id)
                record = Record(course_of(tile), reader.phases(tile.run_id), run.started_at)
        except ArenaError:
            # The banner says what is wrong with the ledger.
            return
        app.call_from_thread(self._take, record)

    def _take(self, record: Record) -> None:
        # The cursor may have moved on: a slow answer must not replace that of the run it is on.
        if self._tile is not None and _is_same_run(record, self._tile):
            self._record = record
            self._say_course()


def _is_same_run(record: Record, tile: Tile) -> bool:
    return record.course[:2] == course_of(tile)[:2]


def describe_tile(tile: Tile, field: Field, width: int) -> Text:
    """Return an experiment's name and numbers as a line of at most so many cells, 40 or more.

    A long name is cut before the first number goes; no number is cut.
    """
    text = Text(f"{glyph_of(tile.state)} ")
    parts = list(_describe(tile, field))
    # Behind a part that is not the last there must be room for the sign of what is left out.
    needs = [
        len("  ") + cell_len(part) + (len(MORE) if place < len(parts) else 0)
        for place, (part, _) in enumerate(parts, start=1)
    ]
    name = "/".join(map(clean, (tile.model, tile.task, tile.mode)))
    room = width - text.cell_len - (needs[0] if needs else 0)
    text.append(cut_middle(name, max(LEAST_NAME, room)), style="bold")
    for (part, style), need in zip(parts, needs, strict=True):
        if text.cell_len + need > width:
            return text.append(MORE, style="dim")
        text.append(f"  {part}", style=style)
    return text


def _describe(tile: Tile, field: Field) -> Iterator[tuple[str, str]]:
    """Yield what there is to say, with its style; the first are the last that a narrow screen drops."""
    if tile.accuracy is not None:
        majority = f" (majority {format_percent(tile.majority)})" if tile.majority is not None else ""
        yield f"accuracy {format_percent(tile.accuracy)} %{majority}", ""
    if tile.state == "running":
        progress = f" {tile.done:,}/{tile.total:,}" if tile.total else ""
        yield f"{clean(tile.phase) or 'starting'}{progress}", "cyan"
    for name in tile.alarms:
        yield sign_alarm(name), "yellow"
    if len(field.tiles) > 1:
        yield f"seed {tile.seed} (one of {len(field.tiles)})", ""
    if tile.seconds:
        yield format_short_seconds(tile.seconds), ""
    if tile.peak_bytes is not None:
        yield f"peak {format_bytes(tile.peak_bytes)}", ""
    if tile.variant:
        yield clean(tile.variant), "dim"
