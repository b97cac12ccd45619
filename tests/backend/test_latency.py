"""How many calls are timed: until the median is known, at least three, and never none."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, repeat
from statistics import median
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from nlu_arena.backend import latency
from nlu_arena.backend.latency import knows_median, median_rank, probe_latency
from nlu_arena.spec import Example

EXAMPLES = [Example(text=f"text {n}", label=0) for n in range(40)]


class Bench:
    """A clock that only calls move: each takes the next of the seconds given for its batch size."""

    def __init__(self, seconds: dict[int, Iterator[float]]) -> None:
        self.now = 0.0
        self.seconds = seconds
        self.sizes: list[int] = []

    def score(self, rows: Sequence[Any]) -> None:
        self.sizes.append(len(rows))
        self.now += next(self.seconds[len(rows)])

    def probe(self) -> dict[str, dict[str, float | int | None]]:
        return probe_latency(list, self.score, EXAMPLES, torch.device("cpu"), lambda: None)


@pytest.fixture
def make_bench(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Bench]:
    def make(single: Iterator[float], many: Iterator[float] | None = None) -> Bench:
        bench = Bench({1: single, 32: many or repeat(0.01)})
        monkeypatch.setattr(latency, "time", SimpleNamespace(perf_counter=lambda: bench.now))
        return bench

    return make


def test_equal_calls_are_few(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(repeat(0.06))
    assert bench.probe()["1"]["calls"] == 6
    assert bench.sizes.count(1) == 3 + 6


def test_cheap_calls_go_on_for_their_percentiles(make_bench: Callable[..., Bench]) -> None:
    found = make_bench(repeat(0.005)).probe()["1"]
    assert found["p50_ms"] == found["p95_ms"] == pytest.approx(5)
    assert found["p99_ms"] is None
    assert make_bench(repeat(0.0001)).probe()["1"]["p99_ms"] == pytest.approx(0.1)


def test_calls_that_differ_are_more_within_the_second(make_bench: Callable[..., Bench]) -> None:
    generator = random.Random(1)
    bench = make_bench(iter(lambda: generator.choice([0.02, 0.06]), 0.0))
    found = bench.probe()["1"]
    assert found["calls"] is not None
    assert found["calls"] > 15
    assert 0.9 <= bench.now <= 1.0 + 0.06 + 0.5


def test_a_slow_batch_counts_from_its_first_call(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(repeat(0.01), many=iter([0.8, 2.0, 0.9, 0.9]))
    found = bench.probe()["32"]
    assert found["calls"] == 2
    assert bench.sizes.count(32) == 2


def test_one_slow_call_that_was_disturbed_is_not_the_median(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(repeat(0.01), many=iter([0.6, 1.2, 0.6, 0.6]))
    found = bench.probe()["32"]
    assert found["calls"] == 3
    assert found["p50_ms"] == pytest.approx(600)


def test_slower_calls_stop_at_the_limit(make_bench: Callable[..., Bench]) -> None:
    assert make_bench(repeat(0.01), many=repeat(2.0)).probe()["32"]["calls"] == 1


def test_the_first_call_of_all_never_counts(make_bench: Callable[..., Bench]) -> None:
    found = make_bench(chain([20.0], repeat(3.0))).probe()["1"]
    assert found["calls"] == 1
    assert found["p50_ms"] == pytest.approx(3000)


def test_the_interval_holds_the_true_median_as_often_as_it_says() -> None:
    generator = random.Random(7)
    for n in (6, 9, 20, 51):
        rank, held = median_rank(n), 0
        for _ in range(2000):
            ordered = sorted(generator.expovariate(1.0) for _ in range(n))
            held += ordered[rank - 1] <= 0.6931 <= ordered[n - rank]
        assert held / 2000 >= 0.94, n
    assert median_rank(5) == 0, "the extremes of five values are not 95 % sure"


def test_a_median_is_known_within_a_tenth() -> None:
    assert not knows_median([1.0] * 5)
    assert knows_median([1.0] * 6)
    assert not knows_median([0.85, *[1.0] * 4, 1.0]), "six values are bounded by their extremes"
    assert knows_median([0.5, *[1.0] * 7, 2.0]), "of nine the extremes do not matter"
    values = [0.91, 0.95, 1.0, 1.0, 1.05, 1.09]
    assert median(values) == 1.0
    assert knows_median(values)
