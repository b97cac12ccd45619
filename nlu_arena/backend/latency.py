"""How long an answer takes: batches of 1 and 32, warmed up, the device waited for, tokenisation apart."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from functools import cache
from statistics import median
from typing import Any

import torch

from nlu_arena.backend.device import is_out_of_memory, release_memory, synchronize
from nlu_arena.spec import Example

BATCH_SIZES = (1, 32)
MAX_CALLS = 100
# A batch size is probed for so long. Slow calls go on until there are three, so that one which something
# disturbed is not the median, but no longer than the limit.
USUAL_SECONDS = 1.0
LEAST_CALLS = 3
MAX_SECONDS = 3.0
# The median is known when its interval reaches no further than this share of it to either side. What is cheap
# is asked on for a while: its percentiles come with it.
NARROW = 0.1
LEVEL = 0.95
LEAST_SECONDS = 0.3
# The first calls allocate, choose kernels and run a shared prefix: they do not count.
WARM_UP_CALLS = 3
WARM_UP_SECONDS = 0.2
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


def knows_median(values: Sequence[float]) -> bool:
    """Say whether values pin down their median: whatever their distribution, its interval is narrow.

    The interval is between two of the ordered values: as many of them are below the true median as coins fall
    on one side.
    """
    n = len(values)
    rank = median_rank(n)
    if rank == 0:
        return False
    ordered = sorted(values)
    middle = median(ordered)
    return middle - ordered[rank - 1] <= NARROW * middle and ordered[n - rank] - middle <= NARROW * middle


@cache
def median_rank(n: int) -> int:
    """Return which smallest and largest of n values bound their true median at the level; 0 for none."""
    tail, rank = 0.5**n, 0
    outside = (1 - LEVEL) / 2
    while tail <= outside:
        rank += 1
        tail += math.comb(n, rank) * 0.5**n
    return rank


def probe_latency(
    encode: Callable[[Sequence[Example]], Sequence[Row]],
    score: Callable[[Sequence[Row]], object],
    examples: Sequence[Example],
    device: torch.device,
    keep_going: Callable[[], None],
) -> dict[str, dict[str, float | int | None]]:
    """Time answers from text on, for each batch size until the median is known, for 1 s or with 100 calls.

    Slow calls are three, within 3 s.

    The smallest batch goes first and warms what the next one uses. So a large batch that outlasts the warm-up
    counts from its first call: on a slow device that call costs as much as all that is measured, and it took
    1 to 3 % longer than one with other texts after it.

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
        is_cold = size == BATCH_SIZES[0] and call == 1
        if is_cold or (warm_ups < WARM_UP_CALLS and end - began < WARM_UP_SECONDS):
            warm_ups += 1
        else:
            token_ms.append(1000 * (encoded - start))
            model_ms.append(1000 * (end - encoded))
        if _is_enough(model_ms, passed=end - began, last=end - start):
            break
    return {
        "p50_ms": percentile(model_ms, 50),
        "p95_ms": percentile(model_ms, 95),
        "p99_ms": percentile(model_ms, 99),
        "tokenize_p50_ms": percentile(token_ms, 50),
        "calls": len(model_ms),
    }


def _is_enough(values: Sequence[float], passed: float, last: float) -> bool:
    """Say whether to stop: the median is known, or another call as long as the last would pass the limit."""
    is_known = passed >= LEAST_SECONDS and knows_median(values)
    limit = USUAL_SECONDS if len(values) >= LEAST_CALLS else MAX_SECONDS
    # One counted call there always is.
    return bool(values) and (is_known or passed + last > limit)


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
