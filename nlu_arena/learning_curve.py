"""From how many labelled examples on training beats prompting: the points of a model at several sizes."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

from nlu_arena.contender import Contender, Round
from nlu_arena.spec import PROMPTED_MODES, TRAINED_MODES, Mode

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Outcome = Literal["from", "already", "not"]

RESAMPLES = 2000
# How many of them are in memory at once.
CHUNK = 250
# Any: the interval shall be the same each time.
SEED = 20240229
# Beyond the 95 % interval, on each side.
TAIL = 0.025


class Point(NamedTuple):
    """A contender with the number of rows that it was trained on."""

    train_rows: int
    contender: Contender

    @property
    def accuracy(self) -> float:
        """Return the mean accuracy of the seeds."""
        return self.contender.accuracy

    @property
    def interval(self) -> tuple[float, float]:
        """Return the 95 % interval of the accuracy."""
        return self.contender.interval


class Curve(NamedTuple):
    """Contenders of one model, mode and setting that differ in their training rows only, the fewest first."""

    name: str
    model: str
    mode: Mode
    points: tuple[Point, ...]


class Crossing(msgspec.Struct, frozen=True, kw_only=True):
    """From how many training rows on a curve is above the accuracy of a prompted contender, its level.

    `rows` is None unless the outcome is "from": a curve can be above at its smallest point "already", or
    "not" at its largest one. Of the 95 % interval, `low` is None where it reaches below the smallest point
    and `high` where it reaches beyond the largest one: `share_already` and `share_not` are the shares of
    resamples that are there. `smallest` and `largest` are the training rows of these points.
    """

    curve: str
    level: str
    level_accuracy: float
    level_interval: tuple[float, float]
    outcome: Outcome
    rows: float | None
    low: float | None
    high: float | None
    share_already: float
    share_not: float
    smallest: int
    largest: int


def find_curves(found: Round) -> list[Curve]:
    """Return the curves of a round that have two points or more.

    A point with an alarm stays: too few rows are why a training collapses, and leaving it out would lift the
    curve where it is weak.
    """
    groups: dict[str, dict[int, Contender]] = {}
    for contender in found.contenders:
        rows = max((cell.train_rows or 0 for cell in contender.cells), default=0)
        if contender.mode in TRAINED_MODES and rows:
            # Of a limit that takes all rows and no limit, the newer one.
            groups.setdefault(contender.cells[0].curve, {})[rows] = contender
    curves = [sorted(points.items()) for points in groups.values() if len(points) > 1]
    names = _name_curves([points[0][1] for points in curves])
    return [
        Curve(name, points[0][1].model, points[0][1].mode, tuple(Point(*point) for point in points))
        for name, points in zip(names, curves, strict=True)
    ]


def find_crossings(found: Round) -> list[Crossing]:
    """Return where each curve of a round crosses each prompted contender, of the most accurate one first.

    The texts are resampled, the same for all points and levels (paired bootstrap), and so are the seeds:
    equal ones together. The rows that were trained on are the same for every seed: what another draw of them
    would do is not in the interval. Levels with an alarm are left out.
    """
    curves = find_curves(found)
    levels = [c for c in found.contenders if c.mode in PROMPTED_MODES and not c.alarms]
    if not curves or not levels:
        return []
    levels.sort(key=lambda level: -level.accuracy)
    points = [point.contender for curve in curves for point in curve.points]
    resampled = dict(zip((c.name for c in (*points, *levels)), _resample([*points, *levels]), strict=True))
    return [_cross(curve, level, resampled) for curve in curves for level in levels]


def locate_crossing(rows: Sequence[int], leads: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return log2 of the training rows from which on a curve leads up to its largest point.

    Accuracy is interpolated linearly in log2 of the rows. The last crossing counts: "from so many on" speaks
    of all that follow, and an early point that leads by chance does not begin it.

    Args:
        rows: The training rows of the points [points], rising.
        leads: The curve's accuracy above the level [curves, points].

    Returns:
        [curves]; minus infinity where it leads at every point, infinity where it does not at the last one.
    """
    import numpy as np

    x, last = np.log2(np.asarray(rows, dtype=float)), len(rows) - 1
    behind = leads <= 0
    # The place of the last point that does not lead.
    place = last - np.argmax(behind[:, ::-1], axis=1)
    left = np.minimum(place, last - 1)
    each = np.arange(len(leads))
    below, above = leads[each, left], leads[each, left + 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        inside = x[left] + (x[left + 1] - x[left]) * -below / (above - below)
    found = np.where(place == last, np.inf, inside)
    crossings: NDArray[np.floating] = np.where(behind.any(axis=1), found, -np.inf)
    return crossings


def _cross(curve: Curve, level: Contender, resampled: dict[str, NDArray[np.floating]]) -> Crossing:
    import numpy as np

    rows = [point.train_rows for point in curve.points]
    leads = np.array([[point.accuracy - level.accuracy for point in curve.points]])
    many = np.stack([resampled[point.contender.name] for point in curve.points], axis=1)
    (found,) = locate_crossing(rows, leads)
    spread = np.sort(locate_crossing(rows, many - resampled[level.name][:, None]))
    # Ends that are met, not interpolated between: between infinities there is nothing.
    skip = int(TAIL * len(spread))
    # An interval that lies beyond all points ends at the nearest one.
    low = min(float(spread[skip]), math.log2(rows[-1]))
    high = max(float(spread[-1 - skip]), math.log2(rows[0]))
    return Crossing(
        curve=curve.name,
        level=level.name,
        level_accuracy=level.accuracy,
        level_interval=level.interval,
        outcome="from" if math.isfinite(found) else "already" if found < 0 else "not",
        rows=_to_rows(found),
        low=_to_rows(low),
        high=_to_rows(high),
        share_already=float(np.mean(spread == -np.inf)),
        share_not=float(np.mean(spread == np.inf)),
        smallest=rows[0],
        largest=rows[-1],
    )


def _to_rows(log: float) -> float | None:
    return float(2.0**log) if math.isfinite(log) else None


def _resample(contenders: Sequence[Contender]) -> list[NDArray[np.floating]]:
    """Return resampled mean accuracies of each contender [RESAMPLES]."""
    import numpy as np

    rng = np.random.default_rng(SEED)
    runs = [(contender, seed) for contender in contenders for seed in contender.seeds]
    right = np.array([_right(contender, seed) for contender, seed in runs])
    # Texts with the same answers are interchangeable: how often each kind is drawn is multinomial.
    kinds, counts = np.unique(right, axis=1, return_counts=True)
    n, columns = right.shape[1], kinds.T.astype(float)
    accuracies = np.concatenate(
        [rng.multinomial(n, counts / n, size=CHUNK) @ columns / n for _ in range(RESAMPLES // CHUNK)]
    )
    weights = {seeds: _draw_seeds(rng, len(seeds)) for seeds in {tuple(c.seeds): None for c in contenders}}
    places = np.cumsum([0, *(len(contender.seeds) for contender in contenders)])
    return [
        np.sum(weights[tuple(contender.seeds)] * accuracies[:, start : start + len(contender.seeds)], axis=1)
        for contender, start in zip(contenders, places, strict=False)
    ]


def _right(contender: Contender, seed: int) -> NDArray[np.bool_]:
    import numpy as np

    gold, predicted = contender.labels(seed)
    right: NDArray[np.bool_] = np.asarray(gold) == np.asarray(predicted)
    return right


def _draw_seeds(rng: np.random.Generator, count: int) -> NDArray[np.floating]:
    """Return how much each seed weighs in each resample [RESAMPLES, count].

    One less is drawn than there are: the mean of so many has the variance that the mean of all really has,
    where drawing as many would make it smaller by 1 / count. Of a single seed nothing is known.
    """
    import numpy as np

    size = max(1, count - 1)
    weights: NDArray[np.floating] = rng.multinomial(size, np.full(count, 1 / count), size=RESAMPLES) / size
    return weights


def _name_curves(firsts: Sequence[Contender]) -> list[str]:
    """Return a name for the curve of each contender: that of the contender without its training rows."""
    cells = [contender.cells[0] for contender in firsts]
    names = [
        " ".join(filter(None, [c.model, c.quantisation, c.mode, f"({c.template})" if c.template else ""]))
        for c in cells
    ]
    taken, seen = Counter(names), Counter[str]()
    for place, name in enumerate(names):
        seen[name] += 1
        names[place] = name if taken[name] == 1 else f"{name} #{seen[name]}"
    return names
