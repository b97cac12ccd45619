"""Fitting words and numbers into the columns of a terminal: names may lose their middle, numbers never."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len, chop_cells


def shorten(text: str, width: int) -> str:
    """Return a text that fills at most so many columns: what is too much is left out of its middle."""
    if cell_len(text) <= width:
        return text
    tail = (width - 1) // 2
    return f"{_begin(text, width - 1 - tail)}\u2026{_begin(text[::-1], tail)[::-1]}"


def _begin(text: str, width: int) -> str:
    """Return what of the beginning of a text fits into a width."""
    return chop_cells(text, width)[0] if width > 0 else ""


def align(text: str, width: int, *, right: bool = False) -> str:
    """Return a text filled up with spaces to a width."""
    pad = " " * (width - cell_len(text))
    return f"{pad}{text}" if right else f"{text}{pad}"


def wrap_words(text: str, width: int) -> list[str]:
    """Return a text in lines of at most so many columns, broken at spaces where there are any."""
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        joined = f"{line} {word}" if line else word
        if cell_len(joined) <= width:
            line = joined
            continue
        *full, line = [*([line] if line else []), *chop_cells(word, width)]
        lines += full
    return [*lines, line]


def fill_rows(widths: Sequence[int], room: int, gap: int) -> list[list[int]]:
    """Return which places stand in which row, so that each row is at most `room` wide."""
    rows: list[list[int]] = []
    used = 0
    for place, width in enumerate(widths):
        if not rows or used + gap + width > room:
            rows.append([])
            used = -gap
        rows[-1].append(place)
        used += gap + width
    return rows
