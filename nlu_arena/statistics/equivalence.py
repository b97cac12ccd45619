"""Is one classifier not worse than another by a margin, on the same texts: exact tests."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING

from nlu_arena.statistics.outcomes import bracket_share, order_outcomes, score, sum_outcomes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# What the shares of discordant texts that are not considered can add to a p-value (Berger and Boos's beta).
UNLIKELY = 1e-6
# At how many shares the probability is computed: the worst one between them is less than 1 in 100 worse. With
# many texts it hardly depends on the share.
SHARES, SHARES_OF_MANY, MANY = 41, 21, 1500


@functools.lru_cache(maxsize=8192)
def not_inferior_p(n: int, n10: int, n01: int, margin: float) -> float:
    """Return the exact p-value of "the first is worse by the margin or more"; small where the first matches.

    Tango's score statistic (1998) orders the outcomes. Its normal approximation finds too often with few
    discordant texts, so the probability of an outcome at least as extreme is computed (an unconditional
    test: Hsueh, Liu and Chen 2001), where the difference is exactly the margin: with losses in the place of
    wins it is smaller (Li, Liu and Goldberg 2011). It depends on the unknown share of discordant texts.
    Among the shares that the outcome leaves likely the worst one counts, and what the others could add is
    added (Berger and Boos 1994): the p-value is never below a millionth.

    Args:
        n: How many texts there are.
        n10: How many of them only the first got right.
        n01: How many only the second got right.
        margin: A share, from 0 to below 1.

    Raises:
        ValueError: The counts or the margin are impossible.
    """
    if not (n > 0 <= min(n10, n01) and n10 + n01 <= n and 0 <= margin < 1):
        raise ValueError(f"n={n}, n10={n10}, n01={n01}, margin={margin}: no such outcome or margin")
    import numpy as np

    discordant = n10 + n01
    shares = _likely_shares(n, discordant, margin)
    if not len(shares):
        return UNLIKELY
    observed = float(score(n, np.array([n10]), np.array([discordant]), margin)[0])
    totals, fewest = order_outcomes(n, margin, observed, shares)
    return min(1.0, float(sum_outcomes(n, margin, totals, fewest, shares).max()) + UNLIKELY)


def equivalent_p(n: int, n10: int, n01: int, margin: float) -> float:
    """Return the exact p-value of "they differ by the margin or more"; small where they do not.

    Two one-sided tests (Schuirmann 1987): neither is worse than the other, so the larger p-value counts.

    Raises:
        ValueError: The counts or the margin are impossible.
    """
    return max(not_inferior_p(n, n10, n01, margin), not_inferior_p(n, n01, n10, margin))


def _likely_shares(n: int, discordant: int, margin: float) -> NDArray[np.float64]:
    """Return shares of discordant texts, at a difference of the margin, that the outcome allows."""
    import numpy as np

    low, high = bracket_share(discordant, n, UNLIKELY)
    # So large a difference needs as many discordant texts; 1 as a share has no logarithm.
    low, high = max(low, margin, 1e-12), min(high, 1 - 1e-12)
    if high < low:
        return np.array([])
    # On this scale a share's standard error is the same everywhere.
    count = SHARES if n < MANY else SHARES_OF_MANY
    return np.sin(np.linspace(math.asin(math.sqrt(low)), math.asin(math.sqrt(high)), count)) ** 2
