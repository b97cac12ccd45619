"""Which model, used how, to take for a task within given limits.

Of the contenders that meet the limits and are shown to beat the majority label, which costs nothing, those
are worth their cost that no other matches in accuracy and all costs: the Pareto front. The most accurate one
of them is recommended. The others are tested against it on the same texts, by McNemar's exact test or, with
several seeds, by a bootstrap; adjusted by Holm for all pairs that met the limits, since these answers have
chosen the best. The limits were set without looking at answers: what they leave out does not count.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import msgspec

from nlu_arena.answer import Lead, find_leads
from nlu_arena.comparing import Pair, Row, compare_pairs
from nlu_arena.contender import Contender, Round, agree_published
from nlu_arena.efficiency import find_winners
from nlu_arena.ledger.rows import Cell
from nlu_arena.limits import Limits, Miss, Needs, find_misses, find_needs
from nlu_arena.spec import Mode
from nlu_arena.statistics import LEVEL, holm

Standing = Literal[
    "recommended",
    "not shown to be worse",
    "worse",
    "not shown to beat the majority",
    "set aside",
    "misses a limit",
]


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """How much more accurate a contender is than the recommended one, and how sure that is.

    `difference` and `interval` are shares; `p_adjusted` accounts for all pairs of those that meet the limits.
    """

    difference: float
    interval: tuple[float, float]
    method: Literal["exact", "bootstrap"]
    p_value: float
    p_adjusted: float

    @property
    def is_worse(self) -> bool:
        """Say whether the contender is shown to be worse."""
        return self.p_adjusted <= LEVEL and self.difference < 0


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """One contender and whether it can be taken.

    `run` is what `predict` knows it by. `misses` are the limits that it does not meet. `on_front` says that
    no other is as good at no higher cost; where one is, `beaten_by` names the most accurate. What misses a
    limit or has an alarm has no `lead` and no `gap`. `is_timed_here` says whether its costs are of a device
    that this machine has.
    """

    name: str
    model: str
    mode: Mode
    run: str
    standing: Standing
    accuracy: float
    interval: tuple[float, float]
    seeds: tuple[int, ...]
    alarms: tuple[str, ...]
    needs: Needs
    device: str
    is_timed_here: bool
    misses: tuple[Miss, ...]
    lead: Lead | None
    gap: Gap | None
    on_front: bool
    beaten_by: str | None


class Recommendation(msgspec.Struct, frozen=True, kw_only=True):
    """What to take for a task, with all candidates from the highest accuracy down.

    `recommended` and `faster` are names of candidates on the front; without the first, nothing that meets the
    limits is shown to beat the majority label. `faster` takes less time for a text: the fastest one that is
    not shown to be worse, or else the fastest.
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
    limits: Limits
    recommended: str | None
    faster: str | None
    candidates: tuple[Candidate, ...]

    @property
    def front(self) -> list[Candidate]:
        """Return the candidates on the Pareto front."""
        return [candidate for candidate in self.candidates if candidate.on_front]

    def find(self, *standings: Standing) -> list[Candidate]:
        """Return the candidates with one of these standings."""
        return [candidate for candidate in self.candidates if candidate.standing in standings]

    def nearest(self) -> Candidate | None:
        """Return the candidate without an alarm that comes nearest to limits that it misses."""

        def distance(candidate: Candidate) -> tuple[int, float, list[float]]:
            misses = candidate.misses
            # Of a limit of nothing all are infinitely far: then what is needed counts.
            needed = [math.inf if miss.value is None else miss.value for miss in misses]
            return len(misses), max(miss.excess for miss in misses), needed

        missing = [candidate for candidate in self.find("misses a limit") if not candidate.alarms]
        return min(missing, key=distance, default=None)


class Finding(NamedTuple):
    """What is found out of a contender before it is told; `winner` beats it at no higher cost."""

    needs: Needs
    misses: tuple[Miss, ...]
    lead: Lead | None = None
    on_front: bool = False
    winner: Contender | None = None
    gap: Gap | None = None


def recommend(found: Round, limits: Limits, cells: Sequence[Cell], here: Sequence[str]) -> Recommendation:
    """Return what to take of the contenders of a round.

    Args:
        found: The round.
        limits: What has to be met.
        cells: All experiments of the task that are done: they say which run a name means.
        here: The devices of this machine, as runs name them but for the threads.
    """
    findings = _examine(found, limits)
    best = next((contender for contender, finding in findings.items() if finding.on_front), None)
    findings = _compare(best, findings, found)
    newest = {f"{c.model}/{c.task}/{c.mode}": c.run_id for c in sorted(cells, key=lambda c: c.run_id or 0)}
    candidates = tuple(
        Candidate(
            name=contender.name,
            model=contender.model,
            mode=contender.mode,
            run=_name_run(contender, newest),
            standing=_stand(finding, is_best=contender is best),
            accuracy=contender.accuracy,
            interval=contender.interval,
            seeds=tuple(contender.seeds),
            alarms=contender.alarms,
            needs=finding.needs,
            device=contender.cost.device,
            is_timed_here=all(_is_one_of(cell.device, here) for cell in contender.cells),
            misses=finding.misses,
            lead=finding.lead,
            gap=finding.gap,
            on_front=finding.on_front,
            beaten_by=None if finding.winner is None else finding.winner.name,
        )
        for contender, finding in findings.items()
    )
    return Recommendation(
        **_describe_texts(found),
        limits=limits,
        recommended=None if best is None else best.name,
        faster=_choose_faster(candidates),
        candidates=candidates,
    )


