from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from scipy.stats import binom, binomtest
from statsmodels.stats.contingency_tables import mcnemar

from nlu_arena.statistics import LEVEL, mcnemar_exact, mcnemar_mid_p
from nlu_arena.statistics.mcnemar import _half_of_binomial

PAIRS = [
    *[(7, 19), (210, 260), (1000, 1200), (4900, 5100), (10_000, 0), (99_000, 101_000), (100_000, 100_000)],
    *[(499_000, 501_000), (490_000, 510_000), (1, 10**6)],
]


@pytest.mark.parametrize(
    ("n10", "n01", "p_value"),
    [
        # 2 * (1/2)^6; 2 * (1 + 9) / 2^9; 2 * (1 + 12 + 66) / 2^12
        (0, 6, 0.03125),
        (1, 8, 0.0390625),
        (10, 2, 0.03857421875),
        (3, 3, 1.0),
        (0, 0, 1.0),
    ],
)
def test_mcnemar_is_the_binomial_tail_twice(n10: int, n01: int, p_value: float) -> None:
    assert mcnemar_exact(n10, n01) == pytest.approx(p_value, rel=1e-14)


@pytest.mark.parametrize(("n10", "n01"), PAIRS)
def test_mcnemar_agrees_with_scipy_and_does_not_care_who_is_first(n10: int, n01: int) -> None:
    # The probabilities of scipy are good to about 1e-12 here.
    assert mcnemar_exact(n10, n01) == pytest.approx(binomtest(n10, n10 + n01).pvalue, rel=1e-11, abs=1e-300)
    assert mcnemar_exact(n01, n10) == mcnemar_exact(n10, n01)


@pytest.mark.parametrize("n", [1, 2, 9, 60, 401])
def test_mcnemar_is_exact_to_double_precision(n: int) -> None:
    for fewer in range(n // 2 + 1):
        exact = min(Fraction(1), 2 * Fraction(sum(math.comb(n, k) for k in range(fewer + 1)), 2**n))
        assert mcnemar_exact(fewer, n - fewer) == pytest.approx(float(exact), rel=1e-14, abs=1e-300)


def test_mcnemar_looks_at_no_more_terms_than_count() -> None:
    # Of a million discordant texts: a term that far from the middle is below what a float can hold.
    assert len(_half_of_binomial(10**6)) < 20 * 1000


@pytest.mark.parametrize(("n10", "n01"), [(0, 0), (0, 6), (1, 8), (12, 2), (30, 31), (210, 260)])
def test_mcnemar_agrees_with_statsmodels(n10: int, n01: int) -> None:
    table = [[50, n10], [n01, 60]]
    assert mcnemar_exact(n10, n01) == pytest.approx(mcnemar(table, exact=True).pvalue, rel=1e-9)


@pytest.mark.parametrize(
    ("n10", "n01", "p_value"),
    [
        # 2 * (1/2)^6 - (1/2)^6; 2 * (1 + 9) / 2^9 - 9 / 2^9
        (0, 6, 0.015625),
        (8, 1, 0.021484375),
        (3, 3, 1.0),
        (0, 0, 1.0),
    ],
)
def test_the_mid_p_leaves_out_half_of_what_was_seen(n10: int, n01: int, p_value: float) -> None:
    assert mcnemar_mid_p(n10, n01) == pytest.approx(p_value, rel=1e-14)


@pytest.mark.parametrize(("n10", "n01"), [(7, 19), (30, 31), (260, 210), (4900, 5100), (1, 10**6)])
def test_the_mid_p_is_the_exact_one_less_the_probability_of_the_table(n10: int, n01: int) -> None:
    seen = binom.pmf(min(n10, n01), n10 + n01, 0.5)
    # With 30 and 31 the doubled tail is 1 exactly.
    assert mcnemar_mid_p(n10, n01) == pytest.approx(mcnemar_exact(n10, n01) - seen, rel=1e-9, abs=1e-300)
    assert mcnemar_mid_p(n10, n01) == mcnemar_mid_p(n01, n10)


def false_findings(n: int, discordant: float) -> tuple[float, float]:
    """Return how often the exact and the mid-p test find a difference where there is none."""
    exact = mid = 0.0
    for total in range(n + 1):
        weight = binom.pmf(total, n, discordant)
        if weight < 1e-9:
            continue
        wins = np.arange(total + 1)
        found = np.array([(mcnemar_exact(k, total - k), mcnemar_mid_p(k, total - k)) for k in wins.tolist()])
        exact, mid = (
            sum_ + weight * float(binom.pmf(wins, total, 0.5)[p_values <= LEVEL].sum())
            for sum_, p_values in zip((exact, mid), found.T, strict=True)
        )
    return exact, mid


@pytest.mark.parametrize("n", [120, 277, 872])
@pytest.mark.parametrize("discordant", [0.02, 0.05, 0.1, 0.3])
def test_false_findings_of_mcnemar(n: int, discordant: float) -> None:
    exact, mid = false_findings(n, discordant)
    assert exact <= 0.05
    assert mid <= 0.06
    if n * discordant >= 25:
        assert mid >= 0.035
