from __future__ import annotations

import math
import random
from fractions import Fraction

import pytest
from scipy.stats import binomtest

from nlu_arena.statistics import (
    LEVEL,
    POWER,
    _half_of_binomial,
    binomial_greater,
    detectable_gap,
    holm,
    mcnemar_exact,
)

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


@pytest.mark.parametrize(
    ("successes", "n", "share"),
    [
        (176, 277, 0.527),
        (20, 28, 0.5),
        (0, 5, 0.3),
        (5, 5, 0.3),
        (3, 9, 0.9),
        (9000, 10_000, 0.354),
        (3, 3, 0.01),
    ],
)
def test_the_binomial_test_is_the_upper_tail(successes: int, n: int, share: float) -> None:
    tail = binomtest(successes, n, share, alternative="greater").pvalue
    assert binomial_greater(successes, n, share) == pytest.approx(tail, rel=1e-9, abs=1e-300)


def test_holm_multiplies_by_the_steps_that_are_left_and_never_falls() -> None:
    # Sorted: 0.01 * 4 = 0.04, 0.02 * 3 = 0.06, 0.025 * 2 = 0.05 -> 0.06, 0.9 * 1 = 0.9
    assert holm([0.025, 0.01, 0.9, 0.02]) == pytest.approx([0.06, 0.04, 0.9, 0.06])


def test_holm_stays_a_probability_and_leaves_a_single_one_alone() -> None:
    assert holm([0.4, 0.6, 0.7]) == [1.0, 1.0, 1.0]
    assert holm([0.03]) == [0.03]
    assert holm([]) == []


def test_holm_counts_the_comparisons_whose_p_values_it_is_not_given() -> None:
    # Two of the three pairs of three: 0.01 * 3 = 0.03, 0.02 * 2 = 0.04
    assert holm([0.02, 0.01], 3) == pytest.approx([0.04, 0.03])
    # Whatever the third one is, it would not have made them larger.
    for other in (0.0, 0.015, 0.5):
        known = holm([0.02, 0.01, other])
        assert known[0] <= 0.04 + 1e-12 and known[1] <= 0.03 + 1e-12


@pytest.mark.parametrize(
    ("n", "discordant", "gap"), [(277, 0.1, 0.053), (277, 0.2, 0.075), (872, 0.05, 0.021), (872, 0.1, 0.030)]
)
def test_the_detectable_gaps_of_rte_and_sst2(n: int, discordant: float, gap: float) -> None:
    # Counted from the normal approximation 2.8 sqrt(w / n) for the sizes of GLUE's dev splits.
    assert detectable_gap(n, discordant) == pytest.approx(gap, abs=0.0005)


def test_a_gap_of_that_size_is_found_four_times_in_five() -> None:
    rng = random.Random(1)
    n, discordant = 600, 0.2
    gap = detectable_gap(n, discordant)
    found = 0
    for _ in range(1000):
        draws = [rng.random() for _ in range(n)]
        n10 = sum(draw < (discordant + gap) / 2 for draw in draws)
        n01 = sum((discordant + gap) / 2 <= draw < discordant for draw in draws)
        found += mcnemar_exact(n10, n01) <= LEVEL
    # The exact test is a little stricter than the formula.
    assert POWER - 0.08 < found / 1000 < POWER + 0.04


def test_a_gap_needs_as_many_discordant_texts_as_it_is_large() -> None:
    least = detectable_gap(120, 0.0)
    assert least == detectable_gap(120, least / 2) == pytest.approx(detectable_gap(120, least))
    # Six texts that only one gets right are the fewest that can be significant.
    assert 6 / 120 < least < 9 / 120


def test_more_comparisons_or_fewer_texts_show_only_larger_gaps() -> None:
    assert detectable_gap(200, 0.2, LEVEL / 10) > detectable_gap(200, 0.2)
    assert detectable_gap(100, 0.2) > detectable_gap(200, 0.2)
    assert detectable_gap(5, 0.2) == 1.0
