"""Label log-probabilities from a classification head, and its training loss."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from nlu_arena.backend.controls import Tokens
from nlu_arena.backend.dense_attention import dense_attention
from nlu_arena.backend.device import autocast
from nlu_arena.backend.dropout import quick_dropout
from nlu_arena.errors import RunError
from nlu_arena.spec import Precision


class ClassifierScorer:
    """Scores texts with a classification head.

    Training runs under autocast where the precision asks for it. Scoring stays in float32: the head's
    products in bfloat16 would make ties of near scores.

    Args:
        model: The classifier, float32.
        tokenizer: Its tokenizer, which pads.
        precision: The type of the matrix products in training.
    """

    def __init__(
        self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, precision: Precision
    ) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.precision = precision

    def score(self, rows: Sequence[dict[str, Tokens]]) -> Tensor:
        """Return the labels' log-probabilities, [rows, labels] in float32, without gradients.

        Raises:
            RunError: A score is not finite.
        """
        with torch.inference_mode():
            scores = self._logits(rows).log_softmax(dim=-1)
        if not torch.isfinite(scores).all():
            raise RunError("the model's label scores are not finite")
        return scores

    def loss(self, rows: Sequence[dict[str, Tokens]], gold: Sequence[int]) -> Tensor:
        """Return the summed cross-entropy of a micro-batch, with gradients."""
        targets = torch.tensor(gold, device=self.model.device)
        with (
            autocast(self.model.device, self.precision),
            dense_attention(self.model),
            quick_dropout(self.model),
        ):
            logits = self._logits(rows)
        # The loss leaves autocast: log_softmax in float32 whatever the products ran in.
        return torch.nn.functional.cross_entropy(logits.float(), targets, reduction="sum")

    def tokens(self, rows: Sequence[dict[str, Tokens]]) -> set[int]:
        """Return the ids of all tokens that rows are read with, the padding's too."""
        padding = self.tokenizer.pad_token_id
        return {token for row in rows for token in row["input_ids"]} | {padding}

    def forget(self) -> None:
        """Drop nothing: every score is computed from the weights as they are."""

    def _logits(self, rows: Sequence[dict[str, Tokens]]) -> Tensor:
        # Padded to the longest of the batch, on the right; every tensor of the tokenizer is passed on.
        batch = self.tokenizer.pad(list(rows), padding="longest", padding_side="right", return_tensors="pt")
        logits: Tensor = self.model(**batch.to(self.model.device)).logits
        return logits
