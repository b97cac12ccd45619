from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef

from nlu_arena.metrics import count_confusions, macro_f1, matthews_correlation
from nlu_arena.statistics import Metric
from nlu_arena.statistics.influence import measure, weight_of_text

INDEPENDENT: dict[Metric, Callable[..., Any]] = {
    "accuracy": accuracy_score,
    "macro_f1": lambda gold, answers, **options: f1_score(gold, answers, average="macro", **options),
    "mcc": matthews_corrcoef,
}


def answer(gold: np.ndarray, n_labels: int, seed: int, share: float = 0.8) -> np.ndarray:
    """Return answers that are right with a probability, else anything."""
    rng = np.random.default_rng(seed)
    return np.where(rng.random(len(gold)) < share, gold, rng.integers(0, n_labels, len(gold)))


def draw_gold(n: int, n_labels: int) -> np.ndarray:
    """Return gold labels of which the first ones are frequent; all occur."""
    shares = 0.6 ** np.arange(n_labels)
    gold = np.random.default_rng(5).choice(n_labels, size=n, p=shares / shares.sum())
    gold[:n_labels] = np.arange(n_labels)
    return gold


@pytest.mark.parametrize("metric", INDEPENDENT)
@pytest.mark.parametrize("n_labels", [2, 3, 7])
def test_each_metric_is_that_of_scikit_learn(metric: Metric, n_labels: int) -> None:
    gold = draw_gold(120, n_labels)
    answers = np.stack([answer(gold, n_labels, seed) for seed in range(3)])
    by_hand = [INDEPENDENT[metric](gold, of_seed) for of_seed in answers]
    assert measure(metric, gold, answers, n_labels).values.tolist() == pytest.approx(by_hand, abs=1e-9)


@pytest.mark.parametrize("metric", INDEPENDENT)
@pytest.mark.parametrize("n_labels", [2, 5])
def test_the_influence_is_the_change_by_a_text_s_weight(metric: Metric, n_labels: int) -> None:
    gold = draw_gold(60, n_labels)
    answers = answer(gold, n_labels, 1)
    influences = measure(metric, gold, answers[None], n_labels).influences[0]
    step = 1e-5
    for text in range(60):
        ends = []
        for change in (step, -step):
            weights = np.ones(60)
            weights[text] += change
            ends.append(INDEPENDENT[metric](gold, answers, sample_weight=weights))
        assert influences[text] / 60 == pytest.approx((ends[0] - ends[1]) / (2 * step), abs=1e-9)
    assert influences.sum() == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("metric", INDEPENDENT)
def test_a_text_weighs_what_one_wrong_answer_costs(metric: Metric) -> None:
    n_labels = 3
    gold = draw_gold(3000, n_labels)
    costs = []
    for text in range(0, 3000, 21):
        answers = gold.copy()
        # Wrong answers are spread as the labels are.
        answers[text] = next(label for label in np.roll(gold, text + 1).tolist() if label != gold[text])
        costs.append(1 - INDEPENDENT[metric](gold, answers))
    assert weight_of_text(metric, gold, n_labels) == pytest.approx(float(np.mean(costs)), rel=0.3)


def test_labels_that_never_occur_and_single_ones_are_defined_as_in_the_metrics() -> None:
    ones, mixed = np.ones(20, dtype=int), np.arange(20) % 2
    for gold, answers in ((ones, ones), (ones, mixed), (mixed, ones)):
        counts = count_confusions(gold.tolist(), answers.tolist(), 4)
        for metric, by_hand in (("macro_f1", macro_f1(counts)), ("mcc", matthews_correlation(counts))):
            found = measure(metric, gold, answers[None], 4)  # type: ignore[arg-type]
            assert found.values[0] == pytest.approx(by_hand, abs=1e-12)
            assert np.isfinite(found.influences).all()
