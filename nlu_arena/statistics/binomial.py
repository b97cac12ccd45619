"""The exact test of a share."""

from __future__ import annotations

import math


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
