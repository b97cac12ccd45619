"""Accuracy, macro-F1, MCC and calibration error from lists of labels; plain arithmetic, no arrays."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

# The normal quantile of a two-sided 95 % interval.
Z95 = 1.959963984540054
BINS = 15


class Metrics(msgspec.Struct, frozen=True):
    """How good the answers of one split are; all are shares from 0 to 1, MCC from -1 to 1.

    `ece` is the expected calibration error, `n` the number of examples, `majority` the share of the most
    frequent gold label, `interval` the 95 % interval of the accuracy.
    """

    accuracy: float
    macro_f1: float
    mcc: float
    ece: float
    n: int
    majority: float
    interval: tuple[float, float]


def compute_metrics(
    gold: Sequence[int], predicted: Sequence[int], confidence: Sequence[float], n_labels: int
) -> Metrics:
    """Compute every metric of one split.

    Args:
        gold: Gold label ids.
        predicted: Predicted label ids, in the same order.
        confidence: The probability that each predicted label was given.
        n_labels: How many labels the task has.

    Raises:
        ValueError: There is no example, or a label id is out of range.
    """
    if not gold:
        raise ValueError("there are no answers to measure")
    counts = count_confusions(gold, predicted, n_labels)
    hits = sum(counts[label][label] for label in range(n_labels))
    return Metrics(
        accuracy=hits / len(gold),
        macro_f1=macro_f1(counts),
        mcc=matthews_correlation(counts),
        ece=calibration_error(gold, predicted, confidence),
        n=len(gold),
        majority=max(sum(row) for row in counts) / len(gold),
        interval=wilson_interval(hits, len(gold)),
    )


def count_confusions(gold: Sequence[int], predicted: Sequence[int], n_labels: int) -> list[list[int]]:
    """Return how often each gold label (row) was given each predicted label (column)."""
    counts = [[0] * n_labels for _ in range(n_labels)]
    for truth, answer in zip(gold, predicted, strict=True):
        if not (0 <= truth < n_labels and 0 <= answer < n_labels):
            raise ValueError(f"label {truth} or {answer} is not one of {n_labels} labels")
        counts[truth][answer] += 1
    return counts


def macro_f1(counts: Sequence[Sequence[int]]) -> float:
    """Return the mean F1 over the labels that occur, as gold or as answer."""
    scores = []
    for label, row in enumerate(counts):
        occurrences = sum(row) + sum(other[label] for other in counts)
        if occurrences:
            scores.append(2 * row[label] / occurrences)
    return math.fsum(scores) / len(scores)


def matthews_correlation(counts: Sequence[Sequence[int]]) -> float:
    """Return the multi-class MCC (Gorodkin 2004); 0 where gold or answers are all one label."""
    n = sum(map(sum, counts))
    gold = [sum(row) for row in counts]
    predicted = [sum(column) for column in zip(*counts, strict=True)]
    hits = sum(counts[label][label] for label in range(len(counts)))
    covariance = hits * n - sum(g * p for g, p in zip(gold, predicted, strict=True))
    spread = (n * n - sum(p * p for p in predicted)) * (n * n - sum(g * g for g in gold))
    return covariance / math.sqrt(spread) if spread else 0.0


def calibration_error(gold: Sequence[int], predicted: Sequence[int], confidence: Sequence[float]) -> float:
    """Return the expected calibration error over 15 bins of equal width, closed above (Guo et al. 2017)."""
    surplus = [0.0] * BINS
    for truth, answer, probability in zip(gold, predicted, confidence, strict=True):
        place = min(max(math.ceil(probability * BINS) - 1, 0), BINS - 1)
        surplus[place] += (truth == answer) - probability
    return math.fsum(map(abs, surplus)) / len(gold)


def wilson_interval(successes: float, n: int) -> tuple[float, float]:
    """Return the 95 % interval of a share (Wilson 1927), which stays inside 0 to 1 for small n.

    A mean over seeds need not be a whole number of successes.
    """
    share = successes / n
    scale = 1 + Z95**2 / n
    centre = (share + Z95**2 / (2 * n)) / scale
    half = Z95 / scale * math.sqrt(share * (1 - share) / n + Z95**2 / (4 * n * n))
    low = 0.0 if successes == 0 else centre - half
    high = 1.0 if successes == n else centre + half
    return low, high


def interval_of_mean(metrics: Sequence[Metrics]) -> tuple[float, float]:
    """Return the 95 % interval of the mean accuracy of several seeds on the same examples.

    It is as wide as that of one of them: asking the same examples again makes them no more examples.
    """
    if len(metrics) == 1:
        return metrics[0].interval
    n = metrics[0].n
    return wilson_interval(math.fsum(m.accuracy for m in metrics) / len(metrics) * n, n)


def label_probability(scores: Sequence[float], label: int) -> float:
    """Return the probability of a label among all labels, from log-scores that may lack normalisation."""
    top = max(scores)
    return math.exp(scores[label] - top) / math.fsum(math.exp(score - top) for score in scores)
