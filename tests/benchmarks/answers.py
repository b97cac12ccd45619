"""`compare` and `errors` on 1,000 runs with 3 million answers: seconds and memory of whole processes.

    python -m tests.benchmarks.answers FOLDER [--shape seeds|settings] [--repeats R]

The ledger is made by the real store, once, in FOLDER/<shape>: "seeds" has 63 experiments of 21 contenders on
three tasks with many seeds each, "settings" has 1,000 experiments that differ in their training rows. Answers
are drawn by a seeded generator: texts have a difficulty that all models share, models have a skill.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from nlu_arena import events
from nlu_arena.ledger.store import Store
from nlu_arena.paths import ledger_path
from nlu_arena.plan import build_plan
from nlu_arena.profile import Profile
from nlu_arena.registry import load_registry
from nlu_arena.spec import Example, Experiment, Prediction, Subset
from tests.views.ledgers import CPU, READY

RUNS, ANSWERS = 1_000, 3_000
ENCODERS = ["bert-base", "deberta-base", "minilm"]
DECODERS = ["qwen-0.5b", "qwen-1.5b", "gemma-2b", "gemma3-270m", "smollm2-135m"]
TASKS = ["sst2", "rte", "mnli"]
WORDS = (
    *("the", "a", "not", "never", "film", "plot", "was", "is", "3", "seven", "good", "dull", "of", "people"),
    *("said", "in", "on", "with", "without", "market"),
)
COMMANDS = (
    ["compare"],
    ["compare", "--json"],
    ["errors", "rte"],
    ["errors", "mnli", "--json"],
)
LIMIT_SECONDS, LIMIT_BYTES = 3.0, 500 * 1024**2


class Measured(NamedTuple):
    """A whole process: its time, its peak of memory, and what it wrote."""

    seconds: float
    peak_bytes: int
    written_bytes: int


def plan_seeds() -> list[Experiment]:
    """Return experiments of few contenders with many seeds each."""
    blocks = [
        {"models": ENCODERS, "modes": ["fine-tune", "lora"], "tasks": TASKS},
        {"models": DECODERS, "modes": ["zero-shot", "few-shot", "lora"], "tasks": TASKS},
    ]
    return _plan(blocks, seeds=range(1, 26))


def plan_settings() -> list[Experiment]:
    """Return experiments with one seed each that differ in their training rows."""
    blocks = [
        {"models": ENCODERS, "modes": ["fine-tune"], "tasks": TASKS},
        {"models": DECODERS, "modes": ["lora"], "tasks": TASKS},
    ]
    return [
        msgspec.structs.replace(experiment, subset=Subset(train=32 * step))
        for step in range(1, 43)
        for experiment in _plan(blocks, seeds=[42])
    ][:RUNS]


def _plan(blocks: Sequence[dict[str, list[str]]], seeds: Sequence[int]) -> list[Experiment]:
    raw = {"name": "large", "description": "", "data": "starter", "seeds": list(seeds), "block": blocks}
    profile = msgspec.convert(raw, Profile)
    plan = build_plan(profile, load_registry(), [CPU], weights_identity=lambda model: model.name)
    # One seed of everything first: cut to the number of runs, no contender is left out.
    return sorted(plan, key=lambda experiment: experiment.seed)[:RUNS]


def write_ledger(folder: Path, plan: Sequence[Experiment]) -> None:
    """Write a finished run with drawn answers for every experiment."""
    rng = np.random.default_rng(0)
    sets = {task: list(_draw_examples(rng, task)) for task in TASKS}
    difficulty = {task: rng.normal(size=ANSWERS) for task in TASKS}
    with Store.open(ledger_path(folder)) as store:
        sweep = store.begin_sweep("large", plan, {"command": "nlu-arena sweep --profile large"})
        for experiment in plan:
            task, run = experiment.task.name, store.begin_run(sweep, experiment, READY)
            for found in sets[task]:
                store.record(run.run_id, found)
            store.record(run.run_id, events.PhaseFinished(phase="train", seconds=float(rng.uniform(10, 99))))
            store.record(run.run_id, events.Facts(facts=_draw_facts(rng, experiment)))
            answers = _draw_answers(rng, experiment, sets[task], difficulty[task])
            store.record_peak(run.run_id, int(rng.uniform(1e9, 9e9)))
            store.finish_run(run.run_id, list(answers))
        store.finish_sweep(sweep, "done")


def _draw_examples(rng: np.random.Generator, task: str) -> Iterator[events.ExampleSet]:
    splits = {"matched": ANSWERS // 2, "mismatched": ANSWERS // 2} if task == "mnli" else {"dev": ANSWERS}
    for split, n in splits.items():
        labels = rng.integers(0, 3 if task == "mnli" else 2, n).tolist()
        examples = [
            Example(text=_draw_text(rng), label=label, pair=None if task == "sst2" else _draw_text(rng))
            for label in labels
        ]
        yield events.ExampleSet(split=split, fingerprint=f"{task}-{split}", examples=examples)


def _draw_text(rng: np.random.Generator) -> str:
    return " ".join(rng.choice(WORDS, int(rng.integers(3, 40))))


def _draw_facts(rng: np.random.Generator, experiment: Experiment) -> dict[str, object]:
    one = float(rng.uniform(2, 40))
    return {
        "train_rows": experiment.subset.train or 2_000,
        "trainable_parameters": experiment.model.parameters,
        "evaluate_examples_per_second": 1000 / one,
        "latency": {"1": {"p50_ms": one}, "32": {"p50_ms": 20 * one}},
        "prompt_example": "a prompt " * 100,
    }


def _draw_answers(
    rng: np.random.Generator,
    experiment: Experiment,
    sets: Sequence[events.ExampleSet],
    difficulty: np.ndarray,
) -> Iterator[events.Predictions]:
    labels, place = len(experiment.task.labels), 0
    skill = 0.6 + 0.1 * (hash_of(experiment.title) % 8) + rng.normal(scale=0.05)
    for found in sets:
        n = len(found.examples)
        gold = np.array([example.label for example in found.examples])
        right = skill + rng.normal(size=n) > difficulty[place : place + n]
        place += n
        predicted = np.where(right, gold, (gold + rng.integers(1, labels, n)) % labels)
        logits = rng.normal(size=(n, labels))
        logits[np.arange(n), predicted] = logits.max(axis=1) + rng.exponential(size=n) + 1e-3
        scores = (logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))).astype(np.float32).tolist()
        rows = [
            Prediction(index=i, gold=g, predicted=p, scores=tuple(s))
            for i, (g, p, s) in enumerate(zip(gold.tolist(), predicted.tolist(), scores, strict=True))
        ]
        yield events.Predictions(split=found.split, rows=rows)


def hash_of(text: str) -> int:
    """Return a number for a text that is the same in every process."""
    return sum(place * byte for place, byte in enumerate(text.encode(), 1))


def measure(arguments: Sequence[str], folder: Path) -> Measured:
    """Run a command of the program in a process of its own."""
    command = [sys.executable, "-m", "nlu_arena", *arguments, "--results", str(folder)]
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        written = 0
        while chunk := process.stdout.read(1 << 20):
            written += len(chunk)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - began
    if process.returncode:
        raise SystemExit(f"{' '.join(arguments)} ended with {process.returncode}")
    # Linux counts in KiB.
    return Measured(seconds, usage.ru_maxrss * 1024, written)


def main() -> None:
    """Make the ledger where it is missing, and time every command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--shape", choices=("seeds", "settings"), default="seeds")
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    folder: Path = arguments.folder / arguments.shape
    if not ledger_path(folder).exists():
        plan = plan_seeds() if arguments.shape == "seeds" else plan_settings()
        print(f"writing {len(plan)} runs of {ANSWERS} answers to {folder}")
        write_ledger(folder, plan)
    for command in COMMANDS:
        runs = [measure(command, folder) for _ in range(arguments.repeats)]
        seconds = statistics.median(run.seconds for run in runs)
        peak = max(run.peak_bytes for run in runs)
        verdict = "ok" if seconds < LIMIT_SECONDS and peak < LIMIT_BYTES else "TOO MUCH"
        print(
            f"{' '.join(command):<22} {seconds:5.2f} s  {peak / 1024**2:4.0f} MiB "
            f" {runs[0].written_bytes / 1e6:6.2f} MB written  {verdict}"
        )


if __name__ == "__main__":
    main()
