"""The bandwidth of the main memory: the limit of a program that reads more weights than a cache holds."""

from __future__ import annotations

from functools import partial

import torch

from nlu_arena.backend.rate import time_call

# Bytes that are copied: a server's cache, which its cores share, is of hundreds of megabytes.
COPIED = 1 << 29
SECONDS = 1.0


def measure_memory_rate(device: torch.device) -> float:
    """Return the bytes a second of copying: every byte counts twice, read and written."""
    # Written before the clock runs: memory that nothing was written to has no pages yet.
    source, target = (torch.ones(COPIED, dtype=torch.uint8, device=device) for _ in range(2))
    return 2.0 * COPIED / time_call(partial(target.copy_, source), device, SECONDS)
