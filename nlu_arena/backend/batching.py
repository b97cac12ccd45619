"""Which examples share a batch: by length under a token budget, planned once over the whole set."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

# Rows times the longest row of a batch. It bounds the memory of a batch whatever the texts' length.
TOKEN_BUDGET = 16_384
# Training batches are cut from pools of this many batches sorted by length: little padding, and which
# rows meet still changes from epoch to epoch.
POOL_BATCHES = 16


class Padded(NamedTuple):
    """Token ids padded on the right, and how long each row really is."""

    ids: Tensor  # [rows, longest]
    lengths: Tensor  # [rows]


def plan_batches(
    lengths: Sequence[int], batch_size: int, token_budget: int = TOKEN_BUDGET
) -> list[list[int]]:
    """Cut all rows into batches of similar length, longest first, each under the budget.

    Longest first: if memory is too small, it is at the first batch and not at the last. The plan depends on
    the lengths alone, so an interrupted run finds the same batches again.
    """
    order = sorted(range(len(lengths)), key=lambda row: (-lengths[row], row))
    batches: list[list[int]] = []
    for row in order:
        batch = batches[-1] if batches else None
        # The first row of a batch is its longest.
        if batch and len(batch) < batch_size and (len(batch) + 1) * lengths[batch[0]] <= token_budget:
            batch.append(row)
        else:
            batches.append([row])
    return batches


def plan_epoch(lengths: Sequence[int], batch_size: int, generator: random.Random) -> list[list[int]]:
    """Cut one epoch's shuffled rows into batches of `batch_size` with rows of similar length together."""
    order = list(range(len(lengths)))
    generator.shuffle(order)
    pool_size = batch_size * POOL_BATCHES
    batches: list[list[int]] = []
    for start in range(0, len(order), pool_size):
        pool = sorted(order[start : start + pool_size], key=lambda row: lengths[row])
        batches += [pool[at : at + batch_size] for at in range(0, len(pool), batch_size)]
    generator.shuffle(batches)
    return batches


def pad_rows(rows: Sequence[Sequence[int]], pad_id: int, device: torch.device) -> Padded:
    """Pad token ids on the right to the longest row.

    On the right, because a causal model's real tokens then never see the padding and keep their positions:
    no mask is needed and no answer can depend on it.
    """
    lengths = [len(row) for row in rows]
    longest = max(lengths)
    ids = torch.tensor([[*row, *[pad_id] * (longest - len(row))] for row in rows], dtype=torch.long)
    return Padded(ids.to(device), torch.tensor(lengths, dtype=torch.long).to(device))
