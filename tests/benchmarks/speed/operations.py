"""The operations that a minimal program computes for a piece of work, a multiply-add counted as two.

Products take two for each weight of the linear layers and token; padding, the embeddings, the norms and the
few label columns count nothing, and what all prompts share is read once (once for each step in training).
Attention takes four for each width of the heads and pair of a token and one that it sees. A training takes
three times the forward pass; with an adapter the frozen weights need no gradient and take two, and the
adapter's own take three.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from torch import nn
from transformers import PreTrainedModel

from nlu_arena.backend.controls import Tokens
from nlu_arena.backend.score import shared_prefix_length


class Architecture(NamedTuple):
    """The linear layers of a model without its output layer, [outputs, inputs] each, and its attention."""

    linears: list[tuple[int, int]]
    layers: int
    attention_width: int

    @property
    def weights(self) -> int:
        """Return how many weights all linear layers have."""
        return sum(outputs * inputs for outputs, inputs in self.linears)

    @property
    def products(self) -> int:
        """Return the operations of all linear layers for a token."""
        return 2 * self.weights

    def adapter_weights(self, rank: int) -> int:
        """Return how many weights an adapter on all linear layers has."""
        return sum(rank * (outputs + inputs) for outputs, inputs in self.linears)

    def adapter_products(self, rank: int) -> int:
        """Return the operations of an adapter on all linear layers for a token."""
        return 2 * self.adapter_weights(rank)

    def attention(self, pairs: float) -> float:
        """Return the operations of attention over so many pairs of tokens."""
        return 4.0 * self.layers * self.attention_width * pairs


class Reading(NamedTuple):
    """How many tokens are read, and how many pairs of a token and one that it sees."""

    tokens: float
    pairs: float


def read_architecture(model: PreTrainedModel) -> Architecture:
    """Find a model's linear layers."""
    linears = [
        (module.out_features, module.in_features)
        for name, module in model.base_model.named_modules()
        if isinstance(module, nn.Linear) and "pooler" not in name
    ]
    config = model.config.get_text_config()
    head = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return Architecture(linears, config.num_hidden_layers, head * config.num_attention_heads)


def read_prompts(rows: Sequence[Tokens], prefix: int, passes: int = 1) -> Reading:
    """Count prompts behind a shared prefix that is read in so many passes; a token sees those before it."""
    own = [len(row) - prefix for row in rows]
    pairs = passes * prefix**2 / 2 + sum(n * prefix + n**2 / 2 for n in own)
    return Reading(passes * prefix + sum(own), pairs)


def read_texts(lengths: Sequence[int]) -> Reading:
    """Count texts whose tokens see each other."""
    return Reading(sum(lengths), sum(n**2 for n in lengths))


def count_scoring(architecture: Architecture, rows: Sequence[Tokens]) -> float:
    """Return the operations of scoring prompts."""
    reading = read_prompts(rows, shared_prefix_length(rows))
    return architecture.products * reading.tokens + architecture.attention(reading.pairs)


def count_tuning(architecture: Architecture, lengths: Sequence[int], epochs: int) -> float:
    """Return the operations of training all weights on texts."""
    reading = read_texts(lengths)
    forward = architecture.products * reading.tokens + architecture.attention(reading.pairs)
    return 3.0 * epochs * forward


def count_adapting(
    architecture: Architecture, rows: Sequence[Tokens], batch_size: int, epochs: int, rank: int
) -> float:
    """Return the operations of training an adapter through prompts."""
    steps = math.ceil(len(rows) / batch_size)
    reading = read_prompts(rows, shared_prefix_length(rows), steps)
    trained = 3 * architecture.adapter_products(rank) + 2 * architecture.products
    return epochs * (trained * reading.tokens + 3 * architecture.attention(reading.pairs))
