"""The lines above a matrix: modes, what else the experiments below have in common, tasks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nlu_arena.tui.board import Board
from nlu_arena.tui.columns import Lineup, group_of
from nlu_arena.tui.fitting import fill
from nlu_arena.views.text import clean


def head_lines(board: Board, lineup: Lineup) -> list[str]:
    """Return the lines; the second of three is there only where a mode has variants."""
    slots = lineup.slots
    groups = [group_of(board, slot.column) for slot in slots]
    tasks = _line([clean(board.columns[slot.column].task) for slot in slots], list(range(len(slots))), lineup)
    lines = [_line([group.mode for group in groups], [group.mode for group in groups], lineup)]
    if any(group.variant for group in board.groups):
        variants = [clean(group.variant) for group in groups]
        lines.append(_line(variants, [group.start for group in groups], lineup))
    label = fill("model", lineup.label_width)
    return [*lines, label + tasks[len(label) :]]


def head_height(board: Board) -> int:
    """Return how many lines there are."""
    return 3 if any(group.variant for group in board.groups) else 2


def _line(texts: Sequence[str], keys: Sequence[object], lineup: Lineup) -> str:
    """Return texts above their columns, one for neighbours with the same key."""
    line = ""
    for first, last in _stretches(keys):
        start, end = lineup.slots[first].start, lineup.slots[last].end
        # Above the sign of a state, behind the column of marks.
        line = fill(line, start) + fill(" " + texts[first], end - start)
    return line


def _stretches(keys: Sequence[object]) -> Iterator[tuple[int, int]]:
    first = 0
    for place in range(1, len(keys) + 1):
        if place == len(keys) or keys[place] != keys[first]:
            yield first, place - 1
            first = place
