"""The first line of the screen: which ledger and sweep, whether somebody writes, how far it is."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text
from textual.widget import Widget

from nlu_arena.tui.fitting import cut_middle
from nlu_arena.views.figures import format_estimate
from nlu_arena.views.text import clean

if TYPE_CHECKING:
    from nlu_arena.tui.feed import Frame, Trouble

# A sweep that loads weights writes nothing for a while; longer silence is worth a word.
SILENT_SECONDS = 15
PATH_WIDTH = 40
STATES = {
    "done": ("done", "green"),
    "failed": ("failed", "red"),
    "interrupted": ("stopped, R goes on", "yellow"),
}

GAP = 2
# Less of the name of what runs says nothing; so much of it comes before the path and the program's name.
LEAST_NAME, WANTED_NAME = 16, 36

Part = tuple[str, str]
# What runs: its name, which may be cut, and how far it is, which may not.
Running = tuple[str, str]
NOTHING: Running = ("", "")
# Until one experiment of each kind has ended.
UNKNOWN: Part = ("time left unknown", "dim")


class Header(Widget):
    """One line, repainted only when it says something else."""

    DEFAULT_CSS = "Header { height: 1; dock: top; background: $panel; padding: 0 1; }"

    def __init__(self, ledger: Path) -> None:
        super().__init__(id="header")
        self._ledger = clean(str(ledger))
        self._left: list[Part] = []
        self._right: list[Part] = []
        self._under_way = NOTHING

    def show(self, frame: Frame | None, trouble: Trouble | None) -> None:
        """Say how it stands now."""
        left = [("nlu-arena", "bold"), (cut_middle(self._ledger, PATH_WIDTH), "dim")]
        right: list[Part] = []
        running = NOTHING if trouble is not None or frame is None else _find_running(frame)
        if frame is not None and frame.sweep is not None:
            left.append((f"sweep {frame.sweep.id} {clean(frame.sweep.name)}", ""))
            left.append(self._state(frame, trouble is not None))
            right = _progress(frame)
        if (left, right, running) != (self._left, self._right, self._under_way):
            self._left, self._right, self._under_way = left, right, running
            self.refresh()

    def render(self) -> Text:
        """Return the parts that fit.

        The path goes first, then the name of the program, a time left that is unknown, and what runs.
        """
        left, right, width = list(self._left), list(self._right), self.size.width
        name, share = self._under_way
        wanted = GAP + min(cell_len(name), WANTED_NAME) + len(share) if name else 0
        for place in (1, 0):
            if _width(left) + _width(right) + GAP + wanted > width and len(left) > 2:
                del left[place]
        if UNKNOWN in right and _width(left) + _width(right) + GAP + wanted > width:
            right.remove(UNKNOWN)
        room = width - _width(left) - _width(right) - 2 * GAP - len(share)
        if name and room >= min(LEAST_NAME, cell_len(name)):
            left.append((cut_middle(name, room) + share, "cyan"))
        start, end = _join(left), _join(right)
        start.append(" " * max(GAP, width - start.cell_len - end.cell_len))
        return start.append_text(end)

    def _state(self, frame: Frame, has_trouble: bool) -> Part:
        assert frame.sweep is not None
        if has_trouble:
            return "out of sight", "yellow"
        if not frame.is_at_work:
            return STATES.get(frame.sweep.state, ("not live", "yellow"))
        silence = time.time() - frame.last_write if frame.last_write is not None else 0.0
        if silence < SILENT_SECONDS:
            return "● live", "green"
        # By steps: a number that changes each second is a repaint each second.
        return f"● live, silent {format_estimate(silence // 5 * 5)}", "yellow"


def _progress(frame: Frame) -> list[Part]:
    totals = frame.totals
    parts = [(f"{totals.failed} failed", "red")] if totals.failed else []
    parts.append((f"{totals.done}/{totals.total}", "bold"))
    if frame.is_at_work:
        left = totals.seconds_left
        parts.append(UNKNOWN if left is None else (f"{format_estimate(left)} left", ""))
    return parts


def _find_running(frame: Frame) -> Running:
    if not frame.is_at_work or not frame.running:
        return NOTHING
    tile = frame.running[0]
    share = f" {100 * tile.done // tile.total} %" if tile.total else ""
    others = f" +{len(frame.running) - 1}" if len(frame.running) > 1 else ""
    return f"▸ {clean('/'.join((tile.model, tile.task, tile.mode)))}", share + others


def _width(parts: Sequence[Part]) -> int:
    return sum(cell_len(text) for text, _ in parts) + GAP * max(0, len(parts) - 1)


def _join(parts: Sequence[Part]) -> Text:
    return Text(" " * GAP).join(Text(text, style=style) for text, style in parts)
