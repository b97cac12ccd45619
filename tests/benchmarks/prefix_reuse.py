"""Few-shot scoring with and without the shared prefix: examples per second, the ratio, and the answers.

    python -m tests.benchmarks.prefix_reuse GLUE_DIR [--examples N] [--repeats R]

Both ways run the same engine on the same SST-2 dev sentences (smollm2-135m, k = 5, batch 32) in one process,
one after the other, and the ratio is taken pair by pair. The answers are compared in float32.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

import torch
from transformers import PreTrainedModel

from nlu_arena.backend.batching import plan_batches
from nlu_arena.backend.data import read_examples
from nlu_arena.backend.encode import EncodedPrompts, PromptEncoder
from nlu_arena.backend.score import LabelScorer
from nlu_arena.backend.weights import load_causal_model, load_tokenizer, silence_libraries
from nlu_arena.dataref import resolve_data
from nlu_arena.registry import load_registry
from nlu_arena.sample import draw_shots
from nlu_arena.sources import fetch_weights
from nlu_arena.spec import Experiment, Precision, Subset

BATCH_SIZE = 32


def build_experiment(glue: Path, precision: Precision, examples: int | None) -> Experiment:
    """Return the few-shot experiment that both ways run."""
    registry = load_registry()
    model, task = registry.model("smollm2-135m"), registry.task("sst2")
    return Experiment(
        model=model,
        task=task,
        mode="few-shot",
        data=resolve_data(task, str(glue)),
        weights_identity=model.weights.identity,  # type: ignore[union-attr]
        precision=precision,
        subset=Subset(dev=examples),
        shots=5,
    )


def score_all(
    model: PreTrainedModel, prompts: EncodedPrompts, pad_id: int, *, reuse: bool
) -> tuple[float, torch.Tensor]:
    """Score all prompts; return the seconds and the scores in the prompts' order."""
    scorer = LabelScorer(model, prompts.labels, pad_id, reuse_prefix=reuse)
    began = time.perf_counter()
    scorer.share_prefix(prompts.rows)
    plan = plan_batches([len(row) for row in prompts.rows], BATCH_SIZE)
    scores = torch.cat([scorer.score([prompts.rows[row] for row in batch]) for batch in plan])
    seconds = time.perf_counter() - began
    order = torch.tensor([row for batch in plan for row in batch])
    return seconds, scores[order.argsort()]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("glue", type=Path)
    parser.add_argument("--examples", type=int, default=None)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    silence_libraries()
    for precision in ("bfloat16", "float32"):
        experiment = build_experiment(options.glue, precision, options.examples)
        folder = fetch_weights(experiment.model, lambda _: None)
        tokenizer = load_tokenizer(folder)
        model = load_causal_model(experiment.model, folder, precision, torch.device("cpu"))
        data = read_examples(experiment)
        shots = draw_shots(data.train, 2, experiment.shots, experiment.seed, min_words=6)
        encoder = PromptEncoder(tokenizer, experiment.task, "chat", 2048)
        prompts = encoder.encode(shots, data.dev["dev"])
        score_all(model, EncodedPrompts(prompts.rows[:64], prompts.labels, 0), 0, reuse=True)
        rates: dict[bool, list[float]] = {True: [], False: []}
        answers: dict[bool, torch.Tensor] = {}
        for _ in range(options.repeats if precision == "bfloat16" else 1):
            for reuse in (True, False):
                seconds, answers[reuse] = score_all(model, prompts, tokenizer.pad_token_id, reuse=reuse)
                rates[reuse].append(len(prompts.rows) / seconds)
        ratio = statistics.median(a / b for a, b in zip(rates[True], rates[False], strict=True))
        same = torch.equal(answers[True].argmax(dim=-1), answers[False].argmax(dim=-1))
        gap = float((answers[True] - answers[False]).abs().max())
        print(
            f"{precision}: {statistics.median(rates[True]):.1f} examples/s with the shared prefix, "
            f"{statistics.median(rates[False]):.1f} without, ratio {ratio:.2f}; "
            f"{len(prompts.rows)} examples, same labels: {same}, largest difference {gap:.2e}"
        )


if __name__ == "__main__":
    main()
