"""The lines above a matrix: modes, what else the experiments below have in common, tasks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nlu_arena.tui.board import Board
from nlu_arena.tui.columns import Lineup, group_of
from nlu_arena.tui.fitting import fill
from nlu_arena.views.text import clean

# What stands between the parts of a variant.
PART = " · "


def head_lines(board: Board, lineup: Lineup) -> list[str]:
    """Return the lines; the second of three is there only where variants differ, and says in what."""
    slots = lineup.slots
    groups = [group_of(board, slot.column) for slot in slots]
    tasks = _line([clean(board.columns[slot.column].task) for slot in slots], list(range(len(slots))), lineup)
    lines = [_line([group.mode for group in groups], [group.mode for group in groups], lineup)]
    own = _own_variants(board)
    if any(own.values()):
        variants = [own[group.start] for group in groups]
        lines.append(_line(variants, [group.start for group in groups], lineup))
    label = fill("model", lineup.label_width)
    return [*lines, label + tasks[len(label) :]]


def head_height(board: Board) -> int:
    """Return how many lines there are."""
    return 3 if any(_own_variants(board).values()) else 2


def shared_variant(board: Board) -> str:
    """Return what the variants of all groups have in common: said once, it leaves room in each head."""
    return PART.join(_shared_parts(board))


def _shared_parts(board: Board) -> list[str]:
    variants = [clean(group.variant).split(PART) for group in board.groups]
    first = variants[0] if variants else []
    return [part for part in first if part and all(part in variant for variant in variants)]


def _own_variants(board: Board) -> dict[int, str]:
    """Return what sets each group apart from the others, by its first column."""
    shared = _shared_parts(board)
    parts = {group.start: clean(group.variant).split(PART) for group in board.groups}
    return {start: PART.join(part for part in own if part not in shared) for start, own in parts.items()}


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
