"""Question 3: how much does the size of a language model matter?"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from nlu_arena.comparing import Pair, Row, compare_pairs
from nlu_arena.contender import Contender, Round
from nlu_arena.findings.judging import Judgement, tell_family
from nlu_arena.findings.majority import find_strong
from nlu_arena.findings.missing import suggest_llms, write_commands
from nlu_arena.findings.records import MARGIN, Finding
from nlu_arena.findings.scene import Scene
from nlu_arena.findings.wording import say_list, say_range, say_signed, say_verdicts
from nlu_arena.spec import MODES, Mode
from nlu_arena.views.figures import format_parameters

KEY = "size"
QUESTION = "How much does model size matter?"
CLAIM = "the largest LLM is more accurate than the smallest one in the same mode"
# What a title says of the size: the words before it are the maker's name and the generation.
SIZE = re.compile(r"\b\d+(\.\d+)?\s?[MB]\b", re.IGNORECASE)


class Ladder(NamedTuple):
    """The models of one mode on one task by size, the smallest first.

    It `is_telling` if any of them is shown to beat the majority share.
    """

    round: Round
    models: tuple[Contender, ...]
    is_telling: bool

    @property
    def whole(self) -> Pair:
        """Return the largest beside the smallest."""
        return Pair(self.models[-1], self.models[0], self.round)

    @property
    def pairs(self) -> list[Pair]:
        """Return the largest beside the smallest, then each model beside the next smaller one."""
        steps = [Pair(larger, smaller, self.round) for smaller, larger in itertools.pairwise(self.models)]
        return [self.whole, *(steps if len(steps) > 1 else [])]


def answer_size(scene: Scene) -> Finding:
    """Compare language models of different sizes in the same mode, task by task; one family."""
    ladders = list(_build_ladders(scene))
    if not ladders:
        return _wait(scene)
    pairs = [pair for ladder in ladders for pair in ladder.pairs]
    rows = compare_pairs(pairs, margin=MARGIN)
    by_pair = dict(zip(pairs, rows, strict=True))
    wholes = [by_pair[ladder.whole] for ladder in ladders]
    verdict, summary = _judge(ladders, wholes)
    return Finding(
        key=KEY,
        question=QUESTION,
        claim=CLAIM,
        verdict=verdict,
        summary=summary,
        sentences=(
            *_tell_modes(scene, wholes),
            *_tell_silent(scene, ladders),
            *tell_confounds([model for ladder in ladders for model in ladder.models]),
            tell_family(rows),
        ),
        evidence=tuple(rows),
    )


def tell_confounds(contenders: Sequence[Contender]) -> list[str]:
    """Return what else than size the models differ in: maker, generation, precision of the weights."""
    cells = [contender.cells[0] for contender in contenders]
    kinds = dict.fromkeys(SIZE.split(cell.title)[0].strip() for cell in cells)
    weights = dict.fromkeys(cell.quantisation or "not quantised" for cell in cells)
    sentences = []
    if len(kinds) > 1:
        sentences.append(
            f"Not size alone: the models are of different makers or generations ({say_list(kinds)}),"
            " trained on other texts; the difference is not that of size."
        )
    if len(weights) > 1:
        sentences.append(f"Not size alone: the weights come in different precisions ({say_list(weights)}).")
    return sentences


def name_size(contender: Contender) -> str:
    """Return a model's name with its size: qwen-0.5b (494M)."""
    return f"{contender.model} ({format_parameters(contender.cells[0].size)})"


def _build_ladders(scene: Scene) -> Iterator[Ladder]:
    for found in scene.rounds:
        strong = find_strong([llm for mode in MODES for llm in scene.find_llms(found, mode)], found)
        for mode in MODES:
            steps = {llm.cells[0].size: llm for llm in scene.find_llms(found, mode)}
            models = tuple(steps[size] for size in sorted(steps))
            if len(models) > 1:
                yield Ladder(found, models, any(model in strong for model in models))


def _wait(scene: Scene) -> Finding:
    known = {c.model for found in scene.rounds for c in found.contenders if not c.is_encoder}
    modes: list[Mode] = [c.mode for found in scene.rounds for c in found.contenders if not c.is_encoder]
    mode: Mode = modes[0] if modes else "zero-shot"
    missing = max(1, 2 - len(known))

    def choose(found: Round) -> list[str]:
        return [model for model in suggest_llms(found) if model not in known][:missing]

    return Finding(
        key=KEY,
        question=QUESTION,
        claim=CLAIM,
        verdict="cannot be said yet",
        summary="no two LLMs of different sizes were used in one mode on the same texts, without an alarm",
        commands=write_commands(scene.rounds, choose, mode),
    )


def _judge(ladders: Sequence[Ladder], wholes: Sequence[Row]) -> Judgement:
    """Judge the largest models against the smallest, where either of the models beats the majority share."""
    rows = [row for ladder, row in zip(ladders, wholes, strict=True) if ladder.is_telling]
    if not rows:
        return Judgement("not shown", "no LLM is shown to beat the majority share")
    better = [row for row in rows if "better" in row.verdicts]
    low, high = min(row.difference for row in rows), max(row.difference for row in rows)
    spread = f"{say_signed(low)} to {say_signed(high)} points" if low < high else f"{say_signed(low)} points"
    if len(better) == len(rows):
        return Judgement("yes", f"the largest is better everywhere, by {spread}")
    if better:
        return Judgement(
            "in part", f"the largest is better in {len(better)} of {len(rows)} settings; {spread}"
        )
    if all({"within the margin", "worse"} & set(row.verdicts) for row in rows):
        return Judgement("no", f"the largest is worse, or within 2 points, in all settings; {spread}")
    return Judgement("not shown", f"observed: {spread}")


def _tell_modes(scene: Scene, wholes: Sequence[Row]) -> Iterator[str]:
    """Yield a sentence for each mode and couple of models."""
    couples: dict[tuple[str, str, str], list[Row]] = {}
    for row in wholes:
        couples.setdefault((row.mode, row.name, row.baseline), []).append(row)
    for (_, largest, smallest), rows in couples.items():
        told = "; ".join(_say(scene.name(row.task, row.split), row) for row in rows)
        yield f"{largest} against {smallest}: {told}."


def _say(place: str, row: Row) -> str:
    return f"{place} {say_signed(row.difference)} points ({say_range(row.interval)}), {say_verdicts(row)}"


def _tell_silent(scene: Scene, ladders: Sequence[Ladder]) -> list[str]:
    silent = [
        f"{scene.name(ladder.round.task, ladder.round.split)} {ladder.models[0].mode}"
        for ladder in ladders
        if not ladder.is_telling
    ]
    if not silent:
        return []
    return [f"No model is shown to beat the majority share, so that size cannot tell: {say_list(silent)}."]
