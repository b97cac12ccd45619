"""What contenders cost, over tasks and against each other."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence

from nlu_arena.comparing.rows import Ratios
from nlu_arena.contender import Cost, Number


def average_costs(costs: Sequence[Cost]) -> Cost:
    """Return the mean cost over tasks, and the highest peaks; None where one task's is not known."""
    batches = set.intersection(*(set(cost.call_ms) for cost in costs))
    return Cost(
        device=" / ".join(dict.fromkeys(cost.device for cost in costs)),
        call_ms={batch: statistics.fmean(c.call_ms[batch] for c in costs) for batch in sorted(batches)},
        # Texts in so many seconds: the mean is of the seconds.
        examples_per_second=_join(statistics.harmonic_mean, (c.examples_per_second for c in costs)),
        train_seconds=_join(statistics.fmean, (c.train_seconds for c in costs)),
        trainable_parameters=_join(max, (c.trainable_parameters for c in costs)),
        peak_rss_bytes=_join(max, (c.peak_rss_bytes for c in costs)),
        device_peak_bytes=_join(max, (c.device_peak_bytes for c in costs)),
    )


def compare_costs(this: Cost, baseline: Cost, *, same_device: bool) -> Ratios:
    """Return each cost as a multiple of the baseline's.

    Memory is the device's where it has its own, else the host's. Only how many weights are trained means the
    same on any device.
    """
    device = (this.device_peak_bytes, baseline.device_peak_bytes)
    host = (this.peak_rss_bytes, baseline.peak_rss_bytes)
    peaks = host if device == (None, None) else device
    timed = {
        "train_seconds": (this.train_seconds, baseline.train_seconds),
        "latency_1": (this.call_ms.get(1), baseline.call_ms.get(1)),
        "latency_32": (this.call_ms.get(32), baseline.call_ms.get(32)),
        "throughput": (this.examples_per_second, baseline.examples_per_second),
        "peak_memory": peaks,
    }
    ratios = {name: _divide(*values) if same_device else None for name, values in timed.items()}
    return Ratios(
        **ratios, trainable_parameters=_divide(this.trainable_parameters, baseline.trainable_parameters)
    )


def _divide(this: float | None, baseline: float | None) -> float | None:
    return None if this is None or not baseline else this / baseline


def _join(join: Callable[[Iterable[Number]], Number], values: Iterable[Number | None]) -> Number | None:
    """Return what all values are together, None where one is not known."""
    known = list(values)
    return None if None in known else join([value for value in known if value is not None])
