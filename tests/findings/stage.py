"""Contests as the questions see them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nlu_arena.contender import Round, find_rounds
from nlu_arena.findings import Scene, set_scene
from nlu_arena.spec import Example
from tests.contest import GOLD, Contest, N

ALARMS: dict[str, Any] = {"alarms": {"dev": {"one label": "every answer is good"}}}


def on(task: str, **fields: Any) -> dict[str, Any]:
    """The fields of a run on the texts of a task."""
    return {"task": task, "fingerprints": {"dev": f"texts of {task}"}} | fields


def add_bert(contest: Contest, right: Sequence[int], model: str = "bert-base", **fields: Any) -> None:
    contest.add(model, right, mode="fine-tune", family="encoder", **{"size": 110_000_000} | fields)


def rounds_of(contest: Contest) -> list[Round]:
    return find_rounds(contest.cells, contest.labels)


def scene_of(contest: Contest) -> Scene:
    return set_scene(rounds_of(contest))


def read_examples(fingerprint: str, split: str) -> list[Example]:
    """The first half of the texts deny something, and every tenth has a number."""
    words = ["not " * (i < N // 2) + "good" + " 7" * (i % 10 == 0) for i in range(N)]
    return [Example(text=f"it is {word}", label=label) for word, label in zip(words, GOLD, strict=True)]
