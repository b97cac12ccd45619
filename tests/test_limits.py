from __future__ import annotations

import math
from typing import Any

import pytest

from nlu_arena.contender import Contender, find_rounds
from nlu_arena.limits import Limits, find_misses, find_needs
from tests.contest import Contest


def contender(contest: Contest) -> Contender:
    (found,) = find_rounds(contest.cells, contest.labels)
    (made,) = found.contenders
    return made


def trained(**fields: object) -> Contender:
    contest = Contest()
    given: dict[str, Any] = {
        "call_ms": {1: 10.0},
        "peak_rss_bytes": 2000,
        "train_rows": 64,
        "train_seconds": 5.0,
    } | fields
    contest.add("a", range(80), "fine-tune", **given)
    return contender(contest)


def test_a_trained_model_needs_what_it_was_trained_on_and_the_time_that_took() -> None:
    needs = find_needs(trained())
    assert (needs.latency_ms, needs.memory_bytes, needs.is_device_memory) == (10.0, 2000, False)
    assert (needs.labels, needs.train_seconds) == (64, 5.0)


@pytest.mark.parametrize(("mode", "shots"), [("zero-shot", 0), ("few-shot", 5)])
def test_a_prompted_one_needs_its_shots_and_no_training(mode: str, shots: int) -> None:
    contest = Contest()
    contest.add("a", range(80), mode, train_rows=shots)
    needs = find_needs(contender(contest))
    assert (needs.labels, needs.train_seconds) == (shots, 0.0)


def test_memory_is_the_device_s_where_it_has_its_own() -> None:
    needs = find_needs(trained(device_peak_bytes=700))
    assert (needs.memory_bytes, needs.is_device_memory) == (700, True)


def test_over_seeds_the_most_labels_count_and_one_unknown_number_makes_all_unknown() -> None:
    contest = Contest()
    for seed, rows in enumerate((64, 60)):
        contest.add("a", range(80), "lora", seed=seed, train_rows=rows)
    assert find_needs(contender(contest)).labels == 64
    contest.add("a", range(80), "lora", seed=9, train_rows=None)
    assert find_needs(contender(contest)).labels is None


def test_a_limit_is_met_by_exactly_as_much_and_missed_by_more() -> None:
    needs = find_needs(trained())
    assert find_misses(needs, Limits()) == ()
    assert find_misses(needs, Limits(latency_ms=10.0, memory_bytes=2000, labels=64)) == ()
    misses = find_misses(needs, Limits(latency_ms=9.9, memory_bytes=1000, labels=63))
    assert [miss.limit for miss in misses] == ["latency_ms", "memory_bytes", "labels"]
    assert misses[1].excess == 2.0


def test_what_is_not_known_meets_no_limit() -> None:
    needs = find_needs(trained(call_ms={}, peak_rss_bytes=None, train_rows=None))
    misses = find_misses(needs, Limits(latency_ms=1e9, memory_bytes=1e30, labels=10**9))
    assert [miss.value for miss in misses] == [None, None, None]
    assert all(miss.excess == math.inf for miss in misses)
