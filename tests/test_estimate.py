"""An expected time is what the same work took before, or else counted work over a device's rates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nlu_arena import estimate
from nlu_arena.estimate import (
    CHANGED_SECONDS,
    LOADING_SECONDS,
    PROBE_SECONDS,
    UPDATE_BYTES,
    Speed,
    assume_rates,
    expected_seconds,
    fixed_seconds,
    stage_seconds,
)
from nlu_arena.hardware import Device
from nlu_arena.ledger.queries import Timing
from nlu_arena.plan import build_plan
from nlu_arena.profile import load_profile, single_profile
from nlu_arena.rate import Rates
from nlu_arena.registry import Registry, load_registry
from nlu_arena.shape import Shape
from nlu_arena.spec import Experiment, Mode
from nlu_arena.workload import Pace, Stage, count_workload

GPU = Device(name="cuda:0", kind="cuda", title="GPU", memory_bytes=1, fast_bfloat16=True)
CPU = Device(name="cpu", kind="cpu", title="CPU", memory_bytes=1, fast_bfloat16=True)
OLD_CPU = Device(name="cpu", kind="cpu", title="CPU", memory_bytes=1, fast_bfloat16=False)
FIXED = LOADING_SECONDS + PROBE_SECONDS
RATES = Rates(bfloat16=2e12, float32=4e11, memory=4e10)


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_registry()


@pytest.fixture(autouse=True)
def no_weights(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whatever weights this machine has, shapes are those of the rule."""
    monkeypatch.setattr("nlu_arena.shape.weights_dir", lambda model: None)


def one(
    registry: Registry,
    model: str,
    task: str,
    mode: Mode,
    data: str = "hub",
    device: Device = GPU,
    seed: int = 42,
    **block: Any,
) -> Experiment:
    profile = single_profile(model, task, mode, data=data, seeds=[seed], **block)
    (experiment,) = build_plan(profile, registry, [device], weights_identity=lambda model: model.name)
    return experiment


def seconds(experiment: Experiment, device: Device = GPU, rates: Rates | None = None) -> float:
    expected = expected_seconds(experiment, [], device, rates)
    assert expected is not None
    return expected


# ── Counted ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_stage_is_the_sum_of_its_parts() -> None:
    pace = Pace(products=2, traffic=10, call=0.5)
    stage = Stage(pace, "bfloat16", tokens=100, passes=3, updated=20)
    shape = Shape(products=1000, layers=4, width=5)
    rates = Rates(bfloat16=1000.0, float32=100.0, memory=50.0)
    products, traffic, updates, calls = 200.0, 400.0, UPDATE_BYTES * 20 / 50, 6.0
    assert stage_seconds(stage, shape, Speed(rates, 1, 1)) == products + traffic + updates + calls
    assert stage_seconds(stage, shape, Speed(rates, 0.5, 0.5)) == products + 200.0 + updates + 3.0
    emulated = Rates(bfloat16=None, float32=100.0, memory=50.0)
    assert stage_seconds(stage, shape, Speed(emulated, 1, 1)) == 2000.0 + traffic + updates + calls


def test_more_of_anything_takes_longer(registry: Registry) -> None:
    few_rows = seconds(one(registry, "qwen-0.5b", "rte", "zero-shot", limit=100))
    zero_shot = seconds(one(registry, "qwen-0.5b", "rte", "zero-shot"))
    few_shot = seconds(one(registry, "qwen-0.5b", "rte", "few-shot"))
    many_shot = seconds(one(registry, "qwen-0.5b", "rte", "few-shot", shots=20))
    assert few_rows < zero_shot < few_shot < many_shot
    one_epoch = seconds(one(registry, "bert", "rte", "fine-tune", train={"epochs": 1}))
    ten_epochs = seconds(one(registry, "bert", "rte", "fine-tune", train={"epochs": 10}))
    fixed = FIXED + 109_482_240 * CHANGED_SECONDS
    assert 9 < (ten_epochs - fixed) / (one_epoch - fixed) < 10
    small, large = (seconds(one(registry, f"qwen-{size}b", "mnli", "zero-shot")) for size in (0.5, 1.5))
    assert 1.5 < (large - FIXED) / (small - FIXED) < 3.2


def test_bfloat16_is_faster_where_a_device_has_it(registry: Registry) -> None:
    fast = one(registry, "qwen-0.5b", "mnli", "zero-shot", device=CPU)
    slow = one(registry, "qwen-0.5b", "mnli", "zero-shot", device=OLD_CPU)
    assert (fast.precision, slow.precision) == ("bfloat16", "float32")
    assert seconds(fast, CPU, RATES) < seconds(slow, CPU, RATES)
    assert seconds(fast, CPU) < seconds(slow, OLD_CPU)
    assert assume_rates(OLD_CPU).bfloat16 is None


