"""The two limits of a piece of work: its operations over the matrix rate, its bytes over the bandwidth."""

from __future__ import annotations

from typing import NamedTuple

import torch

from nlu_arena.spec import Precision
from tests.benchmarks.speed.matrix_rate import measure_matrix_rate
from tests.benchmarks.speed.memory_rate import measure_memory_rate
from tests.benchmarks.speed.operations import Architecture


class Limits(NamedTuple):
    """The seconds of a minimal program by either rate, and the numbers behind them in words."""

    computing: float
    moving: float
    origin: str

    def share(self, seconds: float) -> float:
        """Return the share of the matrix rate that a program reaches in so many seconds."""
        return self.computing / seconds

    def note(self, seconds: float) -> str:
        """Say both limits beside the seconds that a program took."""
        return (
            f"work over rate {self.computing:.3g} s, bytes over bandwidth {self.moving:.3g} s"
            f" of {seconds:.3g} s ({self.origin})"
        )


def measure_limits(
    operations: float,
    moved: int,
    architecture: Architecture,
    tokens: int,
    precision: Precision,
    device: torch.device,
) -> Limits:
    """Measure both rates of the device now.

    Args:
        operations: Of a minimal program.
        moved: The bytes that it moves.
        architecture: The layers that the matrix rate is measured with.
        tokens: How many tokens meet a layer at once.
        precision: The type of the products.
        device: What computes.
    """
    matrix = measure_matrix_rate(architecture, tokens, precision, device)
    memory = measure_memory_rate(device)
    origin = (
        f"{operations / 1e9:.0f} GFLOP at {matrix / 1e9:.0f} GFLOP/s, measured with {tokens} tokens;"
        f" {moved / 1e9:.2f} GB at {memory / 1e9:.1f} GB/s"
    )
    return Limits(operations / matrix, moved / memory, origin)
