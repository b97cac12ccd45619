"""The bytes of weights that a minimal program moves for a piece of work, each read or written byte once.

Activations, norms, biases and the few label columns count nothing: it is a lower bound. A pass reads the
linear layers once, in the type of the products; what all prompts share may be read along with the first. A
step of a training is one pass forward and one back, and a weight that it changes is moved besides: mixed
precision reads it in float32 and writes its copy, its gradient is written and read in the type of the
products, and AdamW reads and writes it and its two moments in float32. Of the embeddings those count that
occur, with AdamW's part alone: a token is in few of the batches.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from nlu_arena.backend.batching import TOKEN_BUDGET
from nlu_arena.backend.controls import Tokens
from nlu_arena.backend.device import torch_dtype
from nlu_arena.backend.score import CPU_TOKENS, shared_prefix_length
from nlu_arena.spec import Precision
from tests.benchmarks.speed.operations import Architecture, read_prompts

FLOAT32_BYTES = 4
# Weight and two moments, read and written.
ADAMW_BYTES = 6 * FLOAT32_BYTES


def count_scoring_bytes(
    architecture: Architecture, rows: Sequence[Tokens], precision: Precision, device: torch.device
) -> int:
    """Return the bytes of scoring prompts, in passes of as many tokens as ours reads at once at most."""
    own = read_prompts(rows, shared_prefix_length(rows), passes=0).tokens
    passes = math.ceil(own / (CPU_TOKENS if device.type == "cpu" else TOKEN_BUDGET))
    return passes * architecture.weights * torch_dtype(precision).itemsize


def count_tuning_bytes(architecture: Architecture, embedded: int, steps: int, precision: Precision) -> int:
    """Return the bytes of training all weights, `embedded` of them in the embeddings that occur."""
    return steps * (architecture.weights * _trained_bytes(precision) + embedded * ADAMW_BYTES)


def count_adapting_bytes(architecture: Architecture, rank: int, steps: int, precision: Precision) -> int:
    """Return the bytes of training an adapter over frozen weights."""
    frozen = 2 * architecture.weights * torch_dtype(precision).itemsize
    return steps * (frozen + architecture.adapter_weights(rank) * _trained_bytes(precision))


def _trained_bytes(precision: Precision) -> int:
    """Return the bytes of a step for each weight that it changes."""
    size = torch_dtype(precision).itemsize
    copied = 0 if precision == "float32" else FLOAT32_BYTES + size
    passes, gradient = 2 * size, 2 * size
    return copied + passes + gradient + ADAMW_BYTES
