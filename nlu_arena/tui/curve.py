"""A training curve in the cells of a terminal: two by four braille dots a cell, or plain ASCII."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

# A step and its value.
Point = tuple[float, float]

# The weight of the past in the smoothed curve: that of about ten points (1 / (1 - 0.9)).
PAST = 0.9
# Cells for the values beside the curve, with their axis; the fewest cells that a curve can be read in.
MARGIN = 8
LEAST_WIDTH, LEAST_HEIGHT = 8, 2
# The bits of a braille cell by row and column of its dots (Unicode 16, chapter 21.1).
BRAILLE = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
# By whether the upper and the lower half of a cell have a dot.
ASCII_CELLS = {(False, False): " ", (True, False): "'", (False, True): ".", (True, True): ":"}


class Bounds(NamedTuple):
    """The ends of what a curve shows; values are logarithms where the scale is logarithmic."""

    left: float
    right: float
    low: float
    high: float


def smooth(points: Sequence[Point]) -> list[Point]:
    """Return an exponential moving average of the values.

    The start is corrected for the average's zero beginning (Kingma and Ba 2015, section 3).
    """
    averaged, mean, weight = [], 0.0, 0.0
    for step, value in points:
        mean = PAST * mean + (1 - PAST) * value
        weight = PAST * weight + (1 - PAST)
        averaged.append((step, mean / weight))
    return averaged


def thin(points: Sequence[Point], most: int) -> list[Point]:
    """Return at most about `most` points that look the same: of each stretch its lowest and its highest."""
    if len(points) <= most:
        return list(points)
    size = math.ceil(2 * len(points) / most)
    kept: list[Point] = []
    for begin in range(0, len(points), size):
        stretch = points[begin : begin + size]
        ends = {min(stretch, key=lambda point: point[1]), max(stretch, key=lambda point: point[1])}
        kept += sorted(ends)
    return kept


def draw_curve(
    points: Sequence[Point],
    width: int,
    height: int,
    *,
    log_y: bool = False,
    ascii: bool = False,
    right: float | None = None,
) -> list[str]:
    """Return a curve with its axes, `height` lines of exactly `width` cells; the last has the steps.

    Values that are not finite are left out, on a logarithmic scale also those that are not above zero.

    Args:
        points: In the order of their steps.
        width: Cells of a line.
        height: How many lines.
        log_y: Whether the values' scale is logarithmic.
        ascii: Whether to use ASCII only.
        right: The step at the right end, where that is after the last point.

    Returns:
        No lines where there is no room; one line that says so where there is nothing to show.
    """
    if width < MARGIN + LEAST_WIDTH or height < LEAST_HEIGHT + 1:
        return []
    shown = [(x, math.log10(y) if log_y else y) for x, y in points if _can_show(x, y, log_y)]
    if not shown:
        return [("no value above 0" if points else "no points yet")[:width].ljust(width)]
    bounds = _find_bounds(shown, right)
    columns, rows = width - MARGIN, height - 1
    across, down = (1, 2) if ascii else (2, 4)
    dots = _trace(shown, bounds, columns * across, rows * down)
    lines = _to_ascii(dots, columns, rows) if ascii else _to_braille(dots, columns, rows)
    return [*_add_values(lines, bounds, log_y, ascii), _steps_line(bounds, columns)]


def format_value(value: float) -> str:
    """Return a number with at most three digits that count, in at most seven signs."""
    usual = ".0f" if 100 <= abs(value) < 1e6 else ".3g" if abs(value) >= 0.001 or value == 0 else ".0e"
    texts = [format(value, form) for form in (usual, ".2g", ".0e")]
    return next((text for text in texts if len(text) < MARGIN), texts[-1])


def _can_show(x: float, y: float, log_y: bool) -> bool:
    return math.isfinite(x) and math.isfinite(y) and (y > 0 or not log_y)


def _find_bounds(points: Sequence[Point], right: float | None) -> Bounds:
    values = [value for _, value in points]
    left, last = points[0][0], points[-1][0]
    return Bounds(left, max(last, right or last), min(values), max(values))


def _trace(points: Sequence[Point], bounds: Bounds, columns: int, rows: int) -> list[tuple[int, int] | None]:
    """Return for each column of dots the first and the last row, from the top, that the curve touches there.

    Neighbouring points are joined by straight lines.
    """
    wide = (columns - 1) / ((bounds.right - bounds.left) or 1.0)
    is_flat = bounds.high == bounds.low
    tall = 1.0 if is_flat else (rows - 1) / (bounds.high - bounds.low)
    # One value throughout runs through the middle.
    base = bounds.high + (rows - 1) / 2 if is_flat else bounds.high
    dots: list[tuple[int, int] | None] = [None] * columns

    def mark(column: int, y: float) -> None:
        row = min(rows - 1, max(0, round(y)))
        known = dots[column]
        dots[column] = (min(known[0], row), max(known[1], row)) if known else (row, row)

    before: tuple[int, float] | None = None
    for step, value in points:
        column, y = round((step - bounds.left) * wide), (base - value) * tall
        if before is not None and column > before[0]:
            slope = (y - before[1]) / (column - before[0])
            for between in range(before[0], column):
                # Up to the middle between two columns, so that the line has no gaps where it is steep.
                start = before[1] + slope * (between - before[0])
                mark(between, start + slope / 2)
                mark(between + 1, start + slope / 2)
        mark(column, y)
        before = column, y
    return dots


def _to_braille(dots: Sequence[tuple[int, int] | None], columns: int, rows: int) -> list[str]:
    cells = [[0] * columns for _ in range(rows)]
    for place, span in enumerate(dots):
        if span is not None:
            for row in range(span[0], span[1] + 1):
                cells[row // 4][place // 2] |= BRAILLE[row % 4][place % 2]
    return ["".join(chr(0x2800 + cell) if cell else " " for cell in line) for line in cells]


def _to_ascii(dots: Sequence[tuple[int, int] | None], columns: int, rows: int) -> list[str]:
    def has(column: int, row: int) -> bool:
        span = dots[column]
        return span is not None and span[0] <= row <= span[1]

    return [
        "".join(ASCII_CELLS[has(column, 2 * row), has(column, 2 * row + 1)] for column in range(columns))
        for row in range(rows)
    ]


def _add_values(lines: Sequence[str], bounds: Bounds, log_y: bool, ascii: bool) -> list[str]:
    """Put the highest and the lowest value beside the first and the last line."""
    tick, axis = ("+", "|") if ascii else ("┤", "│")
    high, low = (10**value if log_y else value for value in (bounds.high, bounds.low))
    named = {0: format_value(high)}
    if bounds.high > bounds.low:
        named[len(lines) - 1] = format_value(low)
    return [
        f"{named.get(place, ''):>{MARGIN - 1}}{tick if place in named else axis}{line}"
        for place, line in enumerate(lines)
    ]


def _steps_line(bounds: Bounds, columns: int) -> str:
    left, right = f"{bounds.left:.0f}", f"{bounds.right:.0f}"
    if right == left:
        right = ""
    return " " * MARGIN + (left + right.rjust(columns - len(left)))[:columns].ljust(columns)
