"""Batches: every row once, similar lengths, never over the budget, the same plan every time."""

from __future__ import annotations

import random

import pytest
import torch

from nlu_arena.backend.batching import pad_rows, plan_batches, plan_epoch


@pytest.fixture
def lengths() -> list[int]:
    generator = random.Random(3)
    return [generator.randrange(1, 400) for _ in range(257)]


def test_an_evaluation_plan_has_every_row_once_longest_first(lengths: list[int]) -> None:
    plan = plan_batches(lengths, 32)
    rows = [row for batch in plan for row in batch]
    assert sorted(rows) == list(range(len(lengths)))
    assert [lengths[row] for row in rows] == sorted(lengths, reverse=True)
    assert plan_batches(lengths, 32) == plan


def test_no_batch_passes_its_size_or_its_token_budget(lengths: list[int]) -> None:
    for batch in plan_batches(lengths, 32, token_budget=2000):
        assert len(batch) <= 32
        assert len(batch) * max(lengths[row] for row in batch) <= 2000


def test_a_row_longer_than_the_budget_is_a_batch_of_its_own() -> None:
    assert plan_batches([10, 5000, 10], 32, token_budget=2000) == [[1], [0, 2]]


def test_an_epoch_has_every_row_once_and_depends_on_its_generator_alone(lengths: list[int]) -> None:
    plan = plan_epoch(lengths, 32, random.Random(1))
    assert sorted(row for batch in plan for row in batch) == list(range(len(lengths)))
    assert all(len(batch) <= 32 for batch in plan)
    assert plan == plan_epoch(lengths, 32, random.Random(1))
    assert plan != plan_epoch(lengths, 32, random.Random(2))


def test_rows_of_similar_length_train_together(lengths: list[int]) -> None:
    def padding(batches: list[list[int]]) -> int:
        return sum(sum(max(lengths[r] for r in batch) - lengths[r] for r in batch) for batch in batches)

    shuffled = random.Random(1).sample(range(len(lengths)), len(lengths))
    plain = [shuffled[at : at + 32] for at in range(0, len(shuffled), 32)]
    assert padding(plan_epoch(lengths, 32, random.Random(1))) < padding(plain) / 4


def test_rows_are_padded_on_the_right() -> None:
    padded = pad_rows([[5, 6, 7], [8]], 0, torch.device("cpu"))
    assert padded.ids.tolist() == [[5, 6, 7], [8, 0, 0]]
    assert padded.lengths.tolist() == [3, 1]
