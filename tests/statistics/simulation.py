"""Simulated runs of two classifiers whose true metrics are known."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import ndtr, ndtri

from nlu_arena.statistics import Metric, Sample
from nlu_arena.statistics.influence import measure

# Of the labels; rare ones are what distinguishes the metrics.
SHARES = np.array([0.6, 0.3, 0.1])
# A text's difficulty: for every run, for one classifier, for one run.
DIFFICULTY = np.sqrt([0.8, 0.15, 0.05])
N_LABELS = len(SHARES)


class Contest(NamedTuple):
    """Two classifiers: accuracies, numbers of seeds, and how far the seeds' true accuracies spread."""

    n: int
    seeds: tuple[int, int]
    spread: float
    accuracies: tuple[float, float] = (0.88, 0.86)

    def shift(self, accuracy: float) -> float:
        """Return the standard deviation of the seeds on the scale of difficulty."""
        density = float(np.exp(-(ndtri(accuracy) ** 2) / 2) / np.sqrt(2 * np.pi))
        return self.spread / density

    def simulate(self, rng: np.random.Generator) -> Sample:
        """Return the answers of all runs to new texts: wrong ones are the label after the gold one."""
        gold = rng.choice(N_LABELS, size=self.n, p=SHARES)
        for_all = DIFFICULTY[0] * rng.standard_normal(self.n)
        sides = []
        for accuracy, seeds in zip(self.accuracies, self.seeds, strict=True):
            own = DIFFICULTY[1] * rng.standard_normal(self.n)
            noise = DIFFICULTY[2] * rng.standard_normal((seeds, self.n))
            limit = ndtri(accuracy) + self.shift(accuracy) * rng.standard_normal((seeds, 1))
            wrong = for_all + own + noise > limit
            sides.append((gold + wrong) % N_LABELS)
        return Sample(gold, sides[0], sides[1], N_LABELS)

    def truth(self, metric: Metric) -> float:
        """Return the difference of the metrics on endlessly many texts, with endlessly many seeds."""
        # 100,000 texts in the labels' shares; 200 seeds at the middles of equally likely ranges.
        gold = np.repeat(np.arange(N_LABELS), (SHARES * 1e5).astype(int))
        means = []
        for accuracy in self.accuracies:
            limits = ndtri(accuracy) + self.shift(accuracy) * ndtri((np.arange(200) + 0.5) / 200)
            # Within each label the same share is right, the first texts.
            place = np.concatenate([(np.arange(c) + 0.5) / c for c in np.bincount(gold)])
            answers = ((gold + (place > ndtr(limit))) % N_LABELS for limit in limits)
            means.append(np.mean([measure(metric, gold, one[None], N_LABELS).values[0] for one in answers]))
        return float(means[0] - means[1])
