"""How often the tests find what is not there, and the intervals cover the truth: enumerated and simulated.

    python -m tests.benchmarks.false_findings [--pairs N] [--runs N] [--seed S]

One run each, n = 120, 277 and 872, 2 to 30 % discordant: every outcome with its probability, and beside it
(in brackets) as many simulated pairs of runs. Equally good: McNemar's exact and mid-p test. The first one
worse by exactly the margin: "matches" and "within the margin", at 1, 2 and 5 points. The difference from 0
to all discordant texts on one side: the interval's smallest and largest coverage.

Several seeds, by simulation: the coverage of the bootstrap's interval for each metric.

Exit code 1: exact McNemar or the margin tests above 5.5 %; the mid-p above 6 % or, where 25 or more
discordant texts are expected, below 3.5 %; the interval's coverage, where 10 or more are, not 93 to 97 %; the
bootstrap's below 93 %.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from itertools import product

import numpy as np

from nlu_arena.statistics import (
    LEVEL,
    Metric,
    bootstrap,
    equivalent_p,
    mcnemar_exact,
    mcnemar_mid_p,
    not_inferior_p,
    paired_interval,
)
from tests.statistics.enumeration import Outcomes
from tests.statistics.simulation import Contest

SIZES = (120, 277, 872)
DISCORDANT = (0.02, 0.05, 0.1, 0.2, 0.3)
MARGINS = (0.01, 0.02, 0.05)
SKEWS = (0.0, 0.25, 0.5, 0.75, 0.9, 0.95, 1.0)
METRICS: tuple[Metric, ...] = ("accuracy", "macro_f1", "mcc")
# Of either side, and how far their true accuracies spread. A single seed stands for its own run and no other.
SEEDS = (((5, 1), 0.0), *product(((3, 3), (5, 5)), (0.0, 0.01, 0.03)))

Event = Callable[[int, int], bool]


class Setting:
    """Two classifiers of one run each: the probability of an event by enumeration and by simulation."""

    def __init__(self, n: int, win: float, loss: float, pairs: int, rng: np.random.Generator) -> None:
        self.outcomes = Outcomes(n, win, loss)
        draws = rng.multinomial(n, [win, loss, max(0.0, 1 - win - loss)], size=pairs)[:, :2]
        self.drawn, self.counts = np.unique(draws, axis=0, return_counts=True)

    def rate(self, event: Event) -> tuple[float, float]:
        """Return the event's probability, and its share of the simulated pairs."""
        happens = np.array([event(n10, n01) for n10, n01 in self.drawn.tolist()])
        return self.outcomes.probability(event), float(self.counts[happens].sum() / self.counts.sum())


def show(name: str, rate: tuple[float, float], low: float, high: float) -> bool:
    """Print a rate beside its limits; return whether the enumerated one keeps them."""
    good = low <= rate[0] <= high
    print(f"  {name:<44} {rate[0]:7.2%} ({rate[1]:7.2%}){'' if good else '  FAILS'}", flush=True)
    return good


def check_single_runs(n: int, discordant: float, pairs: int, rng: np.random.Generator) -> Iterator[bool]:
    """Print the rates of one number of texts and one share of discordant ones."""
    expected = n * discordant
    print(f"n = {n}, {discordant:.0%} discordant ({expected:.0f} texts)")
    equal = Setting(n, discordant / 2, discordant / 2, pairs, rng)
    yield show("McNemar, exact", equal.rate(lambda a, b: mcnemar_exact(a, b) <= LEVEL), 0, 0.055)
    least = 0.035 if expected >= 25 else 0.0
    yield show("McNemar, mid-p", equal.rate(lambda a, b: mcnemar_mid_p(a, b) <= LEVEL), least, 0.06)
    for margin in (margin for margin in MARGINS if margin <= discordant):
        worse = Setting(n, (discordant - margin) / 2, (discordant + margin) / 2, pairs, rng)

        def matches(a: int, b: int, margin: float = margin) -> bool:
            return not_inferior_p(n, a, b, margin) <= LEVEL

        def is_within(a: int, b: int, margin: float = margin) -> bool:
            return equivalent_p(n, a, b, margin) <= LEVEL

        yield show(f"matches, worse by {margin:.0%}", worse.rate(matches), 0, 0.055)
        yield show(f"within the margin, worse by {margin:.0%}", worse.rate(is_within), 0, 0.055)
    coverages = []
    for skew in SKEWS:
        win, loss = discordant * (1 + skew) / 2, discordant * (1 - skew) / 2

        def covers(a: int, b: int, truth: float = win - loss) -> bool:
            low, high = paired_interval(n, a, b)
            return low <= truth <= high

        coverages.append(Setting(n, win, loss, pairs, rng).rate(covers))
    for name, coverage in (("smallest", min(coverages)), ("largest", max(coverages))):
        limits = (0.93, 0.97) if expected >= 10 else (0.0, 1.0)
        yield show(f"interval, {name} coverage", coverage, *limits)


def check_seeds(contest: Contest, runs: int, rng: np.random.Generator) -> Iterator[bool]:
    """Print the coverage of the bootstrap's interval in simulated contests."""
    print(f"n = {contest.n}, {contest.seeds[0]} and {contest.seeds[1]} seeds, spread {contest.spread:.0%}")
    truths = {metric: contest.truth(metric) for metric in METRICS}
    covered = dict.fromkeys(METRICS, 0)
    for _ in range(runs):
        sample = contest.simulate(rng)
        for metric in METRICS:
            low, high = bootstrap([sample], metric).interval
            covered[metric] += low <= truths[metric] <= high
    for metric in METRICS:
        share = covered[metric] / runs
        # Two standard errors of the simulation below the limit are chance.
        yield show(f"bootstrap, coverage of {metric}", (share, share), 0.93 - 2 * (0.065 / runs) ** 0.5, 1)


def main() -> int:
    """Print all rates; return 1 where one fails."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--pairs", type=int, default=20_000, help="simulated pairs of runs per setting")
    parser.add_argument(
        "--runs", type=int, default=2000, help="simulated contests of several seeds per setting"
    )
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    good = True
    for n, discordant in product(SIZES, DISCORDANT):
        good &= all([*check_single_runs(n, discordant, options.pairs, rng)])
    for n, (seeds, spread) in product(SIZES, SEEDS):
        good &= all([*check_seeds(Contest(n, seeds, spread), options.runs, rng)])
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
