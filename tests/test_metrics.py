from __future__ import annotations

import random
from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef
from statsmodels.stats.proportion import proportion_confint

from nlu_arena.metrics import (
    calibration_error,
    compute_metrics,
    interval_of_mean,
    label_probability,
    wilson_interval,
)


def draw(seed: int, n: int, gold_labels: int, answer_labels: int) -> tuple[list[int], list[int], list[float]]:
    rng = random.Random(seed)
    gold = [rng.randrange(gold_labels) for _ in range(n)]
    predicted = [label if rng.random() < 0.6 else rng.randrange(answer_labels) for label in gold]
    return gold, predicted, [rng.random() for _ in range(n)]


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize(("gold_labels", "answer_labels"), [(2, 2), (3, 3), (3, 5), (5, 2), (1, 3)])
def test_metrics_equal_those_of_scikit_learn(seed: int, gold_labels: int, answer_labels: int) -> None:
    gold, predicted, confidence = draw(seed, 5 + 37 * seed, gold_labels, answer_labels)
    metrics = compute_metrics(gold, predicted, confidence, n_labels=6)
    assert metrics.accuracy == pytest.approx(accuracy_score(gold, predicted), abs=1e-12)
    assert metrics.macro_f1 == pytest.approx(f1_score(gold, predicted, average="macro"), abs=1e-12)
    assert metrics.mcc == pytest.approx(matthews_corrcoef(gold, predicted), abs=1e-12)
    assert metrics.majority == max(gold.count(label) for label in set(gold)) / len(gold)
    assert metrics.n == len(gold)


def test_answers_that_are_all_one_label_have_mcc_0() -> None:
    gold = [0, 1, 1, 0, 1]
    metrics = compute_metrics(gold, [1] * 5, [0.9] * 5, n_labels=2)
    assert metrics.mcc == matthews_corrcoef(gold, [1] * 5) == 0
    assert metrics.accuracy == metrics.majority == 0.6


def test_gold_labels_that_are_all_the_same_have_mcc_0() -> None:
    assert compute_metrics([1, 1, 1], [0, 1, 1], [0.9] * 3, n_labels=2).mcc == 0


def test_right_answers_have_1_everywhere_and_wrong_ones_mcc_minus_1() -> None:
    right = compute_metrics([0, 1, 0, 1], [0, 1, 0, 1], [1.0] * 4, n_labels=2)
    wrong = compute_metrics([0, 1, 0, 1], [1, 0, 1, 0], [1.0] * 4, n_labels=2)
    assert (right.accuracy, right.macro_f1, right.mcc, right.ece) == (1, 1, 1, 0)
    assert (wrong.accuracy, wrong.macro_f1, wrong.mcc, wrong.ece) == (0, 0, -1, 1)


@pytest.mark.parametrize("seed", range(10))
def test_the_calibration_error_is_the_weighted_gap_of_15_bins(seed: int) -> None:
    gold, predicted, confidence = draw(seed, 300, 3, 3)
    right = np.array(gold) == np.array(predicted)
    probability = np.array(confidence)
    expected = 0.0
    for low, high in pairwise(np.linspace(0, 1, 16)):
        inside = (probability > low) & (probability <= high)
        if inside.any():
            gap = abs(right[inside].mean() - probability[inside].mean())
            expected += gap * inside.sum() / len(gold)
    assert calibration_error(gold, predicted, confidence) == pytest.approx(expected, abs=1e-12)


def test_certainty_and_its_opposite_have_bins() -> None:
    assert calibration_error([0, 1], [0, 0], [1.0, 0.0]) == 0


@pytest.mark.parametrize(("successes", "n"), [(0, 7), (7, 7), (1, 1), (0, 1), (61, 120), (9000, 9815)])
def test_the_interval_is_that_of_wilson(successes: int, n: int) -> None:
    expected = binomtest(successes, n).proportion_ci(method="wilson")
    low, high = wilson_interval(successes, n)
    assert low == pytest.approx(expected.low, abs=1e-12)
    assert high == pytest.approx(expected.high, abs=1e-12)
    assert 0 <= low <= successes / n <= high <= 1


def test_a_mean_of_seeds_has_the_interval_of_that_share_not_of_a_whole_number_of_texts() -> None:
    seeds = [compute_metrics([0] * 52, [1] * wrong + [0] * (52 - wrong), [0.9] * 52, 2) for wrong in (20, 21)]
    expected = proportion_confint(31.5, 52, method="wilson")
    assert interval_of_mean(seeds) == pytest.approx(expected, abs=1e-12)


def test_a_labels_probability_does_not_depend_on_how_the_scores_are_normalised() -> None:
    scores = [-1.0, -3.0, -2.0]
    total = sum(np.exp(scores))
    assert label_probability(scores, 0) == pytest.approx(np.exp(-1.0) / total)
    assert label_probability([s - 900 for s in scores], 0) == pytest.approx(np.exp(-1.0) / total)


def test_no_answers_and_labels_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="no answers"):
        compute_metrics([], [], [], n_labels=2)
    with pytest.raises(ValueError, match="label 2"):
        compute_metrics([2], [0], [0.5], n_labels=2)
    with pytest.raises(ValueError, match="is not one of 2"):
        compute_metrics([0], [-1], [0.5], n_labels=2)
    with pytest.raises(ValueError, match="shorter"):
        compute_metrics([0, 1], [0], [0.5], n_labels=2)
