"""The rate of matrix products at a model's own shapes: the limit of what any program could reach here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import partial

import torch
from torch import Tensor
from torch.nn.functional import linear

from nlu_arena.backend.device import torch_dtype
from nlu_arena.backend.rate import time_call
from nlu_arena.backend.weights import load_causal_model, load_classifier
from nlu_arena.spec import Precision
from tests.benchmarks.speed.bench import Bench, say
from tests.benchmarks.speed.case import build_case
from tests.benchmarks.speed.operations import Architecture, read_architecture
from tests.benchmarks.speed.results import Result

# For each kind of linear layer.
SECONDS = 0.5
# Tokens of a batch: short texts, and long ones.
TOKENS = (512, 2048)


def measure_rates(bench: Bench) -> Iterator[Result]:
    """Measure the rate at the shapes of both models, with few tokens and many."""
    encoder = build_case(bench.glue, "minilm", "sst2", "fine-tune", "float32", dev=1, settings={})
    decoder = build_case(bench.glue, "smollm2-135m", "sst2", "zero-shot", "float32", dev=1)
    spec, task = encoder.experiment.model, encoder.experiment.task
    models = {
        spec.name: load_classifier(spec, task, encoder.folder, bench.device).model,
        decoder.experiment.model.name: load_causal_model(
            decoder.experiment.model, decoder.folder, "float32", bench.device
        ),
    }
    for name, model in models.items():
        architecture = read_architecture(model)
        for precision in bench.precisions:
            for tokens in TOKENS:
                say(f"rate: {name} {precision}, {tokens} tokens")
                rate = measure_matrix_rate(architecture, tokens, precision, bench.device)
                size = f"{tokens} tokens"
                yield Result(
                    part="rate", work=f"{name} {precision}", size=size, unit="GFLOP/s", ours=rate / 1e9
                )


def measure_matrix_rate(
    architecture: Architecture, tokens: int, precision: Precision, device: torch.device
) -> float:
    """Return the operations a second of one product after the other with a model's linear layers.

    Args:
        architecture: The layers.
        tokens: How many tokens meet a layer at once.
        precision: The type of the numbers.
        device: What computes.
    """
    dtype, seconds = torch_dtype(precision), 0.0

    def make(*shape: int) -> Tensor:
        return torch.randn(*shape, device=device).to(dtype)

    with torch.inference_mode():
        for (outputs, inputs), count in Counter(architecture.linears).items():
            hidden, weight = make(tokens, inputs), make(outputs, inputs)
            once = time_call(partial(linear, hidden, weight), device, SECONDS)
            seconds += count * once
    return architecture.products * tokens / seconds
