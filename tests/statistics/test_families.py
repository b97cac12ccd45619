from __future__ import annotations

import pytest
from statsmodels.stats.multitest import multipletests

from nlu_arena.statistics import holm


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


def test_holm_agrees_with_statsmodels() -> None:
    p_values = [0.04, 0.001, 0.001, 0.3, 0.012, 0.7, 0.9]
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1], rel=1e-12)
