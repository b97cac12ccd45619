"""The lines above a matrix: modes, what sets their experiments apart, tasks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len

from nlu_arena.tui.board import Board, Group
from nlu_arena.tui.columns import GAP, LABEL_HEAD, Lineup, group_of
from nlu_arena.tui.fitting import fill
from nlu_arena.views.text import clean

# What stands between the parts of a variant.
PART = " · "
# What the names of templates go without: "question" says as much as "template question".
TEMPLATE = "template "
# The cells of the column of marks.
MARK = 1
WIDEST = 20


class Heads:
    """What stands above the columns of a board, each thing once and as high up as it holds.

    What all experiments have in common is `shared`, for a line elsewhere. What those of one mode have in
    common stands behind the mode; only what is left needs a line of its own.
    """

    def __init__(self, board: Board, widths: Sequence[int]) -> None:
        """Find what tells the groups of a board apart; the widths are those of its columns."""
        self._board = board
        variants = [_parts_of(clean(group.variant)) for group in board.groups]
        shared = _common(variants)
        own = [[part for part in parts if part not in shared] for parts in variants]
        # By the first column of each group.
        self._modes: dict[int, str] = {}
        self._variants: dict[int, str] = {}
        self.shared = PART.join(shared)
        for first, last in _stretches([group.mode for group in board.groups]):
            groups, parts = board.groups[first : last + 1], own[first : last + 1]
            common = _common(parts)
            title = PART.join([groups[0].mode, *map(_shorten, common)])
            if MARK + cell_len(title) > sum(_room(group, widths) for group in groups):
                title, common = groups[0].mode, []
            for group, its in zip(groups, parts, strict=True):
                self._modes[group.start] = title
                self._variants[group.start] = PART.join(_shorten(part) for part in its if part not in common)

    @property
    def height(self) -> int:
        """Return how many lines there are."""
        return 3 if any(self._variants.values()) else 2

    def widen(self, widths: Sequence[int]) -> list[int]:
        """Return the widths of the columns with room for what stands above a single one."""
        wider = list(widths)
        for group in self._board.groups:
            missing = MARK + cell_len(self._variants[group.start]) - _room(group, widths)
            last = group.start + len(group.tasks) - 1
            wider[last] += max(0, min(missing, WIDEST - wider[last]))
        return wider

    def lines(self, lineup: Lineup) -> list[str]:
        """Return the lines above the columns that are seen."""
        slots = lineup.slots
        groups = [group_of(self._board, slot.column) for slot in slots]
        # Where only some columns of a mode are seen there may be no room for more than the mode.
        modes = [(self._modes[group.start], group.mode) for group in groups]
        lines = [_line(modes, [group.mode for group in groups], lineup)]
        if self.height > 2:
            variants = [(self._variants[group.start],) for group in groups]
            lines.append(_line(variants, [group.start for group in groups], lineup))
        tasks = [(clean(self._board.columns[slot.column].task),) for slot in slots]
        label = fill(LABEL_HEAD, lineup.label_width)
        return [*lines, label + _line(tasks, range(len(slots)), lineup)[len(label) :]]


def _room(group: Group, widths: Sequence[int]) -> int:
    tasks = len(group.tasks)
    return sum(widths[group.start : group.start + tasks]) + GAP * (tasks - 1)


def _parts_of(variant: str) -> list[str]:
    return [part for part in variant.split(PART) if part]


def _common(lists: Sequence[Sequence[str]]) -> list[str]:
    return [part for part in lists[0] if all(part in parts for parts in lists)] if lists else []


def _shorten(part: str) -> str:
    return part.removeprefix(TEMPLATE)


def _line(texts: Sequence[Sequence[str]], keys: Sequence[object], lineup: Lineup) -> str:
    """Return texts above their columns, one for neighbours with the same key: the first of each that fits."""
    line = ""
    for first, last in _stretches(keys):
        start, end = lineup.slots[first].start, lineup.slots[last].end
        fitting = (text for text in texts[first] if MARK + cell_len(text) <= end - start)
        # Above the sign of a state, behind the column of marks.
        line = fill(line, start) + fill(" " * MARK + next(fitting, texts[first][-1]), end - start)
    return line


def _stretches(keys: Sequence[object]) -> Iterator[tuple[int, int]]:
    first = 0
    for place in range(1, len(keys) + 1):
        if place == len(keys) or keys[place] != keys[first]:
            yield first, place - 1
            first = place
