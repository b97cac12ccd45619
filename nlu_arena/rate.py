"""How fast a device computes, measured in a process of its own: nothing here loads torch."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
import sys
import time
from contextlib import suppress

import msgspec

from nlu_arena.errors import CannotStartError
from nlu_arena.paths import cache_dir
from nlu_arena.replacement import replacing
from nlu_arena.spec import Precision, Spec

# Seconds. Measuring takes as long as starting a worker; what else a machine does changes from hour to hour.
FRESH = 3600.0


class Rates(Spec, frozen=True):
    """What a device does in a second.

    `bfloat16` and `float32` are operations of large matrix products, a multiply-add counted as two;
    `bfloat16` is None where the device emulates it. `memory` is the bytes that an elementwise step reads and
    writes.
    """

    bfloat16: float | None
    float32: float
    memory: float

    def of(self, precision: Precision) -> float:
        """Return the rate of products; an emulated bfloat16 is no faster than float32."""
        return self.bfloat16 or self.float32 if precision == "bfloat16" else self.float32


class Measured(Spec, frozen=True):
    """Rates with what they hold for, and the time at which they were measured, in seconds of the epoch."""

    subject: str
    at: float
    rates: Rates


def recall_rate(device: str) -> Rates:
    """Return a device's rates as they were measured in the last hour, or measure them and keep them.

    Raises:
        CannotStartError: They cannot be measured.
    """
    # What a name such as "cuda:0" means, and how many threads there are.
    said = [os.environ.get(name, "") for name in ("CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS")]
    subject = f"{platform.node()} {device}, torch {importlib.metadata.version('torch')}, {said}"
    file = cache_dir() / "rates" / f"{device.replace(':', '-')}.json"
    with suppress(OSError, msgspec.MsgspecError):
        kept = msgspec.json.decode(file.read_bytes(), type=Measured)
        if kept.subject == subject and 0 <= time.time() - kept.at < FRESH:
            return kept.rates
    rates = measure_rate(device)
    # A cache that cannot be written costs the next sweep these seconds again, and nothing else.
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        with replacing(file) as part:
            part.write_bytes(msgspec.json.encode(Measured(subject=subject, at=time.time(), rates=rates)))
    return rates


def measure_rate(device: str, timeout: float = 60.0) -> Rates:
    """Measure a device for about two seconds, beside the start of the process that does it.

    Args:
        device: torch's name for it, as in "cuda:0".
        timeout: When to give up, in seconds.

    Raises:
        CannotStartError: It failed or took too long; an estimate then goes without, and must say so.
    """
    command = [sys.executable, "-m", "nlu_arena.backend.rate", "--device", device]
    try:
        said = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
            timeout=timeout,
            # The order in which devices were found, as in a worker.
            env={**os.environ, "CUDA_DEVICE_ORDER": "PCI_BUS_ID"},
        )
        return msgspec.json.decode(said.stdout, type=Rates)
    except subprocess.CalledProcessError as error:
        words = error.stderr.decode(errors="replace").strip() or f"exit code {error.returncode}"
        last = words.splitlines()[-1].strip()
        raise CannotStartError(f"{device} could not be measured: {last}") from error
    except (OSError, subprocess.TimeoutExpired, msgspec.DecodeError) as error:
        raise CannotStartError(f"{device} could not be measured: {error}") from error
