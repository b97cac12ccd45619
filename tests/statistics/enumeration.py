"""Every outcome of a paired comparison with its probability: rates that are exact instead of simulated."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import gammaln, xlogy


class Outcomes:
    """The numbers of texts that only one of two got right, among n, for given probabilities of either.

    Outcomes that are together rarer than 1e-6 are left out; `missing` is their probability.
    """

    def __init__(self, n: int, win: float, loss: float) -> None:
        reach_win, reach_loss = (6 * np.sqrt(n * p) + 12 for p in (win, loss))
        wins = np.arange(max(0, int(n * win - reach_win)), min(n, int(n * win + reach_win)) + 1)
        losses = np.arange(max(0, int(n * loss - reach_loss)), min(n, int(n * loss + reach_loss)) + 1)
        n10, n01 = (axis.ravel() for axis in np.meshgrid(wins, losses, indexing="ij"))
        possible = n10 + n01 <= n
        n10, n01 = n10[possible], n01[possible]
        ways = gammaln(n + 1) - gammaln(n10 + 1) - gammaln(n01 + 1) - gammaln(n - n10 - n01 + 1)
        logs = ways + xlogy(n10, win) + xlogy(n01, loss) + xlogy(n - n10 - n01, max(0.0, 1 - win - loss))
        p = np.exp(logs)
        order = np.argsort(p)
        kept = order[np.cumsum(p[order]) > 1e-6]
        self.n10, self.n01, self.p = n10[kept], n01[kept], p[kept]
        self.missing = 1 - float(self.p.sum())

    def probability(self, event: Callable[[int, int], bool]) -> float:
        """Return the probability of an event that depends on the two numbers."""
        happens = [event(n10, n01) for n10, n01 in zip(self.n10.tolist(), self.n01.tolist(), strict=True)]
        return float(self.p[np.array(happens)].sum())
