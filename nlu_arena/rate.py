"""How fast a device computes, measured in a process of its own: nothing here loads torch."""

from __future__ import annotations

import os
import subprocess
import sys

import msgspec

from nlu_arena.errors import CannotStartError
from nlu_arena.spec import Precision, Spec


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
