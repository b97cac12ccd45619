"""One field of the matrix: the seeds of one model on one task, as a sign and a number."""

from __future__ import annotations

from enum import StrEnum
from statistics import fmean
from typing import NamedTuple

from nlu_arena.ledger.rows import CellState, Tile
from nlu_arena.views.figures import format_bytes, format_percent, format_short_seconds
from nlu_arena.views.text import clean

GLYPHS: dict[CellState, tuple[str, str]] = {
    "done": ("✓", "+"),
    "running": ("▸", ">"),
    "failed": ("✗", "x"),
    "waiting": ("·", "."),
    "interrupted": ("‖", "="),
}
# Which state says most about a field of several seeds.
TELLING: tuple[CellState, ...] = ("running", "failed", "interrupted", "waiting", "done")


class Value(StrEnum):
    """What the fields of a matrix show, in the order of the key that changes it."""

    ACCURACY = "accuracy"
    DIFFERENCE = "difference"
    SECONDS = "seconds"
    MEMORY = "memory"
    STATE = "state"

    @property
    def next(self) -> Value:
        """Return the one that follows."""
        values = list(Value)
        return values[(values.index(self) + 1) % len(values)]


class Field(NamedTuple):
    """What stands where a row and a column meet: a tile for each seed, none where nothing is planned.

    `queue` is how many experiments come before and with the first that waits; `baseline` is the mean accuracy
    of the model that others are compared with on this task.
    """

    tiles: tuple[Tile, ...]
    queue: int | None = None
    baseline: float | None = None

    @property
    def state(self) -> CellState | None:
        """Return the one state that says most, None for an empty field."""
        states = {tile.state for tile in self.tiles}
        return next((state for state in TELLING if state in states), None)

    @property
    def done(self) -> list[Tile]:
        """Return the seeds that are done."""
        return [tile for tile in self.tiles if tile.state == "done"]

    @property
    def accuracy(self) -> float | None:
        """Return the mean accuracy of the seeds that are done, a share."""
        found = [tile.accuracy for tile in self.done if tile.accuracy is not None]
        return fmean(found) if found else None

    @property
    def difference(self) -> float | None:
        """Return how much better than the baseline the field is, a share."""
        accuracy = self.accuracy
        return None if accuracy is None or self.baseline is None else accuracy - self.baseline

    @property
    def seconds(self) -> float | None:
        """Return the mean time of the seeds that are done."""
        found = [tile.seconds for tile in self.done if tile.seconds is not None]
        return fmean(found) if found else None

    @property
    def peak_bytes(self) -> int | None:
        """Return the highest peak of memory of any seed so far."""
        return max((tile.peak_bytes for tile in self.tiles if tile.peak_bytes is not None), default=None)

    @property
    def alarms(self) -> tuple[str, ...]:
        """Return the names of the alarms of any seed."""
        return tuple(dict.fromkeys(name for tile in self.tiles for name in tile.alarms))

    @property
    def share(self) -> float | None:
        """Return how far the phase of the seed that runs is, from 0 to 1; None without a total."""
        return next((t.done / t.total for t in self.tiles if t.state == "running" and t.total), None)


def glyph_of(state: CellState, ascii: bool = False) -> str:
    """Return the sign of a state, one column wide."""
    return GLYPHS[state][ascii]


def field_text(field: Field, value: Value, width: int, ascii: bool = False) -> str:
    """Return a field as its sign and its number, in at most a width where that is 8 or more.

    A mean of some of several seeds has "2/3" behind it where there is room, one with an alarm an exclamation
    mark.
    """
    state = field.state
    if state is None:
        return "-"
    glyph = glyph_of(state, ascii)
    number = _format_value(field, value)
    done, planned = len(field.done), len(field.tiles)
    if number:
        number += "!" if field.alarms else ""
        longest = f"{number} {done}/{planned}" if done < planned else number
        texts = [longest, number]
    else:
        texts = _describe_state(field, state, value)
    fitting = (f"{glyph} {text}" for text in texts if len(text) + 2 <= width)
    return next(fitting, glyph)


def _format_value(field: Field, value: Value) -> str:
    """Return the number that a field shows, empty where there is none yet."""
    if value is Value.MEMORY:
        return (
            ""
            if field.peak_bytes is None
            else format_bytes(field.peak_bytes).replace("iB", "").replace(" ", "")
        )
    if value is Value.SECONDS:
        return "" if field.seconds is None else format_short_seconds(field.seconds).replace(" ", "")
    if value is Value.ACCURACY:
        return "" if field.accuracy is None else format_percent(field.accuracy)
    if value is Value.DIFFERENCE and field.accuracy is not None:
        # Without the sign of a rounded zero.
        return "?" if field.difference is None else f"{round(100 * field.difference, 1) + 0.0:+.1f}"
    return ""


def _describe_state(field: Field, state: CellState, value: Value) -> list[str]:
    """Return what there is to say about a field without a number, the longest first."""
    tile = next(tile for tile in field.tiles if tile.state == state)
    if state == "running":
        phase = clean(tile.phase)
        share = [] if field.share is None else [f"{100 * field.share:.0f}%"]
        return [" ".join([phase, *share]), *share, phase] if value is Value.STATE else [*share, phase]
    if state == "failed":
        return ["OOM"] if "memory" in tile.message.lower() else [clean(tile.error), "failed"]
    if state == "waiting" and field.queue is not None:
        return [_ordinal(field.queue)]
    return ["stopped"] if state == "interrupted" else [state]


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
