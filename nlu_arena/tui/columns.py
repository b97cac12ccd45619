"""Which columns of a matrix fit beside its labels, and where each of them begins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len

from nlu_arena.tui.board import Board, Group, Row
from nlu_arena.views.text import clean

# A mark, the sign and the number, with the share of the seeds that are done where there are several.
WIDTH = 10
SEEDS_WIDTH, MANY_SEEDS_WIDTH = 11, 13
WIDEST_TASK = 16
GAP = 1
# A screen of less than 80 cells, its margins taken off, shows one mode at a time.
NARROW = 78
LEAST_LABEL = 10
# What stands above the labels.
LABEL_HEAD = "model"


class Slot(NamedTuple):
    """A column on the screen: its number in the board, and its cells from `start` to `end`."""

    column: int
    start: int
    end: int


class Lineup(NamedTuple):
    """The columns that are seen, beside labels of a width."""

    label_width: int
    slots: tuple[Slot, ...]

    def slot(self, column: int) -> Slot | None:
        """Return where a column is seen, None where it is not."""
        return next((slot for slot in self.slots if slot.column == column), None)

    def at(self, x: int) -> Slot | None:
        """Return the column under a cell."""
        return next((slot for slot in self.slots if slot.start <= x < slot.end), None)


def label_of(row: Row) -> str:
    """Return what a row is called: its model, and what else there are several of."""
    parts = [clean(row.model), clean(row.quantisation), f"#{row.number + 1}" if row.number else ""]
    return " ".join(filter(None, parts))


def group_of(board: Board, column: int) -> Group:
    """Return the group of a column."""
    return next(group for group in board.groups if group.start <= column < group.start + len(group.tasks))


def whole_width(labels: Sequence[str], widths: Sequence[int]) -> int:
    """Return the cells that all labels and all columns need."""
    return _longest(labels) + _taken(widths, 0, len(widths))


def column_widths(board: Board) -> list[int]:
    """Return the width of each column, which does not depend on what its runs have done."""
    seeds = max(map(len, board.positions.values()), default=1)
    least = WIDTH if seeds == 1 else SEEDS_WIDTH if seeds < 10 else MANY_SEEDS_WIDTH
    return [max(least, min(WIDEST_TASK, cell_len(clean(column.task)) + 2)) for column in board.columns]


def line_up(
    board: Board, labels: Sequence[str], widths: Sequence[int], width: int, first: int, cursor: int
) -> Lineup:
    """Return the columns that are seen, so that the cursor is among them.

    Args:
        board: The matrix.
        labels: Those of its rows.
        widths: Those of its columns.
        width: The cells of the screen.
        first: The first column that was seen before; as few as possible move.
        cursor: The column of the cursor.
    """
    if not widths:
        return Lineup(width, ())
    longest = _longest(labels)
    low, high = 0, len(widths)
    if width < NARROW:
        group = group_of(board, cursor)
        low, high = group.start, group.start + len(group.tasks)
    # All labels whole where all columns fit beside them; else they are cut, but to no less than a third.
    spare = width - sum(widths[low:high]) - GAP * (high - low)
    label_width = max(min(longest, LEAST_LABEL), min(longest, max(spare, width // 3)))
    room = width - label_width
    first = min(max(first, low), cursor)
    while first < cursor and _taken(widths, first, cursor + 1) > room:
        first += 1
    # Where the last columns leave room, those before them move in.
    while first > low and _taken(widths, first - 1, high) <= room:
        first -= 1
    slots: list[Slot] = []
    start = label_width + GAP
    for column in range(first, high):
        end = start + widths[column]
        if slots and end > width:
            break
        slots.append(Slot(column, start, min(end, width)))
        start = end + GAP
    return Lineup(label_width, tuple(slots))


def _longest(labels: Sequence[str]) -> int:
    return max(map(cell_len, (LABEL_HEAD, *labels)))


def _taken(widths: Sequence[int], first: int, end: int) -> int:
    return sum(widths[first:end]) + GAP * (end - first)
