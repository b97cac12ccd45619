"""Dropout on the CPU from 16 random bits for each value: torch draws 64, one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

# How many values a random number decides on, and the steps in which a probability is then met.
LEVELS = 2**16


def draw_kept(shape: Sequence[int], rate: float) -> Tensor:
    """Return which values stay, True with the probability that `keep_rate` says, from torch's own generator.

    Args:
        shape: The values' shape.
        rate: The probability of a value to be dropped.
    """
    count = torch.Size(shape).numel()
    # All bits of a 64-bit integer are random, the sign too.
    words = torch.empty(-(-count // 4), dtype=torch.int64).random_(-(2**63), None)
    bits = words.view(torch.int16)[:count].view(*shape)
    return bits >= _dropped_levels(rate) - LEVELS // 2


def keep_rate(rate: float) -> float:
    """Return the probability with which `draw_kept` keeps a value: 1 - rate to the nearest 2^-16."""
    return 1.0 - _dropped_levels(rate) / LEVELS


def drop(values: Tensor, rate: float) -> Tensor:
    """Set values to 0 with the probability `rate` and scale the others, so that their mean stays."""
    scale = draw_kept(values.shape, rate).to(values.dtype).mul_(1.0 / keep_rate(rate))
    return values * scale


@contextmanager
def quick_dropout(model: nn.Module) -> Iterator[None]:
    """Let a model's dropout layers draw as `drop` does while it trains on the CPU."""
    on_cpu = all(weight.device.type == "cpu" for weight in model.parameters())
    layers: list[Any] = [module for module in model.modules() if on_cpu and _is_replaceable(module)]
    for layer in layers:
        layer.forward = partial(drop, rate=layer.p)
    try:
        yield
    finally:
        for layer in layers:
            # Bare again: the method of the class.
            del layer.forward


def _is_replaceable(module: nn.Module) -> bool:
    """Say whether a module is plain dropout with anything to do."""
    # A subclass may do something else.
    return type(module) is nn.Dropout and module.training and _dropped_levels(module.p) not in (0, LEVELS)


def _dropped_levels(rate: float) -> int:
    return round(rate * LEVELS)
