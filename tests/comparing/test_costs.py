from __future__ import annotations

from typing import Any

import msgspec
import pytest

from nlu_arena.comparing import Ratios
from nlu_arena.comparing.costs import average_costs, compare_costs
from nlu_arena.contender import Cost

COST = Cost(
    device="cpu",
    call_ms={1: 10.0, 32: 200.0},
    examples_per_second=100.0,
    train_seconds=20.0,
    trainable_parameters=1000,
    peak_rss_bytes=4000,
    device_peak_bytes=None,
)


def cost(**fields: Any) -> Cost:
    return msgspec.structs.replace(COST, **fields)


def test_each_cost_is_a_multiple_of_the_baselines() -> None:
    this = cost(
        call_ms={1: 5.0, 32: 400.0}, examples_per_second=50.0, train_seconds=30.0, trainable_parameters=10
    )
    assert compare_costs(this, COST, same_device=True) == Ratios(
        train_seconds=1.5,
        latency_1=0.5,
        latency_32=2.0,
        throughput=0.5,
        peak_memory=1.0,
        trainable_parameters=0.01,
    )


def test_on_another_device_only_the_trained_weights_can_be_compared() -> None:
    ratios = msgspec.structs.asdict(compare_costs(cost(), COST, same_device=False))
    assert ratios.pop("trainable_parameters") == 1.0
    assert set(ratios.values()) == {None}


def test_what_a_side_lacks_or_has_none_of_has_no_ratio() -> None:
    prompted = cost(train_seconds=None, call_ms={1: 5.0}, trainable_parameters=0)
    ratios = compare_costs(prompted, COST, same_device=True)
    assert (ratios.train_seconds, ratios.latency_32, ratios.trainable_parameters) == (None, None, 0.0)
    back = compare_costs(COST, prompted, same_device=True)
    assert (back.train_seconds, back.latency_32, back.trainable_parameters) == (None, None, None)


@pytest.mark.parametrize(
    ("this", "baseline", "ratio"),
    [(3000, 1000, 3.0), (None, None, 2.0), (3000, None, None), (None, 1000, None)],
)
def test_memory_is_the_devices_where_both_have_it_else_the_hosts(
    this: int | None, baseline: int | None, ratio: float | None
) -> None:
    mine = cost(peak_rss_bytes=8000, device_peak_bytes=this)
    assert compare_costs(mine, cost(device_peak_bytes=baseline), same_device=True).peak_memory == ratio


def test_over_tasks_times_are_means_and_peaks_the_highest() -> None:
    other = cost(
        call_ms={1: 30.0}, examples_per_second=300.0, train_seconds=40.0, peak_rss_bytes=9000, device="cuda:0"
    )
    assert average_costs([COST, other]) == Cost(
        device="cpu / cuda:0",
        call_ms={1: 20.0},
        # 1 text of each task takes 1/100 and 1/300 s.
        examples_per_second=pytest.approx(150.0),  # type: ignore[arg-type]
        train_seconds=30.0,
        trainable_parameters=1000,
        peak_rss_bytes=9000,
        device_peak_bytes=None,
    )
    assert average_costs([COST, cost(train_seconds=None)]).train_seconds is None