def _describe_texts(found: Round) -> dict[str, Any]:
    first = found.contenders[0]
    cells = [cell for contender in found.contenders for cell in contender.cells]
    known = {cell.is_published(found.split) for cell in cells}
    return {
        "task": found.task,
        "split": found.split,
        "n": found.n,
        "fingerprint": found.fingerprint,
        "data_source": found.data_source,
        "published": agree_published(known),
        "published_name": next((cell.published for cell in cells if cell.published), ""),
        "majority": found.majority,
        "majority_label": first.cells[0].labels[first.majority_label],
    }


def _examine(found: Round, limits: Limits) -> dict[Contender, Finding]:
    """Return what each contender needs, and of those that can be taken which are worth their cost.

    They are in the order of their accuracy, equal ones in that of their latency.
    """
    needs = {contender: find_needs(contender) for contender in found.contenders}
    order = sorted(needs, key=lambda c: (-c.accuracy, _or_inf(needs[c].latency_ms)))
    findings = {c: Finding(needs[c], find_misses(needs[c], limits)) for c in order}
    sound = [c for c in order if not findings[c].misses and not c.alarms]
    leads = find_leads(sound, found.n, found.majority)
    good = [c for c in sound if leads[c.name].is_shown]
    # An unknown cost is taken for the highest.
    points = [(c.accuracy, *map(_or_inf, needs[c].costs)) for c in good]
    winners = dict(zip(good, find_winners(points, [c.cost.device for c in good]), strict=True))
    for contender in sound:
        place = winners.get(contender)
        findings[contender] = findings[contender]._replace(
            lead=leads[contender.name],
            on_front=contender in winners and place is None,
            winner=None if place is None else good[place],
        )
    return findings


def _compare(
    best: Contender | None, findings: Mapping[Contender, Finding], found: Round
) -> dict[Contender, Finding]:
    """Add the test against the best one to all others that meet the limits."""
    sound = [contender for contender, finding in findings.items() if finding.lead is not None]
    others = [] if best is None else [contender for contender in sound if contender is not best]
    rows = compare_pairs([Pair(other, best, found) for other in others if best is not None])
    adjusted = holm([row.p_value for row in rows], math.comb(len(sound), 2))
    compared = {
        other: findings[other]._replace(gap=_make_gap(row, p_adjusted))
        for other, row, p_adjusted in zip(others, rows, adjusted, strict=True)
    }
    return {contender: compared.get(contender, finding) for contender, finding in findings.items()}


def _make_gap(row: Row, p_adjusted: float) -> Gap:
    return Gap(
        difference=row.difference,
        interval=row.interval,
        method=row.method,
        p_value=row.p_value,
        p_adjusted=p_adjusted,
    )


def _stand(finding: Finding, *, is_best: bool) -> Standing:
    if finding.misses:
        return "misses a limit"
    if finding.lead is None:
        return "set aside"
    if is_best:
        return "recommended"
    if not finding.lead.is_shown:
        return "not shown to beat the majority"
    return "worse" if finding.gap and finding.gap.is_worse else "not shown to be worse"


def _choose_faster(candidates: Sequence[Candidate]) -> str | None:
    """Return what to take instead of the recommended one where time matters more, if anything is faster.

    Medians of the same model in two runs differ by about a tenth: less than a fifth is no reason. What is
    shown to be worse must be twice as fast.
    """
    best = next((candidate for candidate in candidates if candidate.standing == "recommended"), None)
    if best is None or best.needs.latency_ms is None:
        return None
    faster = []
    for candidate in candidates:
        is_worse, latency = candidate.standing == "worse", _or_inf(candidate.needs.latency_ms)
        most = (0.5 if is_worse else 0.8) * best.needs.latency_ms
        if candidate.on_front and candidate.device == best.device and latency <= most:
            faster.append((is_worse, latency, candidate.name))
    return min(faster)[2] if faster else None


def _name_run(contender: Contender, newest: Mapping[str, int | None]) -> str:
    """Return model/task/mode, or the folder of a run where that means a run of another contender."""
    last = max(contender.cells, key=lambda cell: cell.run_id or 0)
    title = f"{last.model}/{last.task}/{last.mode}"
    return title if newest.get(title) in {cell.run_id for cell in contender.cells} else last.folder


def _is_one_of(device: str, here: Sequence[str]) -> bool:
    """Say whether a run's device is here; that of a CPU names also the threads it had."""
    return any(device == name or device.startswith(f"{name}, ") for name in here)


def _or_inf(value: float | None) -> float:
    return math.inf if value is None else value
