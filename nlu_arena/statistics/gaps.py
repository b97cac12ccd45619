"""What so many texts can show: the smallest difference, the smallest margin."""

from __future__ import annotations

import math
from statistics import NormalDist

from nlu_arena.statistics.equivalence import UNLIKELY
from nlu_arena.statistics.levels import LEVEL, POWER


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


def provable_margin(n: int, discordant: float, level: float = LEVEL) -> float:
    """Return the smallest margin by which one of two equally good ones is shown not worse four times in five.

    The sample size formula of the score test (Nam 1997) solved for the margin d, with w the share of
    discordant texts, and w0 the likeliest one where the first is worse by d although both win equally many:
    d sqrt(n) = z(1 - level) sqrt(w0 - d^2) + z(0.8) sqrt(w).

    Args:
        n: How many texts there are.
        discordant: The share of texts that exactly one of the two gets right, from 0 to 1.
        level: The level of the one-sided test; smaller for one of several comparisons.

    Returns:
        a share from 0 to 1; 1 where nothing can be shown: no text, or a level that no p-value reaches.
    """
    if n < 1 or level <= UNLIKELY:
        return 1.0
    normal = NormalDist()
    z_level, z_power = normal.inv_cdf(1 - level), normal.inv_cdf(POWER)
    # Without a single discordant text, a share of them of d has to be unlikely: (1 - d)^n is the p-value.
    low, high = 1 - (level - UNLIKELY) ** (1 / n), 1.0
    # The left side of the formula grows faster than the right one: they cross once at most.
    for _ in range(60):
        d = (low + high) / 2
        w0 = (discordant + math.sqrt(discordant**2 + 4 * d * d * (1 - discordant))) / 2
        if d * math.sqrt(n) < z_level * math.sqrt(w0 - d * d) + z_power * math.sqrt(discordant):
            low = d
        else:
            high = d
    return high


def _solve(n: int, w: float, z_level: float, z_power: float) -> float:
    """Return the positive root d of (d sqrt(n) - z_level sqrt(w))^2 = z_power^2 (w - d^2)."""
    a, b = n + z_power**2, z_level * math.sqrt(w * n)
    c = w * (z_level**2 - z_power**2)
    # Below zero only where n is too small for the level: b / a is above 1 then.
    return (b + math.sqrt(max(0.0, b * b - a * c))) / a
