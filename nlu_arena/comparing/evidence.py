"""What the texts of a comparison say of the difference, before it is one of several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from nlu_arena.comparing.rows import Method, Pair
from nlu_arena.comparing.sheets import Sheets
from nlu_arena.statistics import (
    Metric,
    bootstrap,
    detectable_gap,
    equivalent_p,
    mcnemar_exact,
    mcnemar_mid_p,
    not_inferior_p,
    paired_interval,
    provable_margin,
)


class Evidence(NamedTuple):
    """A difference and the unadjusted p-values of none, of being worse by a margin, of differing by it."""

    difference: float
    interval: tuple[float, float]
    method: Method
    wins: tuple[int, int] | None
    p_value: float
    mid_p: float | None
    p_matches: float
    p_within: float
    detectable_gap: float
    provable_margin: float


def weigh(pairs: Sequence[Pair], sheets: Sheets, metric: Metric, margin: float, level: float) -> Evidence:
    """Return the evidence of one pair, or of several tasks' pairs together.

    Args:
        pairs: The same two contenders, on a task each.
        sheets: Gives their answers.
        metric: What differs.
        margin: How much worse is not yet worse, as a share.
        level: The level that a p-value must reach in its family.
    """
    has_one_seed = all(len(c.cells) == 1 for pair in pairs for c in (pair.this, pair.baseline))
    if metric == "accuracy" and has_one_seed:
        return _count(pairs, sheets, margin, level)
    estimate = bootstrap([sheets.sample(pair) for pair in pairs], metric)
    return Evidence(
        difference=estimate.difference,
        interval=estimate.interval,
        method="bootstrap",
        wins=None,
        p_value=estimate.p_value,
        mid_p=None,
        p_matches=estimate.not_inferior_p(margin),
        p_within=estimate.equivalent_p(margin),
        detectable_gap=estimate.detectable_gap(level),
        provable_margin=estimate.provable_margin(level),
    )


def _count(pairs: Sequence[Pair], sheets: Sheets, margin: float, level: float) -> Evidence:
    """Weigh by who alone got how many texts right; over several tasks by the sums.

    Two that are equally good on each task win each text that only one gets right with probability 1/2,
    whichever task it is of.
    """
    counts = [sheets.count_wins(pair) for pair in pairs]
    n = sum(pair.round.n for pair in pairs)
    this, baseline = sum(this for this, _ in counts), sum(baseline for _, baseline in counts)
    discordant, difference = (this + baseline) / n, (this - baseline) / n
    return Evidence(
        difference=difference,
        interval=paired_interval(n, this, baseline),
        method="exact",
        wins=(this, baseline),
        p_value=mcnemar_exact(this, baseline),
        mid_p=mcnemar_mid_p(this, baseline),
        # Of a difference that is itself beyond the margin the p-value is about a half or more, and takes a
        # millisecond: 1 says the same, and decides nothing otherwise. Of 1,000 rows most are such.
        p_matches=not_inferior_p(n, this, baseline, margin) if difference > -margin else 1.0,
        p_within=equivalent_p(n, this, baseline, margin) if abs(difference) < margin else 1.0,
        detectable_gap=detectable_gap(n, discordant, level),
        provable_margin=provable_margin(n, discordant, level),
    )
