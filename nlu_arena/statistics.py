"""Is one classifier better than another on the same texts: exact tests, and what they can show."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from statistics import NormalDist

# The share of false alarms that a test may give, and how often a real gap is to be found.
LEVEL = 0.05
POWER = 0.8
# Terms of the binomial below it, beside a largest one of 1, do not count.
TINY = 1e-305


@functools.lru_cache(maxsize=4096)
def mcnemar_exact(n10: int, n01: int) -> float:
    """Return the exact two-sided p-value that two classifiers are equally often right on paired texts.

    Texts that both or neither got right say nothing (McNemar 1947). Of the others, each is won by either with
    probability 1/2 if the two are equally good: a binomial test, doubled because the distribution is
    symmetric (Edwards' continuity correction approximates it). Screens ask the same again and again: cached.

    Args:
        n10: How many texts only the first got right.
        n01: How many texts only the second got right.

    Returns:
        the p-value to double precision; 0 where it is below 1e-300.
    """
    n, fewer = n10 + n01, min(n10, n01)
    half = _half_of_binomial(n)
    # With an even number of texts the mode is in the middle and belongs to both halves.
    whole = 2 * math.fsum(half) - (1 - n % 2)
    return min(1.0, 2 * math.fsum(half[n // 2 - fewer :]) / whole)


def binomial_greater(successes: int, n: int, share: float) -> float:
    """Return the exact probability of at least so many successes in n independent trials.

    Args:
        successes: How many there were.
        n: How many trials.
        share: The probability of a success in each, above 0 and below 1.
    """
    if successes <= n * share:
        # The longer tail, from the shorter one.
        return 1 - binomial_greater(n - successes + 1, n, 1 - share) if successes > 0 else 1.0
    if successes > n:
        return 0.0
    first = math.lgamma(n + 1) - math.lgamma(successes + 1) - math.lgamma(n - successes + 1)
    first += successes * math.log(share) + (n - successes) * math.log1p(-share)
    # Beyond the mean each term is smaller than the one before.
    terms, term, odds = [], 1.0, share / (1 - share)
    for k in range(successes, n + 1):
        terms.append(term)
        term *= (n - k) / (k + 1) * odds
        if term < 1e-18:
            break
    return min(1.0, math.exp(first) * math.fsum(terms))


def _half_of_binomial(n: int) -> list[float]:
    """Return the terms C(n, k) / C(n, n // 2) from k = n // 2 down, up to the last one that is not tiny.

    Each is made of its neighbour. Beginning with the largest one, nothing overflows, what is dropped is below
    1e-300 of the sum, and the factor 2^-n cancels out of every share: no logarithm of a factorial, whose
    absolute error grows with n. The terms are about 20 sqrt(n) at most.
    """
    terms, term, k = [], 1.0, n // 2
    while term > TINY:
        terms.append(term)
        term *= k / (n - k + 1)
        k -= 1
    return terms


def holm(p_values: Sequence[float], comparisons: int | None = None) -> list[float]:
    """Return p-values adjusted for being several (Holm 1979), in the same order.

    What stays at or below a level then is significant at it, with at most that chance of a single false one
    among all comparisons. That holds only if all are counted from which these could have been chosen: where
    the data have chosen the best of k, its k - 1 comparisons are some of the k (k - 1) / 2 between any two.
    The p-values of the others need not be known: knowing them could only make these smaller.

    Args:
        p_values: The p-values that are asked for.
        comparisons: How many there are with those that are not; none when it is not given.
    """
    count = len(p_values) if comparisons is None else comparisons
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        # An adjusted value is never below that of a smaller p-value: the steps stop at the first failure.
        highest = max(highest, min(1.0, (count - rank) * p_values[place]))
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
