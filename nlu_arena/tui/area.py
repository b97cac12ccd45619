"""Values over time as columns that are filled from below, in eighths of a cell, or plain ASCII."""

from __future__ import annotations

from collections.abc import Collection, Sequence

BLOCKS = " ▁▂▃▄▅▆▇█"
ASCII_BLOCKS = " .:#"
MARK, ASCII_MARK = "┊", "|"


def draw_area(
    values: Sequence[float | None],
    top: float,
    rows: int,
    *,
    marks: Collection[int] = (),
    ascii: bool = False,
) -> list[str]:
    """Return rows of as many cells as values.

    A value above zero is never drawn as nothing; one that is missing is.

    Args:
        values: From zero up to `top`, None where there is none.
        top: What fills all rows.
        rows: How many.
        marks: The columns that have a line where they are empty.
        ascii: Whether to use ASCII only.
    """
    blocks, mark = (ASCII_BLOCKS, ASCII_MARK) if ascii else (BLOCKS, MARK)
    steps = len(blocks) - 1
    levels = [_level(value, top, rows * steps) for value in values]
    lines = []
    for row in range(rows):
        floor = (rows - 1 - row) * steps
        cells = [blocks[min(steps, max(0, level - floor))] for level in levels]
        lines.append("".join(mark if c == " " and place in marks else c for place, c in enumerate(cells)))
    return lines


def draw_bar(share: float, width: int) -> str:
    """Return a bar of so many cells with its two ends, a share from 0 to 1 of it full."""
    inside = max(1, width - 2)
    filled = min(inside, max(0, round(share * inside)))
    return f"▕{'█' * filled}{'░' * (inside - filled)}▏"


def _level(value: float | None, top: float, steps: int) -> int:
    if value is None or value <= 0 or top <= 0:
        return 0
    return min(steps, max(1, round(value / top * steps)))