def test_measured_rates_replace_the_assumed_ones(registry: Registry) -> None:
    experiment = one(registry, "bert", "mnli", "fine-tune")
    assumed = assume_rates(GPU)
    assert seconds(experiment, rates=assumed) == seconds(experiment)
    twice = Rates(bfloat16=2 * assumed.of("bfloat16"), float32=2 * assumed.float32, memory=2 * assumed.memory)
    assert seconds(experiment, rates=twice) < seconds(experiment)


def test_a_cpu_has_the_rates_of_all_its_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimate.os, "cpu_count", lambda: 6)
    assert assume_rates(CPU).float32 == 6 * estimate.ASSUMED["cpu"].float32
    assert assume_rates(GPU).float32 == estimate.ASSUMED["cuda"].float32


def test_loading_and_the_latency_probe_are_always_paid(registry: Registry) -> None:
    smallest = one(registry, "minilm", "rte", "fine-tune", limit=1, train_limit=1, train={"epochs": 1})
    assert FIXED < seconds(smallest, CPU, RATES) < FIXED + 1


def test_new_memory_and_the_saved_model_are_paid_once_for_every_weight(registry: Registry) -> None:
    workload = count_workload(one(registry, "bert", "rte", "fine-tune"))
    assert workload is not None
    assert workload.changed == 109_482_240
    paid = fixed_seconds(workload, Speed(assume_rates(GPU), 1, 1))
    assert paid == FIXED + workload.changed * CHANGED_SECONDS


def test_the_probe_takes_longer_where_a_single_call_does(registry: Registry) -> None:
    experiment = one(registry, "gemma", "rte", "zero-shot", limit=1)
    slow = Rates(bfloat16=1e10, float32=1e10, memory=1e9)
    assert seconds(experiment, CPU, slow) > 10 * PROBE_SECONDS


def test_without_known_rows_there_is_no_estimate(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimate, "count_workload", lambda experiment: None)
    assert expected_seconds(one(registry, "bert", "rte", "fine-tune"), [], GPU) is None


def test_the_full_profile_is_planned_for_four_to_six_hours_on_one_gpu(registry: Registry) -> None:
    full = build_plan(load_profile("full"), registry, [GPU], weights_identity=lambda model: model.name)
    assert 4 < sum(seconds(experiment) for experiment in full) / 3600 < 6


# ── From the ledger ───────────────────────────────────────────────────────────────────────────────────


def test_the_same_work_takes_what_it_took(registry: Registry) -> None:
    experiment = one(registry, "bert", "rte", "fine-tune")
    history = [
        Timing(one(registry, "bert", "rte", "fine-tune", seed=1), "cuda", "GPU", 12.5),
        Timing(one(registry, "bert", "rte", "fine-tune", seed=2), "cuda", "GPU", 13.5),
        Timing(one(registry, "bert", "rte", "fine-tune", train={"epochs": 1}), "cuda", "GPU", 1000.0),
    ]
    assert expected_seconds(experiment, history, GPU, RATES) == 13.0


def test_other_work_of_the_cell_gives_the_pace(registry: Registry) -> None:
    whole = one(registry, "bert", "mnli", "fine-tune")
    part = one(registry, "bert", "mnli", "fine-tune", limit=200, train_limit=4_000)
    fixed = FIXED + whole.model.parameters * CHANGED_SECONDS
    twice_as_long = fixed + 2 * (seconds(part) - fixed)
    expected = expected_seconds(whole, [Timing(part, "cuda", "GPU", twice_as_long)], GPU)
    assert expected == pytest.approx(fixed + 2 * (seconds(whole) - fixed))


def test_a_run_shorter_than_its_fixed_part_still_has_a_pace(registry: Registry) -> None:
    whole = one(registry, "minilm", "sst2", "fine-tune")
    part = one(registry, "minilm", "sst2", "fine-tune", limit=10, train_limit=10)
    expected = expected_seconds(whole, [Timing(part, "cuda", "GPU", 1.0)], GPU)
    assert expected is not None
    assert expected > FIXED


def test_other_devices_models_tasks_and_modes_say_nothing(registry: Registry) -> None:
    experiment = one(registry, "qwen-0.5b", "rte", "zero-shot")
    history = [
        Timing(experiment, "cpu", "CPU", 1000.0),
        Timing(experiment, "cuda", "another GPU", 1000.0),
        Timing(one(registry, "qwen-1.5b", "rte", "zero-shot"), "cuda", "GPU", 1000.0),
        Timing(one(registry, "qwen-0.5b", "sst2", "zero-shot"), "cuda", "GPU", 1000.0),
        Timing(one(registry, "qwen-0.5b", "rte", "few-shot"), "cuda", "GPU", 1000.0),
    ]
    assert expected_seconds(experiment, history, GPU) == seconds(experiment)


def test_runs_whose_rows_cannot_be_counted_any_more_are_left_out(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = one(registry, "bert", "rte", "fine-tune")
    gone = one(registry, "bert", "rte", "fine-tune", limit=10)
    monkeypatch.setattr(estimate, "count_workload", lambda e: None if e is gone else count_workload(e))
    assert expected_seconds(experiment, [Timing(gone, "cuda", "GPU", 1000.0)], GPU) == seconds(experiment)
