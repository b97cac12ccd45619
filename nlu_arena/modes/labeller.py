"""A model that gives labels to texts, whatever it is: a classification head or a prompted decoder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor

from nlu_arena.backend.batching import plan_batches
from nlu_arena.backend.classify import ClassifierScorer
from nlu_arena.backend.controls import Tokens
from nlu_arena.backend.encode import PromptEncoder, encode_texts
from nlu_arena.backend.halving import Row, Score, score_batch
from nlu_arena.backend.score import LabelScorer
from nlu_arena.spec import Example

# Fixed, so that an interrupted run plans the same batches again.
BATCH_SIZE = 32


class Labeller:
    """Gives log-probabilities to texts.

    `shortened` counts the texts of all answers so far that were cut to what the model reads.

    Args:
        encode: Turns examples into rows of tokens; says also how many texts were cut.
        score: Gives the log-probabilities of rows, [rows, labels].
        length: Counts a row's tokens, by which batches are made.
        device: Where it computes.
    """

    def __init__(
        self,
        encode: Callable[[Sequence[Example]], tuple[Sequence[Row], int]],
        score: Score,
        length: Callable[[Row], int],
        device: torch.device,
    ) -> None:
        self.shortened = 0
        self._encode = encode
        self._score = score
        self._length = length
        self._device = device

    def answer(self, examples: Sequence[Example]) -> Tensor:
        """Return the labels' log-probabilities in float32 on the CPU, [examples, labels].

        Raises:
            RunError: A score is not finite, or a text does not fit into what the model reads.
        """
        rows, shortened = self._encode(examples)
        self.shortened += shortened
        answers: dict[int, Tensor] = {}
        for batch in plan_batches([self._length(row) for row in rows], BATCH_SIZE):
            scores = score_batch([rows[index] for index in batch], self._score, self._device)
            answers |= dict(zip(batch, scores, strict=True))
        return torch.stack([answers[index] for index in range(len(rows))])


def label_with_head(scorer: ClassifierScorer, max_length: int) -> Labeller:
    """Return the labeller of a classification head that reads at most `max_length` tokens."""
    encode = partial(encode_texts, scorer.tokenizer, max_length=max_length)
    return Labeller(encode, scorer.score, lambda row: len(row["input_ids"]), scorer.model.device)


def label_with_prompt(scorer: LabelScorer, encoder: PromptEncoder, shots: Sequence[Example]) -> Labeller:
    """Return the labeller of a prompted decoder; what its prompts share is found anew where it changes."""

    def encode(examples: Sequence[Example]) -> tuple[list[Tokens], int]:
        # With all checks: these texts have passed none yet.
        rows, _, shortened = encoder.encode(shots, examples)
        shared = len(scorer.prefix)
        # A row that is no longer than the prefix has no token left that could answer.
        if any(len(row) <= shared or row[:shared] != scorer.prefix for row in rows):
            scorer.share_prefix(rows)
        return rows, shortened

    return Labeller(encode, scorer.score, len, scorer.model.device)
