"""What a person has to keep within, and what of it a contender does not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import msgspec

from nlu_arena.contender import Contender
from nlu_arena.spec import TRAINED_MODES

LimitName = Literal["latency_ms", "memory_bytes", "labels"]


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The most that may be needed; None where it does not matter.

    `latency_ms` is the median time of a call with one text, `memory_bytes` the peak of the run, training
    included, and `labels` the number of labelled examples.
    """

    latency_ms: float | None = None
    memory_bytes: float | None = None
    labels: int | None = None


class Miss(msgspec.Struct, frozen=True, kw_only=True):
    """A limit that is not met: what is needed, None where it is not known, and what is allowed."""

    limit: LimitName
    value: float | None
    most: float

    @property
    def excess(self) -> float:
        """Return what is needed as a multiple of what is allowed, infinity where that tells nothing."""
        return self.value / self.most if self.value is not None and self.most else math.inf


class Needs(msgspec.Struct, frozen=True, kw_only=True):
    """What a contender needs; None where it is not known.

    `memory_bytes` is the peak of the device where it has its own memory, `is_device_memory`, else the host's.
    `labels` are the examples that it was trained on, or that are in its prompt. Prompting trains in no time.
    """

    latency_ms: float | None
    memory_bytes: int | None
    is_device_memory: bool
    labels: int | None
    train_seconds: float | None

    @property
    def costs(self) -> tuple[float | None, ...]:
        """Return what is paid besides labelled examples: time for a text, memory, time of training."""
        return self.latency_ms, self.memory_bytes, self.train_seconds


def find_needs(contender: Contender) -> Needs:
    """Return what a contender needs, over its seeds."""
    cost = contender.cost
    rows = [cell.train_rows for cell in contender.cells]
    known = [count for count in rows if count is not None]
    has_own = cost.device_peak_bytes is not None
    return Needs(
        latency_ms=cost.call_ms.get(1),
        memory_bytes=cost.device_peak_bytes if has_own else cost.peak_rss_bytes,
        is_device_memory=has_own,
        labels=max(known) if len(known) == len(rows) else None,
        train_seconds=cost.train_seconds if contender.mode in TRAINED_MODES else 0.0,
    )


def find_misses(needs: Needs, limits: Limits) -> tuple[Miss, ...]:
    """Return the limits that are not met; what is not known meets none."""
    pairs: Sequence[tuple[LimitName, float | None, float | None]] = (
        ("latency_ms", needs.latency_ms, limits.latency_ms),
        ("memory_bytes", needs.memory_bytes, limits.memory_bytes),
        ("labels", needs.labels, limits.labels),
    )
    return tuple(
        Miss(limit=limit, value=value, most=most)
        for limit, value, most in pairs
        if most is not None and (value is None or value > most)
    )
