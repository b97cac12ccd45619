"""Is one classifier better than another on the same texts: exact tests, and what they can show.

Counts are always (n, n10, n01): n texts, n10 that only the first got right, n01 that only the second did. A
difference is accuracy(first) - accuracy(second) = (n10 - n01) / n. Differences and margins are shares: 0.02
are two points.
"""

from nlu_arena.statistics.binomial import binomial_greater
from nlu_arena.statistics.equivalence import equivalent_p, not_inferior_p
from nlu_arena.statistics.families import holm
from nlu_arena.statistics.gaps import detectable_gap, provable_margin
from nlu_arena.statistics.influence import Metric
from nlu_arena.statistics.intervals import paired_interval
from nlu_arena.statistics.levels import LEVEL, POWER
from nlu_arena.statistics.mcnemar import mcnemar_exact, mcnemar_mid_p
from nlu_arena.statistics.resampling import Estimate, Sample, bootstrap

__all__ = [
    "LEVEL",
    "POWER",
    "Estimate",
    "Metric",
    "Sample",
    "binomial_greater",
    "bootstrap",
    "detectable_gap",
    "equivalent_p",
    "holm",
    "mcnemar_exact",
    "mcnemar_mid_p",
    "not_inferior_p",
    "paired_interval",
    "provable_margin",
]
