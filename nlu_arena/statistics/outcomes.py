"""All outcomes of a paired comparison: their order by the score statistic, and their probability."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

# Standard errors from the expected total beyond which outcomes have a probability below 1e-9 together.
REACH = 6.5
# Statistics that are equal but for rounding belong together.
TIE = 1e-9


def score(n: int, wins: Ints, totals: Ints, margin: float) -> Floats:
    """Return how far the first one's wins are from a deficit of the margin, in standard errors (Tango 1998).

    Args:
        n: How many texts there are.
        wins: How many only the first got right.
        totals: How many exactly one of the two got right.
        margin: The deficit, a share.
    """
    import numpy as np

    losses = totals - wins
    # The likeliest share of losses where it is the share of wins plus the margin: the larger root of
    # 2n x^2 - linear x + constant. Its discriminant is not negative but for rounding.
    linear = totals + (2 * n - wins + losses) * margin
    constant = losses * (margin * (1 + margin))
    share = (linear + np.sqrt(np.maximum(linear * linear - 8 * n * constant, 0.0))) / (4 * n)
    variance = n * (2 * share - margin * (1 + margin))
    # No variance: no discordant text and no margin, so no distance either.
    certain = variance <= 1e-12 * n
    distance = (wins - losses + n * margin) / np.sqrt(np.where(certain, 1.0, variance))
    return np.where(certain, 0.0, distance)


def bracket_share(successes: int, n: int, unlikely: float) -> tuple[float, float]:
    """Return an interval of a share that misses it with at most the given probability, for any n.

    By the Chernoff bound exp(-n KL(seen, share)) of either tail, which is not an approximation.
    """
    seen, limit = successes / n, math.log(2 / unlikely) / n

    def is_likely(share: float) -> bool:
        won = seen * math.log(seen / share) if seen else 0.0
        lost = (1 - seen) * math.log((1 - seen) / (1 - share)) if seen < 1 else 0.0
        return won + lost <= limit

    ends = []
    for outside in (0.0, 1.0):
        inside, beyond = seen, outside
        # Halving keeps the end on the far side: never too narrow.
        for _ in range(40):
            middle = (inside + beyond) / 2
            if 0 < middle < 1 and is_likely(middle):
                inside = middle
            else:
                beyond = middle
        ends.append(beyond)
    return ends[0], ends[1]


def order_outcomes(n: int, margin: float, observed: float, shares: Floats) -> tuple[Ints, Ints]:
    """Return totals that can occur, and with each the fewest wins that are as extreme as the observed score.

    One more than the total where no outcome with it is. The score grows with the wins, and falls with the
    losses (Barnard's convexity), so from a total to the next one the fewest wins grow by 0 or 1.
    """
    import numpy as np

    spread = REACH * np.sqrt(n * shares * (1 - shares)) + REACH**2 / 3
    low = max(0, math.floor(float((n * shares - spread).min())))
    high = min(n, math.ceil(float((n * shares + spread).max())))
    totals = np.arange(low, high + 1)
    below, fewest = np.full(len(totals), -1), totals + 1
    for _ in range(int(high + 1).bit_length() + 1):
        middle = (below + fewest) // 2
        # Where the two have met, the middle is the one below and stays it.
        extreme = (score(n, middle, totals, margin) >= observed - TIE) & (middle > below)
        below, fewest = np.where(extreme, below, middle), np.where(extreme, middle, fewest)
    return totals, fewest


def sum_outcomes(n: int, margin: float, totals: Ints, fewest: Ints, shares: Floats) -> Floats:
    """Return the probability of outcomes with at least the fewest wins, for each share of discordant texts.

    Args:
        n: How many texts there are.
        margin: By how much the share of losses is larger than that of wins.
        totals: Consecutive numbers of discordant texts.
        fewest: The fewest wins that count, with each total; it grows by 0 or 1.
        shares: Shares of discordant texts, from the margin to below 1.
    """
    import numpy as np

    # Of the discordant texts; 0 where all are losses, and has no logarithm.
    win = np.maximum((shares - margin) / (2 * shares), 1e-300)[:, None]
    first = np.arange(int(fewest[0]), int(totals[0]) + 1)
    tail = _binomial(np.full(len(first), totals[0]), first, win).sum(1, keepdims=True)
    # With one text more: of the probability of just as many wins as were demanded, the share wins / total is
    # new, where the text made up for a missing win. Where one win more is demanded then, all of it drops out.
    after, wins = totals[1:], fewest[:-1]
    change = wins / after - (fewest[1:] > wins)
    tails = np.concatenate([tail, tail + np.cumsum(_binomial(after, wins, win) * change, axis=1)], axis=1)
    weights = _binomial(np.full(len(totals), n), totals, shares[:, None])
    return np.asarray((weights * np.clip(tails, 0.0, 1.0)).sum(1))


def _binomial(trials: Ints, successes: Ints, share: Floats) -> Floats:
    """Return the probability of so many successes, 0 for a number that is impossible."""
    import numpy as np

    possible = (successes >= 0) & (successes <= trials)
    k = np.where(possible, successes, 0)
    logs = _log_factorials(int(trials.max(initial=0)).bit_length())
    ways = logs[trials] - logs[k] - logs[trials - k]
    exponent = ways + k * np.log(share) + (trials - k) * np.log1p(-share)
    return np.where(possible, np.exp(exponent), 0.0)


@functools.lru_cache(maxsize=16)
def _log_factorials(bits: int) -> Floats:
    """Return log k! for all k of so many bits; the sum's error is about 1e-11 at k = 60,000."""
    import numpy as np

    return np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, 2**bits)))])
