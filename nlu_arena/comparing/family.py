"""A family of comparisons: all that are shown together, with p-values adjusted for being several."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

from nlu_arena.comparing.costs import average_costs, compare_costs
from nlu_arena.comparing.evidence import Evidence, weigh
from nlu_arena.comparing.rows import ALL_TASKS, Pair, Pool, Row, Verdict
from nlu_arena.comparing.sheets import Sheets
from nlu_arena.contender import Contender, Round, agree_published
from nlu_arena.statistics import LEVEL, Metric, holm


def compare_pairs(
    pairs: Sequence[Pair | Pool], *, margin: float = 0.02, metric: Metric = "accuracy"
) -> list[Row]:
    """Compare each contender with its baseline; all rows are one family, in the order of the pairs.

    With one seed each, accuracies are compared by McNemar's exact test; else means over seeds by a bootstrap.
    Holm's adjustment is made three times: for the differences, for matching, for being within the margin.

    Args:
        pairs: Who is compared with whom on which texts, or on those of several tasks.
        margin: How much worse still matches, as a share: 0.02 are two points.
        metric: What is compared.
    """
    if not pairs:
        return []
    members = [item.pairs if isinstance(item, Pool) else (item,) for item in pairs]
    sheets = Sheets()
    # What the smallest p-value of the family must reach: the others have it easier.
    level = LEVEL / len(members)
    found = [weigh(peers, sheets, metric, margin, level) for peers in members]
    differences = holm([evidence.p_value for evidence in found])
    matches = holm([evidence.p_matches for evidence in found])
    within = holm([evidence.p_within for evidence in found])
    return [
        _make_row(peers, metric, evidence, adjusted)
        for peers, evidence, *adjusted in zip(members, found, differences, matches, within, strict=True)
    ]


def _make_row(pairs: Sequence[Pair], metric: Metric, evidence: Evidence, adjusted: Sequence[float]) -> Row:
    this, baseline = [pair.this for pair in pairs], [pair.baseline for pair in pairs]
    rounds = [pair.round for pair in pairs]
    p_adjusted, p_matches, p_within = adjusted
    wins = evidence.wins or (None, None)
    cost, baseline_cost = (average_costs([c.cost for c in contenders]) for contenders in (this, baseline))
    same_device = all(pair.this.cost.device == pair.baseline.cost.device for pair in pairs)
    return Row(
        **_describe_texts(pairs),
        name=this[0].name,
        model=this[0].model,
        mode=this[0].mode,
        baseline=" / ".join(dict.fromkeys(contender.name for contender in baseline)),
        value=_average(this, rounds, metric),
        baseline_value=_average(baseline, rounds, metric),
        difference=evidence.difference,
        interval=evidence.interval,
        method=evidence.method,
        seeds=_list_seeds(this),
        baseline_seeds=_list_seeds(baseline),
        only_this=wins[0],
        only_baseline=wins[1],
        p_value=evidence.p_value,
        mid_p=evidence.mid_p,
        p_adjusted=p_adjusted,
        detectable_gap=evidence.detectable_gap,
        p_matches=p_matches,
        p_within=p_within,
        provable_margin=evidence.provable_margin,
        verdicts=_judge(evidence.difference, p_adjusted, p_matches, p_within),
        alarms=_list_alarms(this),
        baseline_alarms=_list_alarms(baseline),
        cost=cost,
        baseline_cost=baseline_cost,
        ratios=compare_costs(cost, baseline_cost, same_device=same_device),
    )


def _describe_texts(pairs: Sequence[Pair]) -> dict[str, Any]:
    """Return the fields of a row that say which texts it is about."""
    first, is_pooled = pairs[0].round, len(pairs) > 1
    known = {
        cell.is_published(pair.round.split)
        for pair in pairs
        for contender in (pair.this, pair.baseline)
        for cell in contender.cells
    }
    return {
        "task": ALL_TASKS if is_pooled else first.task,
        "split": "" if is_pooled else first.split,
        "fingerprint": "" if is_pooled else first.fingerprint,
        "tasks": tuple(pair.round.task for pair in pairs),
        "data_source": " / ".join(dict.fromkeys(pair.round.data_source for pair in pairs)),
        "published": agree_published(known),
        "n": sum(pair.round.n for pair in pairs),
    }


def _average(contenders: Sequence[Contender], rounds: Sequence[Round], metric: Metric) -> float:
    """Return the mean over seeds, and over the texts of several tasks."""
    means = [
        statistics.fmean(getattr(cell.by_split[found.split], metric) for cell in contender.cells)
        for contender, found in zip(contenders, rounds, strict=True)
    ]
    # A weighted mean of one number can differ from it in its last digit.
    return means[0] if len(means) == 1 else statistics.fmean(means, [found.n for found in rounds])


def _list_seeds(contenders: Sequence[Contender]) -> tuple[int, ...]:
    return tuple(sorted({seed for contender in contenders for seed in contender.seeds}))


def _list_alarms(contenders: Sequence[Contender]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for contender in contenders for name in contender.alarms))


def _judge(difference: float, p_adjusted: float, p_matches: float, p_within: float) -> tuple[Verdict, ...]:
    """Return all that is shown: better and matching can both be."""
    shown: dict[Verdict, bool] = {
        "better": p_adjusted <= LEVEL and difference > 0,
        "worse": p_adjusted <= LEVEL and difference < 0,
        "matches": p_matches <= LEVEL,
        "within the margin": p_within <= LEVEL,
    }
    return tuple(verdict for verdict, is_shown in shown.items() if is_shown)
