"""The last step of `--ascii`: no sign beyond ASCII reaches the terminal, whoever draws it."""

from __future__ import annotations

from functools import lru_cache

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

# What the screen's own signs become; anything else is a "?" for each cell.
# ruff: noqa: RUF001
SIGNS = {
    "✓": "+", "▸": ">", "✗": "x", "·": ".", "‖": "=", "●": "*", "…": "~", "—": "-", "–": "-", "±": "~",
    "≈": "~", "Δ": "d", "−": "-", "×": "x", "→": ">", "←": "<", "↑": "^", "↓": "v", "│": "|", "┃": "|",
    "┤": "|", "├": "|", "─": "-", "━": "-", "└": "+", "┘": "+", "┌": "+", "┐": "+", "┼": "+", "█": "#",
    "▉": "#", "▊": "#", "▋": "#", "▌": "|", "▍": "|", "▎": "|", "▏": "|", "▐": "|", "▕": "|", "░": ".",
    "▒": ":", "▓": "#", "▀": "-", "▄": "_", "▁": "_", "▔": "-", "“": '"', "”": '"', "‘": "'", "’": "'",
}  # fmt: skip


class AsciiFilter(LineFilter):
    """Replaces each sign by one of ASCII that takes as many cells."""

    def apply(self, segments: list[Segment], _background: Color) -> list[Segment]:
        """Return the segments of a line in ASCII."""
        return [
            segment
            if segment.text.isascii()
            else Segment(to_ascii(segment.text), segment.style, segment.control)
            for segment in segments
        ]


@lru_cache(4096)
def to_ascii(text: str) -> str:
    """Return a text in ASCII, as wide as before."""
    return "".join(c if c.isascii() else SIGNS.get(c) or "?" * cell_len(c) for c in text)
