"""Rates are medians of warmed-up readings that stay within their time."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
import torch

from nlu_arena.backend import rate
from nlu_arena.backend.rate import main, measure_memory, measure_products, measure_rates, time_call

CPU = torch.device("cpu")


class Clock:
    """Stands in for the clock: time passes only in the calls that are timed."""

    def __init__(self) -> None:
        self.now = 0.0
        self.calls = 0

    def call(self, *seconds: float) -> Callable[[], None]:
        """Return a call that takes one time after the other, the last one ever after."""
        left = list(seconds)

        def run() -> None:
            self.calls += 1
            self.now += left.pop(0) if len(left) > 1 else left[0]

        return run


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(rate.time, "perf_counter", lambda: clock.now)
    return clock


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate, "SHAPES", ((8, 4, 4), (16, 4, 8)))
    monkeypatch.setattr(rate, "VALUES", 64)
    monkeypatch.setattr(rate, "SECONDS", 0.01)


def test_the_first_call_does_not_count(clock: Clock) -> None:
    assert time_call(clock.call(0.5, 0.1), CPU, seconds=2) == pytest.approx(0.1)


def test_the_median_of_the_readings_counts(clock: Clock) -> None:
    # After the warm-up and the call that sets the window, 3 readings fit.
    assert time_call(clock.call(0.1, 0.1, 0.1, 0.3, 0.2, 9), CPU, seconds=0.95) == pytest.approx(0.2)


def test_readings_are_no_more_than_they_need_be(clock: Clock) -> None:
    time_call(clock.call(0.01), CPU, seconds=1000)
    assert clock.calls == 2 + rate.READINGS


def test_a_short_call_is_repeated_until_the_clock_can_tell(clock: Clock) -> None:
    assert time_call(clock.call(0.001), CPU, seconds=0.02) == pytest.approx(0.001)
    # Two single calls, then readings of 5 calls each.
    assert clock.calls == 2 + 3 * 5


def test_a_call_longer_than_all_its_time_is_made_once(clock: Clock) -> None:
    assert time_call(clock.call(7.0), CPU, seconds=1) == 7.0
    assert clock.calls == 1


def test_a_slow_device_is_measured_on_the_smallest_product(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    product = clock.call(3.0)
    monkeypatch.setattr(rate, "_make_product", lambda *_: product)
    tokens, inputs, outputs = rate.SHAPES[0]
    assert measure_products(CPU, "float32", seconds=1) == 2 * tokens * inputs * outputs / 3.0
    assert clock.calls == 1


def test_a_product_counts_two_operations_and_a_sum_three_values(
    monkeypatch: pytest.MonkeyPatch, small: None
) -> None:
    monkeypatch.setattr(rate, "time_call", lambda *_: 0.5)
    # The median of the two shapes' rates.
    assert measure_products(CPU, "float32", 1) == (2 * 8 * 4 * 4 / 0.5 + 2 * 16 * 4 * 8 / 0.5) / 2
    assert measure_memory(CPU, 1) == 3 * 4 * 64 / 0.5


@pytest.mark.usefixtures("small")
def test_an_emulated_bfloat16_is_not_measured() -> None:
    rates = measure_rates(CPU, has_bfloat16=False, seconds=0.01)
    assert rates.bfloat16 is None
    assert min(rates.float32, rates.memory) > 0
    both = measure_rates(CPU, has_bfloat16=True, seconds=0.01)
    assert both.bfloat16 is not None
    assert both.bfloat16 > 0


@pytest.mark.usefixtures("small")
def test_the_command_writes_one_line(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.setattr("sys.argv", ["rate", "--device", "cpu"])
    main()
    (line,) = capfdbinary.readouterr().out.splitlines()
    assert json.loads(line).keys() == {"bfloat16", "float32", "memory"}


def test_a_device_that_is_not_here_is_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["rate", "--device", "cuda:99"])
    with pytest.raises(SystemExit):
        main()
    assert "there is no device cuda:99 here" in capsys.readouterr().err
