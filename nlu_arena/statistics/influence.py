"""Metrics of several seeds on the same texts, and what each text contributes to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Labels = NDArray[np.integer]

Metric = Literal["accuracy", "macro_f1", "mcc"]


class Measured(NamedTuple):
    """The metric of each seed [seeds], and its influence function at each text [seeds, n].

    The influence is n times the derivative by the text's weight (0 on average). The variance over resampled
    texts is the sum of its squares / n^2, exactly for the accuracy, to first order for the others (the
    infinitesimal jackknife, Efron 1982).
    """

    values: Floats
    influences: Floats


def measure(metric: Metric, gold: Labels, answers: Labels, n_labels: int) -> Measured:
    """Measure each seed's answers.

    Args:
        metric: Which; defined as in `nlu_arena.metrics`.
        gold: Gold label ids, [n].
        answers: Predicted label ids, [seeds, n].
        n_labels: How many labels the task has.
    """
    import numpy as np

    of_one = {"accuracy": _accuracy, "macro_f1": _macro_f1, "mcc": _mcc}[metric]
    seeds = [of_one(gold, answer, n_labels) for answer in answers]
    return Measured(np.array([value for value, _ in seeds]), np.array([influence for _, influence in seeds]))


def weight_of_text(metric: Metric, gold: Labels, n_labels: int) -> float:
    """Return by how much one wrong answer lowers the metric where all others are right, to first order.

    The root mean square over the texts: a text of a rare label weighs more in the macro-F1.
    """
    import numpy as np

    n = len(gold)
    counts = np.bincount(gold, minlength=n_labels)
    counts = counts[counts > 0]
    if metric == "macro_f1":
        return float(np.sqrt((1 / counts).sum() / n)) / len(counts)
    if metric == "mcc" and len(counts) > 1:
        return float(1 / (n * (1 - ((counts / n) ** 2).sum())))
    return 1 / n


def _accuracy(gold: Labels, answers: Labels, _: int) -> tuple[float, Floats]:
    right = (gold == answers).astype(float)
    value = float(right.mean())
    return value, right - value


def _macro_f1(gold: Labels, answers: Labels, n_labels: int) -> tuple[float, Floats]:
    import numpy as np

    right = gold == answers
    hits = np.bincount(gold[right], minlength=n_labels)
    occurrences = np.bincount(gold, minlength=n_labels) + np.bincount(answers, minlength=n_labels)
    # A label that never occurs has no F1 and no text to look it up.
    per_occurrence = 1 / np.maximum(occurrences, 1)
    f1 = 2 * hits * per_occurrence
    labels = np.count_nonzero(occurrences)
    # F1 = 2 hits / occurrences: a text adds a hit if right, and an occurrence of its gold label and answer.
    slope = f1 * per_occurrence
    influences = 2 * right * per_occurrence[gold] - slope[gold] - slope[answers]
    return float(f1.sum() / labels), influences * (len(gold) / labels)


def _mcc(gold: Labels, answers: Labels, n_labels: int) -> tuple[float, Floats]:
    import numpy as np

    n = len(gold)
    right = gold == answers
    truths = np.bincount(gold, minlength=n_labels) / n
    given = np.bincount(answers, minlength=n_labels) / n
    hits = float(right.mean())
    of_truths, of_given = 1 - float(truths @ truths), 1 - float(given @ given)
    if of_truths * of_given <= 0:
        # 0 by definition where gold or answers are all one label.
        return 0.0, np.zeros(n)
    scale = (of_truths * of_given) ** 0.5
    value = (hits - float(truths @ given)) / scale
    # MCC = (hits n - sum gold answers) / sqrt((n^2 - sum gold^2)(n^2 - sum answers^2)), derived by one text's
    # weight, with all counts as shares.
    covariance = right + hits - given[gold] - truths[answers]
    spread = (1 - truths[gold]) / of_truths + (1 - given[answers]) / of_given
    return value, covariance / scale - value * spread
