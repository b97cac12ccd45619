"""The device a worker computes on: seeds, precision, synchronisation, its memory and its description."""

from __future__ import annotations

import ctypes
import hashlib
import importlib.metadata
import os
import platform
import random
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import numpy as np
import torch

from nlu_arena.hardware import find_cpu
from nlu_arena.paths import PACKAGE
from nlu_arena.spec import Precision

# Packages whose version can change a number.
PACKAGES = ("nlu-arena", "torch", "transformers", "peft", "datasets", "tokenizers", "safetensors", "numpy")
# Of glibc's malloc.h.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_MMAP_MAX = -1, -3, -4


def open_device(name: str) -> torch.device:
    """Return the torch device of a name such as "cpu", "cuda:1" or "mps", ready for work."""
    device = torch.device(name)
    if device.type == "cuda":
        torch.cuda.set_device(device)
        # A training that goes on from a checkpoint must come to the same weights: no sums in random order.
        # Where the library has no other way it only warns, and fresh memory need not be filled for it.
        torch.use_deterministic_algorithms(True, warn_only=True)
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    return device


def torch_dtype(precision: Precision) -> torch.dtype:
    """Return torch's type for a precision."""
    return {"float32": torch.float32, "bfloat16": torch.bfloat16}[precision]


def autocast(device: torch.device, precision: Precision) -> AbstractContextManager[Any]:
    """Return the context in which float32 weights compute their products in the precision."""
    if precision == "float32":
        return nullcontext()
    return torch.autocast(device.type, dtype=torch_dtype(precision))


def seed_everything(seed: int) -> None:
    """Seed every generator that the libraries draw from: each experiment starts from its own seed."""
    random.seed(seed)
    # The legacy global generator, because libraries that use numpy's randomness read that one.
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def synchronize(device: torch.device) -> None:
    """Wait until the device has done all that was asked of it: a clock read before is wrong."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def is_out_of_memory(error: BaseException) -> bool:
    """Say whether an error is a failed allocation; on the CPU torch raises a plain RuntimeError for it."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    text = str(error)
    return isinstance(error, RuntimeError) and ("can't allocate memory" in text or "out of memory" in text)


@contextmanager
def freed_memory_kept() -> Iterator[None]:
    """Let the C library keep freed memory for what comes next, and give it back at the end.

    A training frees and takes the same large tensors at every step; by default each comes as pages that the
    system must empty first. Only glibc has the means; elsewhere nothing changes.
    """
    library: Any = ctypes.CDLL(None) if sys.platform == "linux" else None
    if not hasattr(library, "mallopt") or not hasattr(library, "malloc_trim"):
        yield
        return
    library.mallopt(M_MMAP_MAX, 0)
    library.mallopt(M_TRIM_THRESHOLD, 2**31 - 1)
    try:
        yield
    finally:
        # The first call has ended the library's own adaptation: these are the values at which that ends.
        library.mallopt(M_MMAP_MAX, 65_536)
        library.mallopt(M_MMAP_THRESHOLD, 32 * 2**20)
        library.mallopt(M_TRIM_THRESHOLD, 64 * 2**20)
        library.malloc_trim(0)


def reset_peak_memory(device: torch.device) -> None:
    """Start a new peak of the device's memory."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)


def release_memory(device: torch.device) -> None:
    """Give cached device memory back, between experiments and after a failed allocation."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()


def peak_memory(device: torch.device) -> dict[str, int | None]:
    """Return the device's peaks in bytes since the reset: the allocator's and what it had reserved.

    The driver's figure comes from the scheduler's sampler. None where the device has no such figure.
    """
    if device.type != "cuda":
        return {"device_peak_allocated_bytes": None, "device_peak_reserved_bytes": None}
    return {
        "device_peak_allocated_bytes": torch.cuda.max_memory_allocated(device),
        "device_peak_reserved_bytes": torch.cuda.max_memory_reserved(device),
    }


def device_title(device: torch.device) -> str:
    """Return the name of the hardware behind a device."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return find_cpu().title if device.type == "cpu" else platform.machine()


def code_version() -> str:
    """Return the package's version and a hash of its source: a run is continued only by the same code."""
    digest = hashlib.sha256()
    for file in sorted(PACKAGE.rglob("*.py")):
        digest.update(file.relative_to(PACKAGE).as_posix().encode())
        digest.update(file.read_bytes())
    return f"{importlib.metadata.version('nlu-arena')}+{digest.hexdigest()[:12]}"


def describe_environment(device: torch.device) -> dict[str, Any]:
    """Return what a reader of a result must know about the machine and the software that made it."""
    return {
        "device": str(device),
        "device_title": device_title(device),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "cpu_count": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "cuda": torch.version.cuda,
        "packages": {name: importlib.metadata.version(name) for name in PACKAGES},
    }
