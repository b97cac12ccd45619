"""Limits, and what misses them, in words."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from nlu_arena.limits import LimitName, Limits, Miss
from nlu_arena.views.figures import format_bytes, format_count, format_milliseconds

# The gigabyte of the command line is the decimal one: what keeps within it keeps within the binary one too.
GB = 10**9


class Wording(NamedTuple):
    """How a limit is called, which option sets it, in which unit, and how a value of it reads."""

    word: str
    option: str
    unit: int
    show: Callable[[float], str]


WORDINGS: dict[LimitName, Wording] = {
    "latency_ms": Wording("latency", "--max-latency-ms", 1, format_milliseconds),
    "memory_bytes": Wording("memory", "--max-memory-gb", GB, lambda size: format_bytes(round(size))),
    "labels": Wording("labels", "--labels", 1, lambda count: format_count(round(count), "label")),
}


def describe_limits(limits: Limits) -> str:
    """Return what is allowed, empty where anything is."""
    said = []
    if limits.latency_ms is not None:
        said.append(f"{limits.latency_ms:g} ms for one text")
    if limits.memory_bytes is not None:
        size = format_bytes(round(limits.memory_bytes))
        said.append(f"{limits.memory_bytes / GB:g} GB of memory ({size})")
    if limits.labels is not None:
        said.append(format_count(limits.labels, "labelled example"))
    return ", ".join(said)


def describe_miss(miss: Miss) -> str:
    """Say what is needed, and by how much that is too much."""
    wording = WORDINGS[miss.limit]
    if miss.value is None:
        return f"{wording.word} n/a"
    return f"{wording.show(miss.value)}, {wording.show(miss.value - miss.most)} over"


def relax_limit(miss: Miss) -> str:
    """Return the option with a limit that is met; empty where it is not known what is needed."""
    if miss.value is None:
        return ""
    wording = WORDINGS[miss.limit]
    value = miss.value / wording.unit
    # Labels are whole; of other values the two first digits count, rounded up.
    step = 10.0 ** (math.floor(math.log10(value)) - 1) if miss.limit != "labels" else 1
    return f"{wording.option} {math.ceil(value / step) * step:.6g}"
