"""Question 1: can small language models match a fine-tuned BERT?"""

from __future__ import annotations

from collections.abc import Sequence

from nlu_arena.comparing import Pair, compare_pairs
from nlu_arena.findings.judging import judge_matching, tell_family, tell_places, tell_seeds
from nlu_arena.findings.pairing import describe_reference, explain_absence, pair_with_reference
from nlu_arena.findings.records import MARGIN, Finding
from nlu_arena.findings.scene import Scene
from nlu_arena.findings.wording import say_list

KEY = "matching"
QUESTION = "Can small LLMs match BERT?"
CLAIM = "with LoRA, at least one LLM is at most 2 points worse than the fine-tuned BERT"


def answer_matching(scene: Scene) -> Finding:
    """Compare every language model with LoRA to the fine-tuned reference, task by task; one family."""
    pairs = pair_with_reference(scene, "lora")
    if not pairs:
        reason, commands = explain_absence(scene, "lora")
        return Finding(
            key=KEY,
            question=QUESTION,
            claim=CLAIM,
            verdict="cannot be said yet",
            summary=reason,
            commands=commands,
        )
    rows = compare_pairs(pairs, margin=MARGIN)
    verdict, summary = judge_matching(scene, rows)
    sentences = [describe_reference(scene), *tell_places(scene, rows), tell_family(rows)]
    return Finding(
        key=KEY,
        question=QUESTION,
        claim=CLAIM,
        verdict=verdict,
        summary=summary,
        sentences=(*sentences, *tell_seeds(rows), *tell_budgets(pairs)),
        evidence=tuple(rows),
    )


def tell_budgets(pairs: Sequence[Pair]) -> list[str]:
    """Return where the two were trained on different numbers of rows."""
    unequal = {
        f"{pair.round.task} ({mine:,} and {theirs:,})": None
        for pair in pairs
        if (mine := pair.this.cells[0].train_rows)
        and (theirs := pair.baseline.cells[0].train_rows)
        and mine != theirs
    }
    if not unequal:
        return []
    return [f"LLM and BERT were trained on different numbers of rows: {say_list(unequal)}."]
