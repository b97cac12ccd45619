"""Who meets whom: the contenders of a round have answered the very same texts, each with all its seeds."""

from __future__ import annotations

import operator
import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import NamedTuple, TypeVar

import msgspec

from nlu_arena.contender_names import Texts, name_settings
from nlu_arena.ledger.rows import Cell
from nlu_arena.metrics import interval_of_mean
from nlu_arena.spec import Mode

Number = TypeVar("Number", int, float)

# The batch size whose latency stands for the cost of an answer.
COST_BATCH = 32

# Gives the gold and the predicted labels of a run on a split.
ReadLabels = Callable[[int, str], tuple[Sequence[int], Sequence[int]]]


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """What an experiment's model costs; None where it was not measured.

    Over the seeds: the median milliseconds of a call by the number of texts in it, answers a second in the
    evaluation, the mean time of training, how many weights it trained, the highest peaks of memory. Times are
    comparable on an equal `device` only.
    """

    device: str
    call_ms: dict[int, float]
    examples_per_second: float | None
    train_seconds: float | None
    trainable_parameters: int | None
    peak_rss_bytes: int | None
    device_peak_bytes: int | None

    @property
    def ms_per_text(self) -> float | None:
        """Return the milliseconds of a text in batches of 32."""
        call = self.call_ms.get(COST_BATCH)
        return None if call is None else call / COST_BATCH


class Contender:
    """The seeds of one experiment that are done on the same texts; `accuracy` is their mean.

    The name is another than those of all other contenders of its task, and the same on every task. What is
    right is a number with a bit for each text, set where an answer to it is right.
    """

    def __init__(self, name: str, cells: Sequence[Cell], split: str, read_labels: ReadLabels) -> None:
        self.name = name
        self.cells = sorted(cells, key=lambda cell: cell.seed)
        self.model = self.cells[0].model
        self.mode: Mode = self.cells[0].mode
        self.is_encoder = self.cells[0].family == "encoder"
        metrics = [cell.by_split[split] for cell in self.cells]
        self.accuracy = statistics.fmean(m.accuracy for m in metrics)
        self.interval = interval_of_mean(metrics)
        # One collapsed seed taints the mean, and leaving it out would be choosing.
        self.alarms = tuple(dict.fromkeys(name for c in self.cells for name in c.alarms.get(split, {})))
        self._split = split
        self._read_labels = read_labels
        self._right: dict[int, int] = {}

    @property
    def seeds(self) -> list[int]:
        """Return the seeds in ascending order."""
        return [cell.seed for cell in self.cells]

    def labels(self, seed: int) -> tuple[Sequence[int], Sequence[int]]:
        """Return the gold and the predicted labels of a seed."""
        run_id = self.cells[self.seeds.index(seed)].run_id
        assert run_id is not None
        return self._read_labels(run_id, self._split)

    def right(self, seed: int) -> int:
        """Return what the answers of a seed get right; its labels are read once."""
        if seed not in self._right:
            self._right[seed] = _pack(map(operator.eq, *self.labels(seed)))
        return self._right[seed]

    @property
    def majority_label(self) -> int:
        """Return the most frequent gold label."""
        gold, _ = self.labels(self.seeds[0])
        return Counter(gold).most_common(1)[0][0]

    @cached_property
    def cost(self) -> Cost:
        """Return what the seeds cost together."""
        batches = sorted({batch for cell in self.cells for batch in cell.call_ms})
        return Cost(
            device=" / ".join(dict.fromkeys(cell.device for cell in self.cells)),
            call_ms={
                batch: statistics.median(c.call_ms[batch] for c in self.cells if batch in c.call_ms)
                for batch in batches
            },
            examples_per_second=_of_all(statistics.median, (c.examples_per_second for c in self.cells)),
            train_seconds=_of_all(statistics.fmean, (c.train_seconds for c in self.cells)),
            trainable_parameters=_of_all(max, (c.trainable_parameters for c in self.cells)),
            peak_rss_bytes=_of_all(max, (c.peak_rss_bytes for c in self.cells)),
            device_peak_bytes=_of_all(max, (c.device_peak_bytes for c in self.cells)),
        )


class Round(NamedTuple):
    """The contenders that have answered the very same texts of a split, in the order of their first runs.

    `is_main` says whether it is the task's first split, whose metrics stand for the task; `majority` is the
    share of the most frequent label. `labels` are those that any contender could give: one that was trained
    later may know more of them than the texts have.
    """

    task: str
    split: str
    fingerprint: str
    is_main: bool
    n: int
    majority: float
    labels: tuple[str, ...]
    data_source: str
    contenders: tuple[Contender, ...]


def find_rounds(cells: Sequence[Cell], read_labels: ReadLabels) -> list[Round]:
    """Return a round for all texts of a split that anything has done, in the order in which they came.

    Args:
        cells: Experiments; those that are not done do not count.
        read_labels: Gives the gold and the predicted labels of a run on a split; asked for what is compared.
    """
    done = [cell for cell in cells if cell.state == "done"]
    names = name_settings(done)
    texts: dict[Texts, list[Cell]] = {}
    for cell in done:
        for split, fingerprint in cell.fingerprints.items():
            texts.setdefault((cell.task, split, fingerprint), []).append(cell)
    return [_make_round(members, split, names, read_labels) for (_, split, _), members in texts.items()]


def _make_round(cells: Sequence[Cell], split: str, names: dict[str, str], read_labels: ReadLabels) -> Round:
    first = cells[0]
    settings: dict[str, list[Cell]] = {}
    for cell in cells:
        settings.setdefault(cell.setting, []).append(cell)
    metrics = first.by_split[split]
    return Round(
        task=first.task,
        split=split,
        fingerprint=first.fingerprints[split],
        is_main=split == next(iter(first.by_split)),
        n=metrics.n,
        majority=metrics.majority,
        labels=tuple(dict.fromkeys(label for cell in cells for label in cell.labels)),
        data_source=first.data_source,
        contenders=tuple(
            Contender(names[setting], members, split, read_labels) for setting, members in settings.items()
        ),
    )


def agree_published(known: Iterable[bool | None]) -> bool | None:
    """Return False where any run is not on the published splits, True where all are known to be."""
    found = set(known)
    return False if False in found else None if None in found else True


def _pack(flags: Iterable[bool]) -> int:
    return int.from_bytes(bytes(flags), "big")


def _of_all(join: Callable[[Iterable[Number]], Number], values: Iterable[Number | None]) -> Number | None:
    """Return what several seeds' values are together, None where none was measured."""
    known = [value for value in values if value is not None]
    return join(known) if known else None
