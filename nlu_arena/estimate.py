"""How long an experiment will take: what it took before, or else from counted operations."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from nlu_arena.dataref import TRAIN, split_files
from nlu_arena.hardware import Device
from nlu_arena.spec import TRAINED_MODES, Experiment

# Mean tokens of an example. GLUE's rows have 9 to 20 words (SST-2), 33 to 52 for a pair (MNLI, RTE).
SINGLE_TOKENS = 20
PAIR_TOKENS = 55
# Tokens of a prompt: the instruction with what a chat template adds once, and each example's own frame.
INSTRUCTION_TOKENS = 45
FRAME_TOKENS = 12

# Operations for each parameter and token: a forward pass takes 2; a backward pass takes 2 for the
# inputs and, where the weights are trained, 2 for these (Kaplan et al. 2020, arXiv 2001.08361).
FORWARD = 2
TRAIN_ALL = 6
TRAIN_ADAPTER = 4

# Operations per second that small batches reach, for bfloat16 and float32: a CPU's are for one core.
# Assumptions for a server core of 2023, one current data-centre GPU and a laptop's Apple GPU; the
# ledger's own times replace them.
RATES = {"cpu": (100e9, 50e9), "cuda": (40e12, 10e12), "mps": (3e12, 3e12)}
# Loading, tokenising and the latency probe, which is bounded by the clock.
FIXED_SECONDS = 8.0


def expected_seconds(
    experiment: Experiment, history: Mapping[tuple[str, str, str], float], device: Device
) -> float | None:
    """Return the expected wall time of an experiment in seconds, None where its rows are not known.

    Args:
        experiment: The unit of work.
        history: The median wall seconds of done runs by (model, task, mode).
        device: Where it will run.
    """
    known = history.get((experiment.model.name, experiment.task.name, experiment.mode))
    if known is not None:
        return known
    operations = count_operations(experiment)
    if operations is None:
        return None
    fast, slow = RATES[device.kind]
    cores = (os.cpu_count() or 1) if device.kind == "cpu" else 1
    rate = (fast if experiment.precision == "bfloat16" else slow) * cores
    return FIXED_SECONDS + operations / rate


def count_operations(experiment: Experiment) -> float | None:
    """Return the floating-point operations of training and scoring, None where the rows are not known."""
    rows = count_rows(experiment)
    if rows is None:
        return None
    train_rows, dev_rows = rows
    prompted = experiment.mode in ("zero-shot", "few-shot") or experiment.uses_label_words
    text = PAIR_TOKENS if experiment.task.is_pair else SINGLE_TOKENS
    example = text + FRAME_TOKENS if prompted else text
    # What all prompts begin with is run once for scoring, and once for each micro-batch of training: counted
    # for every row, the most that it can be.
    prefix = INSTRUCTION_TOKENS + experiment.shots * example if prompted else 0
    work = FORWARD * (prefix + dev_rows * example)
    if experiment.train is not None:
        step = TRAIN_ALL if experiment.train.lora is None else TRAIN_ADAPTER
        work += step * experiment.train.epochs * train_rows * (prefix + example)
    return float(experiment.model.parameters * work)


def count_rows(experiment: Experiment) -> tuple[int, int] | None:
    """Return the training rows and the rows of all dev splits, the subset taken into account.

    Rows of files here are counted; those of the hub are the manifest's. Zero training rows without training.
    """
    task, subset = experiment.task, experiment.subset
    files = split_files(task, experiment.data)
    sizes = {split: count_file_rows(path) for split, path in files.items()}
    if not files:
        sizes = {TRAIN: task.train_rows, **task.dev_rows}
    if len(sizes) < 2:
        return None
    train = sizes.pop(TRAIN)
    if experiment.mode not in TRAINED_MODES:
        train = 0
    dev = sum(rows if subset.dev is None else min(rows, subset.dev) for rows in sizes.values())
    return (train if subset.train is None else min(train, subset.train)), dev


@cache
def count_file_rows(path: Path) -> int:
    """Return the rows of a table: its lines, less a TSV file's header."""
    with path.open("rb") as file:
        lines = sum(1 for line in file if line.strip())
    return lines if path.suffix == ".jsonl" else max(lines - 1, 0)
