"""Language models beside the fine-tuned reference on the same texts, or why there are none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from nlu_arena.comparing import Pair
from nlu_arena.findings.missing import suggest_encoder, suggest_llms, write_commands
from nlu_arena.findings.scene import BERT, Scene
from nlu_arena.findings.wording import say_list
from nlu_arena.spec import Mode


class Absence(NamedTuple):
    """Why two cannot be compared, and the commands that change it."""

    reason: str
    commands: tuple[str, ...]


def pair_with_reference(scene: Scene, mode: Mode) -> list[Pair]:
    """Return every language model in a mode with the fine-tuned reference, task by task."""
    return [
        Pair(llm, reference, found)
        for found in scene.rounds
        if (reference := scene.find_reference(found)) is not None
        for llm in scene.find_llms(found, mode)
    ]


def explain_absence(scene: Scene, mode: Mode) -> Absence:
    """Return why no language model in a mode meets the fine-tuned reference anywhere."""
    if not scene.reference:
        commands = write_commands(scene.rounds, lambda found: [suggest_encoder(found)], "fine-tune")
        return Absence("no encoder is fine-tuned in this ledger", commands)
    used = [c for found in scene.rounds for c in found.contenders if not c.is_encoder and c.mode == mode]
    if not used:
        commands = write_commands(scene.rounds, lambda found: suggest_llms(found)[:1], mode)
        return Absence(f"no language model was used with {mode}", commands)
    alone = [found for found in scene.rounds if scene.choose(found, scene.reference, "fine-tune") is None]
    commands = write_commands(alone, lambda _: [scene.reference], "fine-tune")
    if flagged := _name_flagged(scene, mode):
        return Absence(f"where both are there, {say_list(flagged)} {_has(flagged)} an alarm", commands)
    return Absence(f"no language model with {mode} answered the same texts as {scene.reference}", commands)


def _name_flagged(scene: Scene, mode: Mode) -> list[str]:
    """Return what would meet if it had no alarm, with its place."""
    flagged = []
    for found in scene.rounds:
        reference = scene.choose(found, scene.reference, "fine-tune")
        models = dict.fromkeys(c.model for c in found.contenders if not c.is_encoder and c.mode == mode)
        llms = [c for model in models if (c := scene.choose(found, model, mode)) is not None]
        if reference is not None and llms:
            place = scene.name(found.task, found.split)
            flagged += [f"{c.name} on {place}" for c in (reference, *llms) if c.alarms]
    return flagged


def _has(items: Sequence[str]) -> str:
    return "has" if len(items) == 1 else "have"


def describe_reference(scene: Scene) -> str:
    """Return which model stands for BERT and why."""
    if scene.reference == BERT:
        return f"BERT is {BERT}, fine-tuned."
    return f"BERT is {scene.reference} here, the first fine-tuned encoder: {BERT} is not among these runs."
