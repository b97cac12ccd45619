"""How long an experiment will take: what the same work took before, or else counted work over the rates."""

from __future__ import annotations

import os
from collections.abc import Iterable
from statistics import median
from typing import NamedTuple

from nlu_arena.hardware import Device, DeviceKind
from nlu_arena.ledger.queries import Timing
from nlu_arena.rate import Rates
from nlu_arena.shape import Shape
from nlu_arena.spec import Experiment
from nlu_arena.workload import Stage, Workload, count_workload

# Assumed where nothing is measured, a CPU's for one core: a current server core, a data-centre GPU of the
# middle class, a laptop's Apple GPU.
ASSUMED: dict[DeviceKind, Rates] = {
    "cpu": Rates(bfloat16=400e9, float32=100e9, memory=8e9),
    "cuda": Rates(bfloat16=60e12, float32=15e12, memory=500e9),
    "mps": Rates(bfloat16=3e12, float32=3e12, memory=100e9),
}
# Bytes that a step moves for each weight that it changes: AdamW, the gradient's norm before it, and the casts
# between the weight's type and that of the products.
UPDATE_BYTES = 48
# Loading and tokenising: 0.2 to 1 s for the small models, 4 s where an adapter is read anew and proved.
LOADING_SECONDS = 1.5
# Once for each weight that training changes: new memory for its gradient and moments, and writing it to disk.
CHANGED_SECONDS = 10e-9
# The latency probe ends when it knows the medians or, of slow calls, has three: 1.2 to 3.1 s for small ones.
PROBE_SECONDS = 2.0
# What counts as a run's computing at the least, so that a short one does not scale to nothing.
LEAST_SHARE = 0.1


class Speed(NamedTuple):
    """How fast a device gets through work: its rates, and its share of what a CPU moves and waits."""

    rates: Rates
    moving: float
    waiting: float


# Traffic and calls are fitted on a CPU. A GPU moves what the tensors hold and waits for Python alone: judged
# from the number of tensors and kernels in a layer, not measured.
SHARES: dict[DeviceKind, tuple[float, float]] = {"cpu": (1.0, 1.0), "cuda": (0.2, 0.4), "mps": (0.2, 0.4)}


def expected_seconds(
    experiment: Experiment, history: Iterable[Timing], device: Device, rates: Rates | None = None
) -> float | None:
    """Return the expected wall time of an experiment in seconds, None where its rows are not known.

    With measured rates it was 0.7 to 1.5 times what the twelve runs of the quick sweep took on two quiet
    cores (median 1.2), adapters the low end. Other programs on those cores made runs up to six times as long.
    On a GPU it has not been compared.

    Args:
        experiment: The unit of work.
        history: What done runs took. The same work on such a device counts as it is; other runs of the same
            model, task and mode give the pace.
        device: Where it will run.
        rates: What was measured of the device; without it a usual one is assumed.
    """
    workload = count_workload(experiment)
    if workload is None:
        return None
    known = [
        (timing.seconds, done)
        for timing in history
        if _is_kin(timing, experiment, device) and (done := count_workload(timing.experiment)) is not None
    ]
    same = [seconds for seconds, done in known if done == workload]
    if same:
        return median(same)
    speed = Speed(rates or assume_rates(device), *SHARES[device.kind])
    paces = [_measure_pace(seconds, done, speed) for seconds, done in known]
    pace = median(paces) if paces else 1.0
    return fixed_seconds(workload, speed) + pace * computing_seconds(workload, speed)


def assume_rates(device: Device) -> Rates:
    """Return the rates of a usual device of its kind."""
    assumed = ASSUMED[device.kind]
    cores = (os.cpu_count() or 1) if device.kind == "cpu" else 1
    return Rates(
        bfloat16=cores * assumed.of("bfloat16") if device.fast_bfloat16 else None,
        float32=cores * assumed.float32,
        memory=cores * assumed.memory,
    )


def computing_seconds(workload: Workload, speed: Speed) -> float:
    """Return the seconds of training and scoring."""
    return sum(stage_seconds(stage, workload.shape, speed) for stage in workload.stages)


def fixed_seconds(workload: Workload, speed: Speed) -> float:
    """Return the seconds of loading, tokenising, the latency probe, and what is paid once for training."""
    probe = max(PROBE_SECONDS, stage_seconds(workload.probe, workload.shape, speed))
    return LOADING_SECONDS + probe + CHANGED_SECONDS * workload.changed


def stage_seconds(stage: Stage, shape: Shape, speed: Speed) -> float:
    """Return the seconds of a stage: products, elementwise steps, updates and calls, one after the other.

    None of them is left out, because which one prevails changes with device, precision and batch.
    """
    pace = stage.pace
    products = pace.products * shape.products * stage.tokens / speed.rates.of(stage.precision)
    traffic = speed.moving * pace.traffic * shape.layers * shape.width * stage.tokens
    moved = (traffic + UPDATE_BYTES * stage.updated) / speed.rates.memory
    return products + moved + speed.waiting * pace.call * shape.layers * stage.passes


def _measure_pace(seconds: float, done: Workload, speed: Speed) -> float:
    """Return how many times as long as counted a run took to compute."""
    computing = max(seconds - fixed_seconds(done, speed), LEAST_SHARE * seconds)
    return computing / computing_seconds(done, speed)


def _is_kin(timing: Timing, experiment: Experiment, device: Device) -> bool:
    """Say whether a run tells something about an experiment; GPUs differ too much to tell of each other."""
    done = timing.experiment
    return (
        timing.device_kind == device.kind
        and (device.kind != "cuda" or timing.device_title == device.title)
        and done.model.name == experiment.model.name
        and (done.task.name, done.mode) == (experiment.task.name, experiment.mode)
    )
