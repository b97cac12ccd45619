"""The cells of a sweep as tables: models down by mode, tasks across.

Results on different examples never share a table, those of different modes, shots, templates or training rows
no group; the seeds of one experiment share a field.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeVar

from nlu_arena.alarms import Alarms
from nlu_arena.ledger.rows import Cell, CellState
from nlu_arena.metrics import Metrics, interval_of_mean
from nlu_arena.spec import TRAINED_MODES, Mode
from nlu_arena.views.text import clean

Kind = TypeVar("Kind")

DATA_TITLES = {
    "starter": "starter data (not GLUE)",
    "hub": "hub data",
    "glue-dir": "glue-dir data",
    "file": "file data",
}


class Part(NamedTuple):
    """A column: a task, and one of its dev splits where it has several."""

    task: str
    split: str

    @property
    def title(self) -> str:
        """Name the column for people."""
        return f"{self.task} {self.split}".strip()


class Field(NamedTuple):
    """One model on one column: a cell for each seed. Times are shown in a task's first column only."""

    cells: tuple[Cell, ...]
    split: str
    is_first: bool

    @property
    def state(self) -> CellState:
        """Return the one state that says most about the field."""
        states = [cell.state for cell in self.cells]
        order: tuple[CellState, ...] = ("running", "failed", "interrupted", "waiting", "done")
        return next(state for state in order if state in states)

    @property
    def metrics(self) -> list[Metrics]:
        """Return the metrics of the seeds that are done."""
        found = [metrics_of(cell, self.split) for cell in self.cells]
        return [metrics for metrics in found if metrics is not None]

    @property
    def data_label(self) -> str:
        """Return "not GLUE" where a number comes from other data than the published, empty otherwise."""
        done = [cell for cell in self.cells if metrics_of(cell, self.split) is not None]
        other = [cell.published for cell in done if cell.is_published(self.split) is False]
        return f"not {clean(other[0])}" if other else ""

    @property
    def alarms(self) -> list[str]:
        """Return the names of the alarms of any seed."""
        return list(dict.fromkeys(name for cell in self.cells for name in alarms_of(cell, self.split)))

    @property
    def seconds(self) -> float | None:
        """Return the mean time of the seeds that are done."""
        times = [cell.seconds for cell in self.cells if cell.state == "done" and cell.seconds is not None]
        return statistics.fmean(times) if times else None


class Row(NamedTuple):
    """One model of a table; `quantisation` is that of its weights."""

    model: str
    quantisation: str
    fields: tuple[Field, ...]


class Group(NamedTuple):
    """The rows of one mode, with what else all of them have in common."""

    mode: Mode
    shots: int
    template: str
    subset: str
    rows: tuple[Row, ...]

    @property
    def title(self) -> str:
        """Say what all numbers of the group have in common."""
        shots = f"{self.shots} shots" if self.shots else ""
        template = f"template {clean(self.template)}" if self.template else ""
        return " · ".join(filter(None, [self.mode, shots, template, self.subset, self._draws()]))

    def _draws(self) -> str:
        """Say how many seeds stand behind each number, nothing where no seed is used."""
        counts = {len(field.cells) for row in self.rows for field in row.fields if field.cells}
        if self.mode == "zero-shot" or not counts:
            return ""
        low, high = min(counts), max(counts)
        number = f"{high}" if low == high else f"{low} to {high}"
        return f"{number} {'draw' if self.mode == 'few-shot' else 'seed'}{'' if high == 1 else 's'}"


class Table(NamedTuple):
    """What may stand under one heading: the same examples in every field of a column."""

    data_source: str
    dev: str
    parts: tuple[Part, ...]
    groups: tuple[Group, ...]

    @property
    def title(self) -> str:
        """Say which data all numbers of the table come from."""
        return " · ".join(filter(None, [DATA_TITLES.get(self.data_source, self.data_source), self.dev]))


def build_tables(cells: Sequence[Cell]) -> list[Table]:
    """Return the tables of a sweep, in the order in which their first cells come."""
    splits = _splits_by_task(cells)
    tables = []
    for (data_source, dev), members in _group(cells, lambda c: (c.data_source, _dev_limit(c))).items():
        tasks = dict.fromkeys(cell.task for cell in members)
        parts = tuple(Part(task, split) for task in tasks for split in splits[task])
        kinds = _group(members, lambda c: (c.mode, c.shots, c.template, _train_limit(c)))
        groups = (Group(*kind, tuple(_rows(peers, parts))) for kind, peers in kinds.items())
        tables.append(Table(data_source, dev, parts, tuple(groups)))
    return tables


def _group(cells: Sequence[Cell], key: Callable[[Cell], Kind]) -> dict[Kind, list[Cell]]:
    groups: dict[Kind, list[Cell]] = {}
    for cell in cells:
        groups.setdefault(key(cell), []).append(cell)
    return groups


def _train_limit(cell: Cell) -> str:
    is_cut = cell.subset.train is not None and cell.mode in TRAINED_MODES
    return f"train {cell.subset.train}" if is_cut else ""


def _dev_limit(cell: Cell) -> str:
    return "" if cell.subset.dev is None else f"dev {cell.subset.dev}"


def describe_subset(cell: Cell) -> str:
    """Name the part of the data that a cell uses: "train 96", empty for all."""
    return ", ".join(filter(None, [_train_limit(cell), _dev_limit(cell)]))


def metrics_of(cell: Cell, split: str) -> Metrics | None:
    """Return a cell's metrics on a split; the empty name is the only or first one."""
    return cell.by_split.get(split) if split else cell.metrics


def alarms_of(cell: Cell, split: str) -> Alarms:
    """Return a cell's alarms on a split; the empty name is the only or first one."""
    return cell.alarms.get(split, {}) if split else next(iter(cell.alarms.values()), {})


def is_near_majority(metrics: Sequence[Metrics]) -> bool:
    """Say whether the 95 % interval of a mean accuracy over seeds covers the majority share."""
    if not metrics:
        return False
    low, high = interval_of_mean(metrics)
    return low <= metrics[0].majority <= high


def _splits_by_task(cells: Iterable[Cell]) -> dict[str, list[str]]:
    """Return the splits of each task as its finished runs have them; one without a name otherwise."""
    found: dict[str, dict[str, None]] = {}
    for cell in cells:
        found.setdefault(cell.task, {}).update(dict.fromkeys(cell.by_split))
    return {task: list(splits) if len(splits) > 1 else [""] for task, splits in found.items()}


def _rows(cells: Sequence[Cell], parts: Sequence[Part]) -> Iterable[Row]:
    """Give every model a row, and one more for each further setting of the same experiment."""
    fields: dict[tuple[str, str, int], dict[str, list[Cell]]] = {}
    for cell in cells:
        # The same seed again is another setting of the training: its number must not join the mean.
        number = 0
        while True:
            row = fields.setdefault((cell.model, cell.quantisation, number), {})
            peers = row.setdefault(cell.task, [])
            if cell.seed not in {peer.seed for peer in peers}:
                peers.append(cell)
                break
            number += 1
    for (model, quantisation, _), by_task in fields.items():
        firsts: set[str] = set()
        line = []
        for part in parts:
            line.append(Field(tuple(by_task.get(part.task, ())), part.split, part.task not in firsts))
            firsts.add(part.task)
        yield Row(model, quantisation, tuple(line))
