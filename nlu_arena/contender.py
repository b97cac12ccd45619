"""An experiment with all its finished seeds on one split: what is compared when an answer is sought."""

from __future__ import annotations

import operator
import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec

from nlu_arena.ledger.rows import Cell
from nlu_arena.metrics import interval_of_mean
from nlu_arena.spec import TRAINED_MODES

# Gives the gold and the predicted labels of a run on a split.
ReadLabels = Callable[[int, str], tuple[Sequence[int], Sequence[int]]]


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """What an experiment's model costs; None where it was not measured.

    Over the seeds: the median milliseconds a text in batches of 32, the mean time of training, the highest
    peaks of memory. Times are comparable on an equal `device` only.
    """

    device: str
    ms_per_text: float | None
    train_seconds: float | None
    peak_rss_bytes: int | None
    device_peak_bytes: int | None


class Contender:
    """The seeds of one experiment that are done on the same texts; `accuracy` is their mean.

    What is right is a number with a bit for each text, set where an answer to it is right.
    """

    def __init__(self, name: str, cells: Sequence[Cell], split: str, read_labels: ReadLabels) -> None:
        self.name = name
        self.cells = sorted(cells, key=lambda cell: cell.seed)
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

    def right(self, seed: int) -> int:
        """Return what the answers of a seed get right; its labels are read once."""
        if seed not in self._right:
            gold, predicted = self._labels(seed)
            self._right[seed] = _pack(map(operator.eq, gold, predicted))
        return self._right[seed]

    @property
    def majority_label(self) -> int:
        """Return the most frequent gold label."""
        gold, _ = self._labels(self.seeds[0])
        return Counter(gold).most_common(1)[0][0]

    @property
    def cost(self) -> Cost:
        """Return what the seeds cost together."""
        times = [cell.ms_per_text for cell in self.cells if cell.ms_per_text is not None]
        trained = [cell.train_seconds for cell in self.cells if cell.train_seconds is not None]
        rss = [cell.peak_rss_bytes for cell in self.cells if cell.peak_rss_bytes is not None]
        device = [cell.device_peak_bytes for cell in self.cells if cell.device_peak_bytes is not None]
        return Cost(
            device=" / ".join(dict.fromkeys(cell.device for cell in self.cells)),
            ms_per_text=statistics.median(times) if times else None,
            train_seconds=statistics.fmean(trained) if trained else None,
            peak_rss_bytes=max(rss, default=None),
            device_peak_bytes=max(device, default=None),
        )

    def _labels(self, seed: int) -> tuple[Sequence[int], Sequence[int]]:
        run_id = self.cells[self.seeds.index(seed)].run_id
        assert run_id is not None
        return self._read_labels(run_id, self._split)


def join_seeds(cells: Sequence[Cell], split: str, read_labels: ReadLabels) -> Iterator[Contender]:
    """Return the experiments of cells that are done on the same texts, each with its seeds and a name."""
    settings: dict[str, list[Cell]] = {}
    for cell in cells:
        settings.setdefault(cell.setting, []).append(cell)
    names = _name_all([members[0] for members in settings.values()])
    for name, members in zip(names, settings.values(), strict=True):
        yield Contender(name, members, split, read_labels)


def _pack(flags: Iterable[bool]) -> int:
    return int.from_bytes(bytes(flags), "big")


def _name_all(cells: Sequence[Cell]) -> list[str]:
    """Return a name for each experiment: model and mode, and what else it takes to tell two apart."""
    names = [" ".join(filter(None, [c.model, c.quantisation, c.mode])) for c in cells]
    names = [n if names.count(n) == 1 else f"{n}{_details(c)}" for n, c in zip(names, cells, strict=True)]
    return [
        name if names.count(name) == 1 else f"{name} #{names[: place + 1].count(name)}"
        for place, name in enumerate(names)
    ]


def _details(cell: Cell) -> str:
    rows = cell.subset.train if cell.mode in TRAINED_MODES else None
    words = [f"{cell.shots} shots" if cell.shots else "", f"train {rows}" if rows else ""]
    said = ", ".join(filter(None, words))
    return f" ({said})" if said else ""
