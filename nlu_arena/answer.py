"""The answer of a sweep: which model, used how, is best on a task, how sure that is, and at what cost.

Experiments are compared where they answered the very same texts. What has an alarm is set aside. The best one
is the one with the highest accuracy, a mean where there are several seeds, of those that are shown to beat
always saying the majority label, which costs nothing (exact binomial test against its share); the others are
tested against it (exact McNemar test on paired answers; of several seeds the means, by a bootstrap over texts
and seeds). Both at 5 %, adjusted by Holm: the first for all experiments, the second for all pairs of them,
since the very same answers have chosen the best.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Literal

import msgspec

from nlu_arena.comparing.rows import Pair
from nlu_arena.comparing.sheets import Sheets
from nlu_arena.contender import Contender, Cost, ReadLabels, Round, agree_published, find_rounds
from nlu_arena.ledger.rows import Cell
from nlu_arena.spec import Mode
from nlu_arena.statistics import LEVEL, binomial_greater, bootstrap, detectable_gap, holm, mcnemar_exact

Standing = Literal["best", "not shown to be worse", "worse", "not shown to beat the majority", "set aside"]


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """The paired test of an experiment against the best one.

    `difference` is the best one's accuracy less its own; `only_best` and `only_other` count the texts that
    only one of them got right, None where there are several seeds. `p_adjusted` accounts for all pairs of
    experiments: any of them could have been the best. `detectable_gap` is what such texts as a rule show.
    """

    difference: float
    only_best: int | None
    only_other: int | None
    p_value: float
    p_adjusted: float
    detectable_gap: float

    @property
    def is_worse(self) -> bool:
        """Say whether the other is shown to be worse."""
        return self.p_adjusted <= LEVEL and self.difference > 0


class Lead(msgspec.Struct, frozen=True, kw_only=True):
    """The test of an experiment's accuracy, a mean of seeds, against the majority share of these texts.

    Exact and one-sided: to be worse than one label is no merit, and an alarm where it is clear. Seeds answer
    the same texts, so their mean counts as one of them. `p_adjusted` accounts for all experiments.
    """

    p_value: float
    p_adjusted: float

    @property
    def is_shown(self) -> bool:
        """Say whether the experiment is shown to beat the majority label."""
        return self.p_adjusted <= LEVEL


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """One experiment with all its finished seeds; `accuracy` is their mean.

    What is set aside is not tested: it has no `lead` and no `comparison`.
    """

    name: str
    model: str
    mode: Mode
    standing: Standing
    accuracy: float
    interval: tuple[float, float]
    alarms: tuple[str, ...]
    seeds: tuple[int, ...]
    keys: tuple[str, ...]
    cost: Cost
    lead: Lead | None
    comparison: Comparison | None


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The answer for one split of a task, with the candidates from the highest accuracy down.

    `best` and `practical` are names of candidates. Without a `best` nothing is shown to beat the majority
    label. `practical` is the cheapest one of those that are not shown to be worse, None where their times
    tell nothing. `detectable_gap` is the difference that would as a rule have been found, where none was.
    `published` says whether the texts are those of `published_name`.
    """

    task: str
    split: str
    n: int
    fingerprint: str
    data_source: str
    published: bool | None
    published_name: str
    majority: float
    majority_label: str
    best: str | None
    practical: str | None
    detectable_gap: float | None
    candidates: tuple[Candidate, ...]

    def find(self, *standings: Standing) -> list[Candidate]:
        """Return the candidates with one of these standings."""
        return [candidate for candidate in self.candidates if candidate.standing in standings]


def find_answers(cells: Sequence[Cell], read_labels: ReadLabels) -> list[Answer]:
    """Return an answer for each split of a task that at least two experiments have done on the same texts.

    Args:
        cells: The cells of a sweep.
        read_labels: Gives the gold and the predicted labels of a run on a split; asked for what is compared.
    """
    rounds = find_rounds(cells, read_labels)
    return [_answer(found) for found in rounds if len(found.contenders) > 1]


def _answer(found: Round) -> Answer:
    contenders = sorted(found.contenders, key=lambda contender: -contender.accuracy)
    compared = [contender for contender in contenders if not contender.alarms]
    leads = find_leads(compared, found.n, found.majority)
    best = next((contender for contender in compared if leads[contender.name].is_shown), None)
    comparisons = {} if best is None else _compare(best, compared, found)
    candidates = [
        _judge(contender, best, leads.get(contender.name), comparisons.get(contender.name))
        for contender in contenders
    ]
    cells = [cell for contender in found.contenders for cell in contender.cells]
    return Answer(
        task=found.task,
        split=found.split,
        n=found.n,
        fingerprint=found.fingerprint,
        data_source=found.data_source,
        published=agree_published(cell.is_published(found.split) for cell in cells),
        published_name=next(filter(None, (cell.published for cell in cells)), ""),
        majority=found.majority,
        majority_label=found.labels[contenders[0].majority_label],
        best=None if best is None else best.name,
        practical=_choose_cheapest(_leave_one_of_a_kind(contenders, candidates)),
        detectable_gap=_find_gap(candidates),
        candidates=tuple(candidates),
    )


