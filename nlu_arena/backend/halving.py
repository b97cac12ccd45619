"""Scoring whatever fits: a batch that is too large for the memory is cut in halves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from nlu_arena.backend.device import is_out_of_memory, release_memory

Row = Any
Score = Callable[[Sequence[Row]], Tensor]


def score_batch(rows: Sequence[Row], score: Score, device: torch.device) -> Tensor:
    """Score a batch on the CPU's side; when it does not fit in memory, its halves one after the other.

    In float32 the answers are the same; in bfloat16 they are as near as those of any other batch.
    """
    try:
        return score(rows).cpu()
    except RuntimeError as error:
        if not is_out_of_memory(error) or len(rows) == 1:
            raise
    release_memory(device)
    half = len(rows) // 2
    return torch.cat([score_batch(rows[:half], score, device), score_batch(rows[half:], score, device)])
