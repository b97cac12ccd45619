from __future__ import annotations

import random

import pytest

from nlu_arena.statistics import (
    LEVEL,
    POWER,
    detectable_gap,
    mcnemar_exact,
    not_inferior_p,
    provable_margin,
)
from nlu_arena.statistics.equivalence import UNLIKELY
from tests.statistics.enumeration import Outcomes


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


@pytest.mark.parametrize(
    ("n", "discordant"), [(120, 0.03), (120, 0.1), (120, 0.3), (277, 0.03), (277, 0.1), (872, 0.03)]
)
def test_equally_good_ones_are_shown_not_worse_by_that_margin_four_times_in_five(
    n: int, discordant: float
) -> None:
    margin = provable_margin(n, discordant)
    outcomes = Outcomes(n, discordant / 2, discordant / 2)
    shown = outcomes.probability(lambda n10, n01: not_inferior_p(n, n10, n01, margin) <= LEVEL)
    # Few whole numbers: 0.8 is met within a step.
    assert POWER - 0.04 < shown < POWER + 0.04


@pytest.mark.parametrize("n", [10, 277, 10_000])
def test_without_a_discordant_text_the_margin_is_the_smallest_that_could_be_shown(n: int) -> None:
    margin = provable_margin(n, 0.0)
    assert not_inferior_p(n, 0, 0, margin * 1.0001) <= LEVEL < not_inferior_p(n, 0, 0, margin * 0.999)


def test_a_margin_takes_more_texts_or_fewer_comparisons() -> None:
    assert provable_margin(200, 0.2, LEVEL / 10) > provable_margin(200, 0.2)
    assert provable_margin(100, 0.2) > provable_margin(200, 0.2) > provable_margin(200, 0.1)
    assert provable_margin(0, 0.2) == provable_margin(10**6, 0.2, UNLIKELY) == 1.0
    assert 0 < provable_margin(1, 0.0) < 1
