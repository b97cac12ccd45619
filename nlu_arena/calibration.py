"""Whether a classifier's probabilities mean what they say: calibration error, Brier score, reliability."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from nlu_arena.contender import Contender, Round
from nlu_arena.ledger.codec import Columns
from nlu_arena.metrics import BINS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

# Gives all answers of a run to a split.
ReadColumns = Callable[[int, str], Columns]


class Bin(msgspec.Struct, frozen=True):
    """The answers whose confidence is in one of the bins: how many, how sure and how often right on average.

    An empty bin has 0 for both means.
    """

    count: int
    confidence: float
    accuracy: float


class Calibration(msgspec.Struct, frozen=True):
    """How well probabilities fit the answers.

    `ece` is the expected calibration error, from 0 to 1; `brier` the Brier score, from 0 to 2; `bins` are of
    equal width and cover 0 to 1.
    """

    accuracy: float
    ece: float
    brier: float
    bins: tuple[Bin, ...]


class ContenderCalibration(NamedTuple):
    """The calibration of a contender: of its scores, and of the content-free-calibrated ones.

    `calibrated` is None where not every seed has them. Over several seeds the figures are means, and the bins
    hold the answers of all of them.
    """

    round: Round
    contender: Contender
    raw: Calibration
    calibrated: Calibration | None


def probabilities_of(scores: ArrayLike, n_labels: int) -> NDArray[np.float64]:
    """Return the probabilities [texts, labels] of flat log-scores, which may lack normalisation."""
    import numpy as np

    logits = np.asarray(scores, dtype=np.float64).reshape(-1, n_labels)
    # Less the largest, no exponential overflows; the softmax is the same.
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def measure_calibration(
    probabilities: NDArray[np.float64], gold: Sequence[int], predicted: Sequence[int]
) -> Calibration:
    """Measure how well the probabilities of all labels [texts, labels] fit.

    The calibration error takes the confidence in the predicted label, in 15 bins of equal width, closed above
    (Guo et al. 2017). The Brier score is the squared error summed over the labels (Brier 1950): with two
    labels it is twice that of the one label alone.

    Raises:
        ValueError: There is no text.
    """
    import numpy as np

    truth, answers = np.asarray(gold, dtype=np.intp), np.asarray(predicted, dtype=np.intp)
    n = len(truth)
    if not n:
        raise ValueError("there are no answers to measure")
    rows = np.arange(n)
    confidence = probabilities[rows, answers]
    right = truth == answers
    places = np.clip(np.ceil(confidence * BINS).astype(np.intp) - 1, 0, BINS - 1)
    counts = np.bincount(places, minlength=BINS)
    sure = np.bincount(places, weights=confidence, minlength=BINS)
    hits = np.bincount(places, weights=right, minlength=BINS)
    errors = probabilities.copy()
    errors[rows, truth] -= 1
    filled = np.maximum(counts, 1)
    return Calibration(
        accuracy=float(right.mean()),
        ece=float(np.abs(hits - sure).sum() / n),
        brier=float(np.square(errors).sum() / n),
        bins=tuple(map(Bin, counts.tolist(), (sure / filled).tolist(), (hits / filled).tolist())),
    )


def find_calibrations(found: Round, read_columns: ReadColumns) -> list[ContenderCalibration]:
    """Return the calibration of every contender of a round, in its order.

    Args:
        found: The round.
        read_columns: Gives all answers of a run to a split.
    """
    return [_calibrate(found, contender, read_columns) for contender in found.contenders]


def _calibrate(found: Round, contender: Contender, read_columns: ReadColumns) -> ContenderCalibration:
    import numpy as np

    raw, calibrated = [], []
    for cell in contender.cells:
        assert cell.run_id is not None
        columns = read_columns(cell.run_id, found.split)
        probabilities = probabilities_of(columns.scores, columns.n_labels)
        raw.append(measure_calibration(probabilities, columns.gold, columns.predicted))
        if columns.calibrated is not None:
            probabilities = probabilities_of(columns.calibrated, columns.n_labels)
            # The largest score, the first of equal ones, is the answer, as in the ledger's own metrics.
            answers = np.reshape(columns.calibrated, (-1, columns.n_labels)).argmax(axis=1)
            calibrated.append(measure_calibration(probabilities, columns.gold, answers.tolist()))
    # A mean of some of the seeds beside a mean of all would not be comparable.
    both = len(calibrated) == len(raw)
    return ContenderCalibration(found, contender, _join(raw), _join(calibrated) if both else None)


def _join(seeds: Sequence[Calibration]) -> Calibration:
    """Return the means over the seeds, with the answers of all in the bins."""
    return Calibration(
        accuracy=statistics.fmean(seed.accuracy for seed in seeds),
        ece=statistics.fmean(seed.ece for seed in seeds),
        brier=statistics.fmean(seed.brier for seed in seeds),
        bins=tuple(_pool(bins) for bins in zip(*(seed.bins for seed in seeds), strict=True)),
    )


def _pool(bins: Sequence[Bin]) -> Bin:
    count = sum(b.count for b in bins)
    if not count:
        return Bin(0, 0.0, 0.0)
    return Bin(
        count,
        math.fsum(b.count * b.confidence for b in bins) / count,
        math.fsum(b.count * b.accuracy for b in bins) / count,
    )
