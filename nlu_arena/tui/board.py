"""The tiles of a sweep as a matrix: models down, by mode the tasks across."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from functools import cached_property
from statistics import fmean
from typing import NamedTuple

from nlu_arena.ledger.rows import Tile
from nlu_arena.spec import Mode
from nlu_arena.tui.field import Field


class Column(NamedTuple):
    """A task in a mode; `variant` says what else the experiments below it have in common."""

    mode: Mode
    variant: str
    task: str


class Group(NamedTuple):
    """The columns of one mode and variant, from `start` on."""

    mode: Mode
    variant: str
    start: int
    tasks: tuple[str, ...]


class Row(NamedTuple):
    """A model; further settings of the same experiments are rows of their own, by `number`."""

    model: str
    quantisation: str
    number: int


class Board:
    """Where each tile of a sweep stands.

    Rows and columns depend on the plan alone, so that `update` is enough; only a filter may ask for a state.
    """

    def __init__(self, tiles: Sequence[Tile], shown: Sequence[Tile]) -> None:
        self._tiles = tuple(tiles)
        self.groups = _build_groups(shown)
        self.columns = tuple(Column(g.mode, g.variant, task) for g in self.groups for task in g.tasks)
        # The positions of the tiles in each field, and the row and column of each position.
        self.positions: dict[tuple[int, int], tuple[int, ...]] = {}
        self.places: dict[int, tuple[int, int]] = {}
        self.rows = self._place(shown)
        self._fields: dict[tuple[int, int], Field] = {}

    def update(self, tiles: Sequence[Tile], changed: Iterable[int]) -> None:
        """Take in other states of the same tiles, in the same layout; `changed` are their positions."""
        pairs = [(self._tiles[position], tiles[position]) for position in changed]
        self._tiles = tuple(tiles)
        if any((old.state, old.accuracy) != (new.state, new.accuracy) for old, new in pairs):
            # The queue and the baselines are in fields whose own tiles stay as they are.
            self._fields.clear()
            for name in ("queue", "baseline", "_baselines"):
                self.__dict__.pop(name, None)
        for _, new in pairs:
            self._fields.pop(self.places.get(new.position, (-1, -1)), None)

    def field(self, row: int, column: int) -> Field:
        """Return what stands where a row and a column meet: the same object until it is another."""
        if (row, column) not in self._fields:
            self._fields[row, column] = self._make_field(row, column)
        return self._fields[row, column]

    def _make_field(self, row: int, column: int) -> Field:
        tiles = tuple(self._tiles[position] for position in self.positions.get((row, column), ()))
        if not tiles:
            return Field(())
        places = [self.queue[tile.position] for tile in tiles if tile.state == "waiting"]
        _, variant, task = self.columns[column]
        baseline = self._baselines.get((task, variant), self._baselines.get((task, None)))
        return Field(tiles, min(places, default=None), baseline)

    @cached_property
    def queue(self) -> dict[int, int]:
        """Return the places in the queue, from 1, of the tiles that wait, by position: the plan's order."""
        waiting = (tile.position for tile in self._tiles if tile.state == "waiting")
        return {position: place for place, position in enumerate(waiting, 1)}

    @cached_property
    def baseline(self) -> str:
        """Return the model that others are compared with, empty before there is one."""
        return next((tile.model for tile in self._tiles if _is_yardstick(tile)), "")

    @cached_property
    def _baselines(self) -> dict[tuple[str, str | None], float]:
        """Return the baseline's mean accuracy by task and variant; without one, that of the plan's last.

        A learning curve ends with the most labelled examples, with which the other modes are compared.
        """
        model = self.baseline
        found: dict[tuple[str, str], dict[int, float]] = {}
        for tile in self._tiles:
            if tile.model == model and _is_yardstick(tile) and tile.accuracy is not None:
                found.setdefault((tile.task, tile.variant), {}).setdefault(tile.seed, tile.accuracy)
        means: dict[tuple[str, str | None], float] = {}
        for (task, variant), by_seed in found.items():
            means[task, variant] = means[task, None] = fmean(by_seed.values())
        return means

    def _place(self, tiles: Sequence[Tile]) -> tuple[Row, ...]:
        """Give every tile its row and column.

        The same seed again is another setting of the training: its number must not join the mean.
        """
        columns = {column: number for number, column in enumerate(self.columns)}
        models: dict[tuple[str, str], int] = {}
        seen: Counter[tuple[int, int, int]] = Counter()
        spots: dict[tuple[int, int], list[tuple[int, int]]] = {}
        for tile in tiles:
            model = models.setdefault((tile.model, tile.quantisation), len(models))
            column = columns[Column(tile.mode, tile.variant, tile.task)]
            again = seen[model, column, tile.seed]
            seen[model, column, tile.seed] += 1
            spots.setdefault((model, again), []).append((column, tile.position))
        names = list(models)
        rows = []
        for row, (model, again) in enumerate(sorted(spots)):
            rows.append(Row(*names[model], again))
            fields: dict[int, list[int]] = {}
            for column, position in spots[model, again]:
                fields.setdefault(column, []).append(position)
                self.places[position] = row, column
            self.positions.update({(row, column): tuple(found) for column, found in fields.items()})
        return tuple(rows)


def build_board(
    tiles: Sequence[Tile], *, modes: Collection[Mode] | None = None, text_filter: str = ""
) -> Board:
    """Return the matrix of a sweep.

    Args:
        tiles: All tiles in the order of the plan.
        modes: The modes to show, None for all.
        text_filter: Words that must all occur in a model's, task's, mode's, variant's or state's name, in any
            case of letters; one that begins with "!" must not.
    """
    wanted = text_filter.lower().split()
    shown = [
        tile
        for tile in tiles
        if (modes is None or tile.mode in modes) and (not wanted or _matches(tile, wanted))
    ]
    return Board(tiles, shown)


def _build_groups(tiles: Sequence[Tile]) -> tuple[Group, ...]:
    tasks: dict[tuple[Mode, str], dict[str, None]] = {}
    for tile in tiles:
        tasks.setdefault((tile.mode, tile.variant), {})[tile.task] = None
    groups: list[Group] = []
    start = 0
    for (mode, variant), found in tasks.items():
        groups.append(Group(mode, variant, start, tuple(found)))
        start += len(found)
    return tuple(groups)


def _matches(tile: Tile, words: Sequence[str]) -> bool:
    names = (tile.model, tile.title, tile.quantisation, tile.task, tile.mode, tile.variant, tile.state)
    text = " ".join(names).lower()
    return all((word.removeprefix("!") in text) != word.startswith("!") for word in words if word != "!")


def _is_yardstick(tile: Tile) -> bool:
    return tile.state == "done" and tile.mode == "fine-tune" and tile.family == "encoder"
