"""The answer of a sweep: which model, used how, is best on a task, how sure that is, and at what cost.

Experiments are compared where they answered the very same texts. The best one is the one with the highest
accuracy, a mean where there are several seeds; the others are tested against it (exact McNemar on paired
answers, Holm over all of these comparisons, 5 %). What has an alarm is set aside; what the majority share
explains is never recommended: saying one label always costs nothing.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from nlu_arena.contender import Contender, Cost, ReadLabels, join_seeds
from nlu_arena.ledger.rows import Cell
from nlu_arena.spec import Mode
from nlu_arena.statistics import LEVEL, detectable_gap, holm, mcnemar_exact

Standing = Literal["best", "not shown to be worse", "worse", "no better than the majority", "set aside"]


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """The paired test of an experiment against the best one: how many texts only one of them got right.

    Where there are several seeds, the first one that both have is paired; `seeds` are the best one's and the
    other's. `p_adjusted` accounts for all comparisons with the best.
    """

    seeds: tuple[int, int]
    only_best: int
    only_other: int
    p_value: float
    p_adjusted: float

    @property
    def is_worse(self) -> bool:
        """Say whether the other is shown to be worse.

        The means choose the best one: on the seeds that are paired the other can be the better of the two.
        """
        return self.p_adjusted <= LEVEL and self.only_other < self.only_best


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """One experiment with all its finished seeds; `accuracy` is their mean."""

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
    comparison: Comparison | None


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The answer for one split of a task, with the candidates from the highest accuracy down.

    `best` and `practical` are names of candidates. Without a `best` nothing is shown to beat the majority
    share. `practical` is the cheapest one of those that are not shown to be worse, None where their times
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
    texts: dict[tuple[str, str, str], list[Cell]] = {}
    for cell in cells:
        if cell.state == "done":
            for split, fingerprint in cell.fingerprints.items():
                texts.setdefault((cell.task, split, fingerprint), []).append(cell)
    return [
        _answer(members, split, read_labels)
        for (_, split, _), members in texts.items()
        if len({cell.setting for cell in members}) > 1
    ]


def _answer(cells: Sequence[Cell], split: str, read_labels: ReadLabels) -> Answer:
    contenders = sorted(join_seeds(cells, split), key=lambda contender: -contender.accuracy)
    compared = [contender for contender in contenders if not contender.alarms]
    best = compared[0] if compared and compared[0].beats_majority else None
    comparisons = {} if best is None else _compare(best, compared[1:], read_labels)
    candidates = [_judge(contender, best, comparisons.get(contender.name)) for contender in contenders]
    first = cells[0]
    metrics = first.by_split[split]
    return Answer(
        task=first.task,
        split=split,
        n=metrics.n,
        fingerprint=first.fingerprints[split],
        data_source=first.data_source,
        published=_agree(cell.is_published(split) for cell in cells),
        published_name=next(filter(None, (cell.published for cell in cells)), ""),
        majority=metrics.majority,
        majority_label=_majority_label(first, split, read_labels),
        best=None if best is None else best.name,
        practical=_choose_cheapest(candidates),
        detectable_gap=_find_gap(candidates, metrics.n),
        candidates=tuple(candidates),
    )


def _compare(best: Contender, others: Sequence[Contender], read_labels: ReadLabels) -> dict[str, Comparison]:
    """Test the others against the best one on the texts that exactly one of the two got right."""
    rights: dict[int, int] = {}
    counts: list[tuple[tuple[int, int], int, int]] = []
    for other in others:
        seeds = _pair_seeds(best.seeds, other.seeds)
        if seeds[0] not in rights:
            rights[seeds[0]] = best.right(seeds[0], read_labels)
        mine, theirs = rights[seeds[0]], other.right(seeds[1], read_labels)
        counts.append((seeds, (mine & ~theirs).bit_count(), (theirs & ~mine).bit_count()))
    p_values = [mcnemar_exact(only_best, only_other) for _, only_best, only_other in counts]
    return {
        other.name: Comparison(
            seeds=seeds, only_best=only_best, only_other=only_other, p_value=p_value, p_adjusted=p_adjusted
        )
        for other, (seeds, only_best, only_other), p_value, p_adjusted in zip(
            others, counts, p_values, holm(p_values), strict=True
        )
    }


def _pair_seeds(mine: Sequence[int], theirs: Sequence[int]) -> tuple[int, int]:
    """Return the first seed that both have, twice, or the first of each: zero-shot draws nothing."""
    common = next((seed for seed in mine if seed in theirs), None)
    return (mine[0], theirs[0]) if common is None else (common, common)


def _judge(contender: Contender, best: Contender | None, comparison: Comparison | None) -> Candidate:
    return Candidate(
        name=contender.name,
        model=contender.cells[0].model,
        mode=contender.cells[0].mode,
        standing=_stand(contender, best, comparison),
        accuracy=contender.accuracy,
        interval=contender.interval,
        alarms=contender.alarms,
        seeds=tuple(contender.seeds),
        keys=tuple(cell.key for cell in contender.cells),
        cost=contender.cost,
        comparison=comparison,
    )


def _stand(contender: Contender, best: Contender | None, comparison: Comparison | None) -> Standing:
    if contender.alarms:
        return "set aside"
    if contender is best:
        return "best"
    if not contender.beats_majority:
        return "no better than the majority"
    return "worse" if comparison and comparison.is_worse else "not shown to be worse"


def _choose_cheapest(candidates: Sequence[Candidate]) -> str | None:
    """Return the fastest of those that may be as good as the best, None where their times tell nothing."""
    good = [c for c in candidates if c.standing in ("best", "not shown to be worse")]
    timed = [(c.cost.ms_per_text, c.name) for c in good if c.cost.ms_per_text is not None]
    if len({candidate.cost.device for candidate in good}) > 1 or not timed:
        return None
    return min(timed)[1]


def _find_gap(candidates: Sequence[Candidate], n: int) -> float | None:
    """Return the difference that would have been found, where none of those compared is shown to be worse."""
    compared = [candidate.comparison for candidate in candidates if candidate.comparison]
    if not compared or any(comparison.is_worse for comparison in compared):
        return None
    discordant = statistics.median((c.only_best + c.only_other) / n for c in compared)
    # Holm's first step: the smallest p-value is multiplied by the number of comparisons.
    return detectable_gap(n, discordant, LEVEL / len(compared))


def _majority_label(cell: Cell, split: str, read_labels: ReadLabels) -> str:
    assert cell.run_id is not None
    gold, _ = read_labels(cell.run_id, split)
    return cell.labels[Counter(gold).most_common(1)[0][0]]


def _agree(found: Iterable[bool | None]) -> bool | None:
    """Return False where any number is not from the published splits, True where all are known to be."""
    known = set(found)
    return False if False in known else None if None in known else True
