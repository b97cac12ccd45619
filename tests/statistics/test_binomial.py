from __future__ import annotations

import pytest
from scipy.stats import binomtest

from nlu_arena.statistics import binomial_greater


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
