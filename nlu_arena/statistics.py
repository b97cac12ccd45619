"""Is one classifier better than another on the same texts: exact tests, and what they can show."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from statistics import NormalDist

# The share of false alarms that a test may give, and how often a real gap is to be found.
LEVEL = 0.05
POWER = 0.8


@functools.lru_cache(maxsize=4096)
def mcnemar_exact(n10: int, n01: int) -> float:
    """Return the exact two-sided p-value that two classifiers are equally often right on paired texts.

    Texts that both or neither got right say nothing (McNemar 1947). Of the others, each is won by either with
    probability 1/2 if the two are equally good: a binomial test, doubled because the distribution is
    symmetric (Edwards' continuity correction approximates it). Screens ask the same again and again: cached.

    Args:
        n10: How many texts only the first got right.
        n01: How many texts only the second got right.
    """
    n, tail, ways = n10 + n01, 0, 1
    # Whole numbers: no term underflows, and the only rounding is that of the quotient.
    for wins in range(min(n10, n01) + 1):
        tail += ways
        ways = ways * (n - wins) // (wins + 1)
    return min(1.0, 2 * tail / (1 << n))


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values adjusted for being several (Holm 1979), in the same order.

    What stays at or below a level then is significant at it, with at most that chance of a single false one
    among all.
    """
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        # An adjusted value is never below that of a smaller p-value: the steps stop at the first failure.
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = highest
    return adjusted


def detectable_gap(n: int, discordant: float, level: float = LEVEL) -> float:
    """Return the smallest difference of two accuracies that the paired test finds four times in five.

    The sample size formula of McNemar's test (Connor 1987) solved for the difference d, with w the share of
    discordant texts: d sqrt(n) = z(1 - level/2) sqrt(w) + z(0.8) sqrt(w - d^2).

    Args:
        n: How many texts there are.
        discordant: The share of texts that exactly one of the two gets right, from 0 to 1.
        level: The level of the two-sided test; smaller for one of several comparisons.

    Returns:
        a share from 0 to 1; 1 where the texts are too few to find any difference.
    """
    # Not even winning every text would be significant.
    if 2.0 ** (1 - n) > level:
        return 1.0
    normal = NormalDist()
    z_level, z_power = normal.inv_cdf(1 - level / 2), normal.inv_cdf(POWER)
    # A difference needs at least as many discordant texts as it is large. Where fewer were seen, the smallest
    # one has its own discordant texts only: the fixed point of the formula; a step halves the distance to it.
    least = 1.0
    for _ in range(60):
        least = min(1.0, _solve(n, least, z_level, z_power))
    return min(1.0, _solve(n, max(discordant, least), z_level, z_power))


def _solve(n: int, w: float, z_level: float, z_power: float) -> float:
    """Return the positive root d of (d sqrt(n) - z_level sqrt(w))^2 = z_power^2 (w - d^2)."""
    a, b = n + z_power**2, z_level * math.sqrt(w * n)
    c = w * (z_level**2 - z_power**2)
    # Below zero only where n is too small for the level: b / a is above 1 then.
    return (b + math.sqrt(max(0.0, b * b - a * c))) / a