def find_leads(contenders: Sequence[Contender], n: int, majority: float) -> dict[str, Lead]:
    """Test each experiment against always saying the majority label."""
    if majority == 1:
        # Nothing can beat it.
        return {contender.name: Lead(p_value=1.0, p_adjusted=1.0) for contender in contenders}
    p_values = [binomial_greater(round(c.accuracy * n), n, majority) for c in contenders]
    return {
        contender.name: Lead(p_value=p_value, p_adjusted=p_adjusted)
        for contender, p_value, p_adjusted in zip(contenders, p_values, holm(p_values), strict=True)
    }


def _compare(best: Contender, compared: Sequence[Contender], found: Round) -> dict[str, Comparison]:
    """Test the others against the best one."""
    others = [contender for contender in compared if contender is not best]
    pairs = math.comb(len(compared), 2)
    sheets = Sheets()
    # What the smallest p-value must reach among all pairs.
    tests = [_test(best, other, found, sheets, LEVEL / pairs) for other in others]
    adjusted = holm([test.p_value for test in tests], pairs)
    return {
        other.name: msgspec.structs.replace(test, p_adjusted=p_adjusted)
        for other, test, p_adjusted in zip(others, tests, adjusted, strict=True)
    }


def _test(best: Contender, other: Contender, found: Round, sheets: Sheets, level: float) -> Comparison:
    """Return one comparison as if it were the only one; its gap is that of a level."""
    if len(best.seeds) > 1 or len(other.seeds) > 1:
        estimate = bootstrap([sheets.sample(Pair(best, other, found))])
        return Comparison(
            difference=estimate.difference,
            only_best=None,
            only_other=None,
            p_value=estimate.p_value,
            p_adjusted=estimate.p_value,
            detectable_gap=estimate.detectable_gap(level),
        )
    # Without arrays: a screen that is looked at often shows this.
    mine, theirs = best.right(best.seeds[0]), other.right(other.seeds[0])
    only_best, only_other = (mine & ~theirs).bit_count(), (theirs & ~mine).bit_count()
    p_value = mcnemar_exact(only_best, only_other)
    return Comparison(
        difference=(only_best - only_other) / found.n,
        only_best=only_best,
        only_other=only_other,
        p_value=p_value,
        p_adjusted=p_value,
        detectable_gap=detectable_gap(found.n, (only_best + only_other) / found.n, level),
    )


def _judge(
    contender: Contender, best: Contender | None, lead: Lead | None, comparison: Comparison | None
) -> Candidate:
    return Candidate(
        name=contender.name,
        model=contender.model,
        mode=contender.mode,
        standing="best" if contender is best else _stand(lead, comparison),
        accuracy=contender.accuracy,
        interval=contender.interval,
        alarms=contender.alarms,
        seeds=tuple(contender.seeds),
        keys=tuple(cell.key for cell in contender.cells),
        cost=contender.cost,
        lead=lead,
        comparison=comparison,
    )


def _stand(lead: Lead | None, comparison: Comparison | None) -> Standing:
    if lead is None:
        return "set aside"
    if not lead.is_shown:
        return "not shown to beat the majority"
    return "worse" if comparison and comparison.is_worse else "not shown to be worse"


def _leave_one_of_a_kind(contenders: Sequence[Contender], candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return the most accurate of the good ones of each kind, for a choice by the time of an answer.

    A model in a mode with as many shots takes the same time whatever rows it was trained on, and nearly the
    same whatever its template: the times measured of them differ by chance.
    """
    kinds: dict[tuple[str, str, Mode, int], Candidate] = {}
    for contender, candidate in zip(contenders, candidates, strict=True):
        cell = contender.cells[0]
        if candidate.standing in ("best", "not shown to be worse"):
            kinds.setdefault((cell.model, cell.quantisation, cell.mode, cell.shots), candidate)
    return list(kinds.values())


def _choose_cheapest(good: Sequence[Candidate]) -> str | None:
    """Return the fastest of those that may be as good as the best, None where their times tell nothing."""
    timed = [(c.cost.ms_per_text, c.name) for c in good if c.cost.ms_per_text is not None]
    if len({candidate.cost.device for candidate in good}) > 1 or not timed:
        return None
    return min(timed)[1]


def _find_gap(candidates: Sequence[Candidate]) -> float | None:
    """Return the difference that would have been found, where none of those compared is shown to be worse."""
    compared = [candidate.comparison for candidate in candidates if candidate.comparison]
    if not compared or any(comparison.is_worse for comparison in compared):
        return None
    return statistics.median(comparison.detectable_gap for comparison in compared)
