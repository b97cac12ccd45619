from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.stats import multinomial

from nlu_arena.statistics import paired_interval
from nlu_arena.statistics.intervals import resample_counts
from tests.statistics.enumeration import Outcomes


def resample_by_hand(n: int, win: float, loss: float) -> dict[int, float]:
    """Return the probability of each difference, summed over all tables."""
    sums: dict[int, float] = {}
    for wins, losses in itertools.product(range(n + 1), repeat=2):
        if wins + losses <= n:
            table = multinomial.pmf([wins, losses, n - wins - losses], n, [win, loss, 1 - win - loss])
            sums[wins - losses] = sums.get(wins - losses, 0.0) + float(table)
    return sums


@pytest.mark.parametrize(
    ("n", "win", "loss"), [(40, 0.2, 0.05), (25, 0.02, 0.02), (30, 0.6, 0.39), (9, 0.9, 0.05)]
)
def test_the_distribution_over_resamples_is_the_sum_over_all_tables(n: int, win: float, loss: float) -> None:
    differences, probabilities = resample_counts(n, win, loss)
    found = dict(zip(differences.tolist(), probabilities.tolist(), strict=True))
    by_hand = resample_by_hand(n, win, loss)
    for difference, probability in by_hand.items():
        assert found.get(difference, 0.0) == pytest.approx(probability, abs=1e-9)
    assert sum(found.values()) == pytest.approx(1.0, abs=1e-9)


def test_the_interval_is_between_the_percentiles_of_the_middles_of_that_distribution() -> None:
    by_hand = sorted(resample_by_hand(40, 8.5 / 41, 2.5 / 41).items())
    below = np.cumsum([0.0] + [probability for _, probability in by_hand])
    middles = (below[:-1] + below[1:]) / 2
    ends = np.interp([0.025, 0.975], middles, [difference / 40 for difference, _ in by_hand])
    assert paired_interval(40, 8, 2) == pytest.approx(tuple(ends), abs=1e-9)


@pytest.mark.parametrize(("n", "n10", "n01"), [(872, 70, 50), (277, 40, 12), (3000, 300, 330)])
def test_with_many_texts_it_is_the_interval_of_texts_drawn_again(n: int, n10: int, n01: int) -> None:
    rng = np.random.default_rng(1)
    draws = rng.multinomial(n, [n10 / n, n01 / n, 1 - (n10 + n01) / n], size=200_000)
    ends = np.percentile(draws[:, 0] - draws[:, 1], [2.5, 97.5]) / n
    # A text is 1 / n, and percentiles of whole numbers are whole numbers.
    assert paired_interval(n, n10, n01) == pytest.approx(tuple(ends), abs=1.2 / n)


@pytest.mark.parametrize("n", [120, 277, 872])
@pytest.mark.parametrize("skew", [0.0, 0.5, 0.9, 0.97, 1.0])
def test_it_covers_the_truth_as_often_as_it_says(n: int, skew: float) -> None:
    # From 10 discordant texts on, divided equally to all on one side.
    for discordant in (10 / n, 15 / n, 0.15, 0.3):
        win, loss = discordant * (1 + skew) / 2, discordant * (1 - skew) / 2
        truth = win - loss
        outcomes = Outcomes(n, win, loss)

        def covers(n10: int, n01: int, truth: float = truth) -> bool:
            low, high = paired_interval(n, n10, n01)
            return low <= truth <= high

        assert 0.93 <= outcomes.probability(covers) <= 0.97


@pytest.mark.parametrize("n", [1, 2, 7, 24])
def test_it_is_a_range_of_shares_around_the_difference_and_mirrors(n: int) -> None:
    for n10, n01 in itertools.product(range(n + 1), repeat=2):
        if n10 + n01 <= n:
            low, high = paired_interval(n, n10, n01)
            assert -1 <= low <= (n10 - n01) / n <= high <= 1
            assert low < high
            assert paired_interval(n, n01, n10) == (-high, -low)


def test_no_discordant_text_is_no_certainty() -> None:
    low, high = paired_interval(277, 0, 0)
    assert low == -high
    # About 2 texts: of 3 / 277 it can be said that it would have shown.
    assert 1.5 / 277 < high < 3 / 277
    assert paired_interval(10_000, 0, 0)[1] == pytest.approx(high * 277 / 10_000, rel=0.02)


@pytest.mark.parametrize(("n", "n10", "n01"), [(0, 0, 0), (5, 3, 3), (5, -1, 2)])
def test_impossible_counts_are_refused(n: int, n10: int, n01: int) -> None:
    with pytest.raises(ValueError, match="no such counts"):
        paired_interval(n, n10, n01)
