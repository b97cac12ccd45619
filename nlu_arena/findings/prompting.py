"""Question 2: is few-shot prompting competitive with fine-tuning?"""

from __future__ import annotations

from nlu_arena.comparing import Pair, Row, compare_pairs
from nlu_arena.findings.judging import judge_matching, tell_family, tell_places
from nlu_arena.findings.pairing import describe_reference, explain_absence, pair_with_reference
from nlu_arena.findings.records import MARGIN, Finding
from nlu_arena.findings.scene import Scene

KEY = "prompting"
QUESTION = "Is few-shot prompting competitive with fine-tuning?"
CLAIM = "few-shot, at least one LLM is at most 2 points worse than the fine-tuned BERT"
SEEN = "What the prompted models read in training is not fully published: such a score may be flattered."


def answer_prompting(scene: Scene) -> Finding:
    """Compare every few-shot model to the fine-tuned reference, and to its own LoRA; one family.

    The verdict is on the reference: a model's own LoRA tells what training it would add.
    """
    pairs = pair_with_reference(scene, "few-shot")
    if not pairs:
        reason, commands = explain_absence(scene, "few-shot")
        return Finding(
            key=KEY,
            question=QUESTION,
            claim=CLAIM,
            verdict="cannot be said yet",
            summary=reason,
            commands=commands,
        )
    own = _pair_with_own_lora(scene)
    rows = compare_pairs([*pairs, *own], margin=MARGIN)
    against_bert, against_lora = rows[: len(pairs)], rows[len(pairs) :]
    verdict, summary = judge_matching(scene, against_bert)
    sentences = [
        describe_reference(scene),
        *tell_places(scene, against_bert),
        *_tell_own(scene, against_lora),
    ]
    return Finding(
        key=KEY,
        question=QUESTION,
        claim=CLAIM,
        verdict=verdict,
        summary=summary,
        sentences=(*sentences, *_tell_draws(rows), tell_family(rows), SEEN),
        evidence=tuple(rows),
    )


def _pair_with_own_lora(scene: Scene) -> list[Pair]:
    return [
        Pair(llm, lora, found)
        for found in scene.rounds
        for llm in scene.find_llms(found, "few-shot")
        if (lora := scene.find(found, llm.model, "lora")) is not None
    ]


def _tell_own(scene: Scene, rows: list[Row]) -> list[str]:
    return [f"Against its own LoRA, {sentence}" for sentence in tell_places(scene, rows)]


def _tell_draws(rows: list[Row]) -> list[str]:
    """Return what one draw of examples leaves open."""
    if all(len(row.seeds) > 1 for row in rows):
        return []
    return ["One draw of the examples in the prompt each: another draw gives another number."]
