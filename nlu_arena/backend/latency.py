"""How long an answer takes: batches of 1 and 32, warmed up, the device waited for, tokenisation apart."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import torch

from nlu_arena.backend.device import is_out_of_memory, release_memory, synchronize
from nlu_arena.spec import Example

BATCH_SIZES = (1, 32)
MAX_CALLS = 100
MAX_SECONDS = 3.0
# The first calls allocate, choose kernels and run a shared prefix: they do not count.
WARM_UP_CALLS = 3
WARM_UP_SECONDS = 0.5
# From how many calls on a percentile says something: below it is "not available", never a guess.
CALLS_FOR_PERCENTILE = {50: 1, 95: 20, 99: 100}

Row = Any


def percentile(values: Sequence[float], percent: int) -> float | None:
    """Return a percentile by linear interpolation, or None where there are too few values for it."""
    if len(values) < CALLS_FOR_PERCENTILE[percent]:
        return None
    ordered = sorted(values)
    place = (len(ordered) - 1) * percent / 100
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def probe_latency(
    encode: Callable[[Sequence[Example]], Sequence[Row]],
    score: Callable[[Sequence[Row]], object],
    examples: Sequence[Example],
    device: torch.device,
    keep_going: Callable[[], None],
) -> dict[str, dict[str, float | int | None]]:
    """Time answers from text on: for each batch size at most 3 s or 100 calls.

    Args:
        encode: Tokenises texts.
        score: Runs the model on encoded texts.
        examples: Texts to ask, taken in turn.
        device: The device to wait for before each reading of the clock.
        keep_going: Called between calls; raises when the run is to stop.

    Returns:
        For "1" and "32": milliseconds for one call (p50, p95, p99, None where there were too few calls or the
        batch does not fit in memory), the median milliseconds of tokenising it, how many calls there were.
    """
    return {str(size): _probe(encode, score, examples, device, keep_going, size) for size in BATCH_SIZES}


def _probe(
    encode: Callable[[Sequence[Example]], Sequence[Row]],
    score: Callable[[Sequence[Row]], object],
    examples: Sequence[Example],
    device: torch.device,
    keep_going: Callable[[], None],
    size: int,
) -> dict[str, float | int | None]:
    model_ms: list[float] = []
    token_ms: list[float] = []
    began = time.perf_counter()
    warm_ups, call = 0, 0
    while len(model_ms) < MAX_CALLS:
        keep_going()
        batch = [examples[(call * size + place) % len(examples)] for place in range(size)]
        start = time.perf_counter()
        rows = encode(batch)
        encoded = time.perf_counter()
        if not _answer(score, rows, device):
            break
        end = time.perf_counter()
        call += 1
        if warm_ups == 0 or (warm_ups < WARM_UP_CALLS and start - began < WARM_UP_SECONDS):
            warm_ups += 1
        else:
            token_ms.append(1000 * (encoded - start))
            model_ms.append(1000 * (end - encoded))
        # Another call as long as this one would pass the limit; one counted call there always is.
        if model_ms and (end - began) + (end - start) > MAX_SECONDS:
            break
    return {
        "p50_ms": percentile(model_ms, 50),
        "p95_ms": percentile(model_ms, 95),
        "p99_ms": percentile(model_ms, 99),
        "tokenize_p50_ms": percentile(token_ms, 50),
        "calls": len(model_ms),
    }


def _answer(score: Callable[[Sequence[Row]], object], rows: Sequence[Row], device: torch.device) -> bool:
    """Score a batch and wait for it; say no where it does not fit in memory."""
    try:
        score(rows)
        synchronize(device)
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        # The run has its answers already, given in smaller batches: this batch has no latency, that is all.
        release_memory(device)
        return False
    return True
