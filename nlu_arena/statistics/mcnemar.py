"""Are two classifiers equally often right on the same texts: McNemar's test."""

from __future__ import annotations

import functools
import math

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


@functools.lru_cache(maxsize=4096)
def mcnemar_mid_p(n10: int, n01: int) -> float:
    """Return McNemar's two-sided mid-p: of the table that was seen, only half the probability counts.

    Twice the one-sided mid-p (Fagerland, Lydersen and Laake 2013). The exact test is often far below its
    level; this one is near it on average and may exceed it a little. 1 where both won equally many.

    Args:
        n10: How many texts only the first got right.
        n01: How many texts only the second got right.
    """
    n, fewer = n10 + n01, min(n10, n01)
    if n10 == n01:
        return 1.0
    half = _half_of_binomial(n)
    whole = 2 * math.fsum(half) - (1 - n % 2)
    tail = half[n // 2 - fewer :]
    return (2 * math.fsum(tail) - tail[0]) / whole if tail else 0.0


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
