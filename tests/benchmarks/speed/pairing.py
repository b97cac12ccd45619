"""Two programs timed beside each other: A B, B A, A B, so that a slow minute of the machine meets both."""

from __future__ import annotations

import gc
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

# The seconds of the parts of one execution, by name.
Spans = Mapping[str, float]
Side = Callable[[], Spans]


class Quartiles(NamedTuple):
    """The middle of some numbers, and the quarter of them on either side."""

    low: float
    median: float
    high: float


class Pairs(NamedTuple):
    """The seconds of both sides, execution by execution: equal places were measured next to each other."""

    ours: list[Spans]
    theirs: list[Spans]

    def ratios(self, span: str) -> Quartiles:
        """Return how many times longer the other side took for a span."""
        return quartiles([b[span] / a[span] for a, b in zip(self.ours, self.theirs, strict=True)])


def quartiles(values: Sequence[float]) -> Quartiles:
    """Return the quartiles of some values; of a single one, that value three times."""
    if len(values) == 1:
        return Quartiles(values[0], values[0], values[0])
    return Quartiles(*statistics.quantiles(values, n=4, method="inclusive"))


def median_of(executions: Sequence[Spans], span: str) -> float:
    """Return the median seconds of a span."""
    return statistics.median(spans[span] for spans in executions)


def measure_pairs(ours: Side, theirs: Side, repeats: int) -> Pairs:
    """Execute both sides alternately; both have been warmed up by the caller."""
    pairs = Pairs([], [])
    for turn in range(repeats):
        sides = [(ours, pairs.ours), (theirs, pairs.theirs)]
        for side, found in sides if turn % 2 == 0 else reversed(sides):
            gc.collect()
            found.append(side())
    return pairs
