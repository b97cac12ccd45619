"""Question 4: which approach is most efficient?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nlu_arena.comparing.suggestion import name_other_run
from nlu_arena.findings.fronts import draw_front
from nlu_arena.findings.judging import Judgement
from nlu_arena.findings.records import Finding, Front, FrontPoint
from nlu_arena.findings.scene import Scene
from nlu_arena.findings.wording import say_list, say_range
from nlu_arena.statistics import LEVEL
from nlu_arena.views.figures import (
    format_bytes,
    format_milliseconds,
    format_p,
    format_percent,
    format_seconds,
)

KEY = "efficiency"
QUESTION = "Which approach is most efficient?"
CLAIM = "one approach is the most accurate, the fastest, the smallest in memory and the quickest to train"
BASIS = (
    "On a front is a model in a mode that no other one beats or equals in accuracy, latency of one text,"
    " peak memory and training time; what is not shown to beat the majority share is left out, since that"
    " costs nothing."
)


def answer_efficiency(scene: Scene) -> Finding:
    """Return the Pareto front of each task's main split, with a test of what its accuracy is worth."""
    fronts = [front for found in scene.rounds if found.is_main and (front := draw_front(scene, found))]
    judgement = _judge(fronts)
    told = (sentence for front in fronts for sentence in _tell(front))
    return Finding(
        key=KEY,
        question=QUESTION,
        claim=CLAIM,
        verdict=judgement.verdict,
        summary=judgement.summary,
        sentences=(*told, BASIS) if fronts else (),
        evidence=tuple(fronts),
        commands=tuple(_suggest(scene)) if judgement.verdict == "cannot be said yet" else (),
    )


def _suggest(scene: Scene) -> Iterator[str]:
    """Yield what gives a task a second contender, where it has one alone."""
    for found in scene.rounds:
        if found.is_main and len(found.contenders) == 1:
            yield name_other_run(found.contenders[0].cells[0], ()).strip("`")


def find_choices(fronts: Sequence[Front]) -> list[Front]:
    """Return the fronts of tasks with a choice: two approaches or more beat the majority share."""
    return [front for front in fronts if len(front.points) > 1]


def _judge(fronts: Sequence[Front]) -> Judgement:
    choices = find_choices(fronts)
    if not choices:
        reason = "no task has two approaches that beat the majority share" if fronts else "nothing was timed"
        return Judgement("cannot be said yet", reason)
    mixed = [front.task for front in choices if len(front.members) > 1]
    single = [f"{front.members[0].name} on {front.task}" for front in choices if len(front.members) == 1]
    silent = [front.task for front in fronts if front not in choices]
    beside = f"; no choice on {say_list(silent)}" if silent else ""
    if not mixed:
        return Judgement("yes", f"{say_list(single)}{beside}")
    if single:
        return Judgement("in part", f"{say_list(single)}; a trade-off on {say_list(mixed)}{beside}")
    return Judgement("no", f"none is the best in everything, a trade-off on {say_list(mixed)}{beside}")


def _tell(front: Front) -> list[str]:
    members = front.members
    if not members:
        return [f"{front.task}: nothing is shown to beat the majority share."]
    best = members[0]
    if len(front.points) == 1:
        sentences = [f"{front.task}: only {_describe(best)} is shown to beat the majority share."]
    elif len(members) == 1:
        sentences = [f"{front.task}: {_describe(best)} is not worse than any other in anything."]
    else:
        sentences = [
            f"{front.task}: {len(members)} of {len(front.points)} are on the front."
            f" Most accurate: {_describe(best)}. {_name_cheapest(front)}"
        ]
    if front.gap is not None and front.gap_interval is not None and front.gap_p is not None:
        shown = "shown" if front.gap_p <= LEVEL else "not shown"
        sentences.append(
            f"{front.task}: that {best.name} is more accurate than {front.fastest} is {shown}"
            f" ({100 * front.gap:.1f} points, {say_range(front.gap_interval)};"
            f" {format_p(front.gap_p)} for all pairs)."
        )
    if front.elsewhere:
        sentences.append(f"{front.task}: left out, on another device: {say_list(front.elsewhere)}.")
    return sentences


def _name_cheapest(front: Front) -> str:
    members = front.members
    parts = []
    if timed := [p for p in members if p.latency_ms is not None]:
        point = min(timed, key=lambda p: p.latency_ms or 0)
        parts.append(f"fastest: {point.name}, {format_milliseconds(point.latency_ms or 0)} a text")
    if weighed := [p for p in members if p.memory_bytes is not None]:
        point = min(weighed, key=lambda p: p.memory_bytes or 0)
        parts.append(f"least memory: {point.name}, {format_bytes(point.memory_bytes or 0)}")
    if trained := [p for p in members if p.train_seconds is not None]:
        point = min(trained, key=lambda p: p.train_seconds or 0)
        time = format_seconds(point.train_seconds) if point.train_seconds else "none"
        parts.append(f"least training: {point.name}, {time}")
    text = "; ".join(parts)
    return f"{text[:1].upper()}{text[1:]}."


def _describe(point: FrontPoint) -> str:
    return f"{point.name}, {format_percent(point.accuracy)} %"
