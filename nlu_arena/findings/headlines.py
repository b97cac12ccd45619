"""Statements that people like to make of this benchmark: each is computed, none assumed."""

from __future__ import annotations

from collections.abc import Sequence

from nlu_arena.comparing import Pair, Row, compare_pairs
from nlu_arena.contender import Contender, Round
from nlu_arena.findings.efficient import find_choices
from nlu_arena.findings.judging import group_by_place
from nlu_arena.findings.majority import find_strong
from nlu_arena.findings.records import Finding, Front, Headline, Standing, Verdict
from nlu_arena.findings.scene import Scene
from nlu_arena.findings.sizes import name_size
from nlu_arena.findings.wording import say_list, say_range, say_signed
from nlu_arena.spec import Mode
from nlu_arena.views.figures import format_p

# "Surprisingly good": at most five points worse than the best.
CLOSE = 0.05
# A model stands in the mode that has learned most: chosen by setting, not by score.
BY_LEARNING: tuple[Mode, ...] = ("lora", "fine-tune", "few-shot", "zero-shot")
STANDINGS: dict[Verdict, Standing] = {
    "yes": "shown",
    "in part": "shown in part",
    "no": "not shown",
    "not shown": "not shown",
    "cannot be said yet": "cannot be said yet",
}


def find_headlines(
    scene: Scene, matching: Finding, prompting: Finding, efficiency: Finding
) -> list[Headline]:
    """Return the four headlines; three follow from questions, one has tests of its own."""
    return [
        _repeat("lora", "LoRA brings small LLMs within 2 points of BERT", matching),
        _repeat("few-shot", "Few-shot prompting is competitive with fine-tuning", prompting),
        _judge_smallest(scene),
        _judge_trade_off(efficiency),
    ]


def _repeat(key: str, statement: str, finding: Finding) -> Headline:
    sentence = f"{finding.summary[:1].upper()}{finding.summary[1:]}."
    return Headline(key=key, statement=statement, standing=STANDINGS[finding.verdict], sentence=sentence)


def _judge_trade_off(efficiency: Finding) -> Headline:
    """Judge by the number of points on the fronts: one alone is no trade-off."""
    fronts = [front for front in efficiency.evidence if isinstance(front, Front)]
    choices = find_choices(fronts)
    mixed = [front for front in choices if len(front.members) > 1]
    counts = say_list(f"{len(front.members)} of {len(front.points)} on {front.task}" for front in choices)
    standing: Standing = "not shown"
    if not choices:
        standing = "cannot be said yet"
    elif mixed:
        standing = "shown" if len(mixed) == len(fronts) else "shown in part"
    return Headline(
        key="trade-off",
        statement="There are clear trade-offs between accuracy and cost",
        standing=standing,
        sentence=f"On the Pareto front: {counts}." if counts else f"{efficiency.summary}.".capitalize(),
    )


def _judge_smallest(scene: Scene) -> Headline:
    """Test the smallest language model against every other one in every mode, so that the best is among them.

    On a task it holds when no other one is left that may be five points better: each test has to show that.
    """
    smallest = _find_smallest(scene)
    pairs = (
        []
        if smallest is None
        else [pair for r in scene.rounds for pair in _pair_smallest(scene, r, smallest)]
    )
    named = f" ({smallest})" if smallest else ""
    statement = f"The smallest LLM{named} is surprisingly good: within 5 points of the best LLM"
    if not pairs:
        return Headline(
            key="smallest",
            statement=statement,
            standing="cannot be said yet",
            sentence="No two LLMs of different sizes answered the same texts, without an alarm.",
        )
    rows = compare_pairs(pairs, margin=CLOSE)
    places = group_by_place(scene, rows)
    weak = [
        scene.name(found.task, found.split) for found in scene.rounds if not _has_strong_llm(scene, found)
    ]
    # To be near the best says something where the best has learned something.
    shown = [
        place
        for place, peers in places.items()
        if place not in weak and all("matches" in row.verdicts for row in peers)
    ]
    standing: Standing = "shown" if len(shown) == len(places) else "shown in part" if shown else "not shown"
    told = "; ".join(_tell(place, peers, place in weak) for place, peers in places.items())
    return Headline(
        key="smallest",
        statement=statement,
        standing=standing,
        sentence=f"{name_size(pairs[0].this)}: {told}.",
        evidence=tuple(rows),
    )


def _find_smallest(scene: Scene) -> str | None:
    sizes = {c.model: c.cells[0].size for found in scene.rounds for c in found.contenders if not c.is_encoder}
    return min(sizes, key=sizes.__getitem__) if len(set(sizes.values())) > 1 else None


def _pair_smallest(scene: Scene, found: Round, smallest: str) -> list[Pair]:
    mine: Contender | None = next(
        filter(None, (scene.find(found, smallest, mode) for mode in BY_LEARNING)), None
    )
    if mine is None:
        return []
    others = [c for mode in BY_LEARNING for c in scene.find_llms(found, mode) if c.model != smallest]
    return [Pair(mine, other, found) for other in others]


def _has_strong_llm(scene: Scene, found: Round) -> bool:
    return bool(find_strong([llm for mode in BY_LEARNING for llm in scene.find_llms(found, mode)], found))


def _tell(place: str, rows: Sequence[Row], is_weak: bool) -> str:
    """Return how the smallest does against the best of the others, with what all tests together show."""
    if is_weak:
        return f"{place}, no LLM is shown to beat the majority share"
    best = max(rows, key=lambda row: row.baseline_value)
    weakest = max(row.p_matches for row in rows)
    return (
        f"{place}, {best.name} {say_signed(best.difference)} points ({say_range(best.interval)})"
        f" against the best of the others, {best.baseline};"
        f" that none of {len(rows)} is 5 points better: {format_p(weakest)}"
    )
