"""How fast a device computes, as a line of JSON: `python -m nlu_arena.backend.rate --device cpu`."""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Callable
from statistics import median

import msgspec
import torch

from nlu_arena.backend.device import open_device, synchronize, torch_dtype
from nlu_arena.hardware import find_devices
from nlu_arena.rate import Rates
from nlu_arena.spec import Precision

# Tokens, inputs and outputs of the products in models of 20 million to 2 billion weights, small ones first.
SHAPES = ((1024, 576, 1536), (2048, 768, 3072), (2048, 1536, 1536), (4096, 2048, 2048))
# Values of an elementwise step: 64 MB, more than a cache holds.
VALUES = 1 << 24
# The time for the products of one precision; what is under way when it ends is finished.
SECONDS = 1.0
# A reading of the clock covers at least this much: a GPU's product is shorter than the way to it.
WINDOW = 0.005
READINGS = 15


def measure_rates(device: torch.device, *, has_bfloat16: bool, seconds: float = SECONDS) -> Rates:
    """Return the device's rates.

    Args:
        device: What computes.
        has_bfloat16: Whether it has units for bfloat16: an emulated one is not measured.
        seconds: The time for the products of one precision.
    """
    with torch.inference_mode():
        return Rates(
            bfloat16=measure_products(device, "bfloat16", seconds) if has_bfloat16 else None,
            float32=measure_products(device, "float32", seconds),
            memory=measure_memory(device, seconds / len(SHAPES)),
        )


def measure_products(device: torch.device, precision: Precision, seconds: float) -> float:
    """Return the median operations per second over the shapes, on a slow device over the first."""
    end = time.perf_counter() + seconds
    rates: list[float] = []
    for place, shape in enumerate(SHAPES):
        now = time.perf_counter()
        if rates and now >= end:
            break
        tokens, inputs, outputs = shape
        product = _make_product(shape, device, torch_dtype(precision))
        share = (end - now) / (len(SHAPES) - place)
        rates.append(2.0 * tokens * inputs * outputs / time_call(product, device, share))
    return median(rates)


def measure_memory(device: torch.device, seconds: float) -> float:
    """Return the bytes per second of a sum of two tensors: two values read and one written for each."""
    left, right = (torch.rand(VALUES, device=device) for _ in range(2))
    total = torch.empty_like(left)
    once = time_call(lambda: torch.add(left, right, out=total), device, seconds)
    return 3.0 * left.element_size() * VALUES / once


def time_call(call: Callable[[], object], device: torch.device, seconds: float) -> float:
    """Return the median seconds of a call, warmed up, from readings that fit into `seconds`.

    A call that alone takes longer is timed once, its warm-up with it.
    """
    began = time.perf_counter()
    once = _time_calls(call, device, 1)
    if once > seconds:
        return once
    calls = max(1, math.ceil(WINDOW / _time_calls(call, device, 1)))
    readings = [_time_calls(call, device, calls)]
    while len(readings) < READINGS and time.perf_counter() - began + readings[-1] * calls < seconds:
        readings.append(_time_calls(call, device, calls))
    return median(readings)


def _time_calls(call: Callable[[], object], device: torch.device, calls: int) -> float:
    """Return the mean seconds of some calls in a row, all of them waited for."""
    synchronize(device)
    began = time.perf_counter()
    for _ in range(calls):
        call()
    synchronize(device)
    return (time.perf_counter() - began) / calls


def _make_product(
    shape: tuple[int, int, int], device: torch.device, dtype: torch.dtype
) -> Callable[[], torch.Tensor]:
    """Return what multiplies hidden states by the weights of a linear layer."""
    tokens, inputs, outputs = shape
    hidden = torch.rand(tokens, inputs, device=device).to(dtype)
    weights = torch.rand(outputs, inputs, device=device).to(dtype)
    return lambda: torch.nn.functional.linear(hidden, weights)


def main() -> None:
    """Measure one device and write its rates to standard output."""
    parser = argparse.ArgumentParser(description="Measure how fast a device computes.")
    parser.add_argument("--device", required=True)
    name = parser.parse_args().device
    found = next((device for device in find_devices() if device.name == name), None)
    if found is None:
        parser.error(f"there is no device {name} here")
    rates = measure_rates(open_device(name), has_bfloat16=found.fast_bfloat16)
    sys.stdout.buffer.write(msgspec.json.encode(rates) + b"\n")


if __name__ == "__main__":
    main()
