"""The prompts of a case as texts for the other side, and as tokens for the counting of the work."""

from __future__ import annotations

from typing import NamedTuple

from nlu_arena.backend.controls import Tokens
from nlu_arena.backend.encode import PromptEncoder
from nlu_arena.backend.weights import load_tokenizer
from nlu_arena.prompts import label_continuations
from nlu_arena.sample import draw_shots
from tests.benchmarks.speed.case import Case

# More than any of the prompts has, less than the models read: none is shortened.
MAX_TOKENS = 8000


class PromptTexts(NamedTuple):
    """The dev prompts as the mode renders them, and the training prompts where it trains."""

    texts: list[str]
    rows: list[Tokens]
    train_texts: list[str]
    train_rows: list[Tokens]
    gold: list[int]
    continuations: list[str]


def render_prompts(case: Case) -> PromptTexts:
    """Draw the shots and render the prompts by the very same rules as the mode."""
    experiment, task, style = case.experiment, case.experiment.task, case.experiment.model.prompt_style
    encoder = PromptEncoder(load_tokenizer(case.folder), task, style, MAX_TOKENS)
    shots = draw_shots(
        case.data.train,
        len(task.labels),
        experiment.shots,
        experiment.seed,
        exclude=case.dev,
        min_words=task.prompt.shot_min_words,
    )
    trained = case.data.train if experiment.train else []
    return PromptTexts(
        texts=[encoder.render(shots, example) for example in case.dev],
        rows=encoder.encode(shots, case.dev).rows,
        train_texts=[encoder.render([], example) for example in trained],
        train_rows=encoder.encode([], trained).rows if trained else [],
        gold=[example.label for example in trained],
        continuations=label_continuations(task, style),
    )
