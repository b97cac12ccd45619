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
STATES = {"done": ("done", "green"), "failed": ("failed", "red"), "interrupted": ("stopped", "yellow")}

Part = tuple[str, str]


class Header(Widget):
    """One line, repainted only when it says something else."""

    DEFAULT_CSS = "Header { height: 1; dock: top; background: $panel; padding: 0 1; }"

    def __init__(self, ledger: Path) -> None:
        super().__init__(id="header")
        self._ledger = clean(str(ledger))
        self._left: list[Part] = []
        self._right: list[Part] = []

    def show(self, frame: Frame | None, trouble: Trouble | None) -> None:
        """Say how it stands now."""
        left = [("nlu-arena", "bold"), (cut_middle(self._ledger, PATH_WIDTH), "dim")]
        right: list[Part] = []
        if frame is not None and frame.sweep is not None:
            left.append((f"sweep {frame.sweep.id} {clean(frame.sweep.name)}", ""))
            left.append(self._state(frame, trouble is not None))
            right = _progress(frame)
        if (left, right) != (self._left, self._right):
            self._left, self._right = left, right
            self.refresh()

    def render(self) -> Text:
        """Return the parts that fit; the path goes first, then the name of the program."""
        left, width = list(self._left), self.size.width
        for place in (1, 0):
            if _width(left) + _width(self._right) + 2 > width and len(left) > 2:
                del left[place]
        start, end = _join(left), _join(self._right)
        start.append(" " * max(2, width - start.cell_len - end.cell_len))
        return start.append_text(end)

    def _state(self, frame: Frame, has_trouble: bool) -> Part:
        assert frame.sweep is not None
        if has_trouble:
            return "out of sight", "yellow"
        if not frame.is_live or frame.sweep.state != "running":
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
    if totals.seconds_left is not None and frame.is_live:
        parts.append((f"{format_estimate(totals.seconds_left)} left", ""))
    return parts


def _width(parts: Sequence[Part]) -> int:
    return sum(cell_len(text) for text, _ in parts) + 2 * max(0, len(parts) - 1)


def _join(parts: Sequence[Part]) -> Text:
    return Text("  ").join(Text(text, style=style) for text, style in parts)
