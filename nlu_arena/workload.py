"""What an experiment has to compute, counted before it starts: rows, tokens, passes, weights that change."""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path
from typing import NamedTuple

from nlu_arena.dataref import TRAIN, data_table, split_files
from nlu_arena.errors import UsageError
from nlu_arena.parquetfile import count_parquet_rows
from nlu_arena.shape import Shape, find_shape
from nlu_arena.spec import (
    TRAINED_MODES,
    DataRef,
    Experiment,
    Precision,
    TableData,
    TaskSpec,
    TrainSettings,
)

# Mean tokens of an example. GLUE has 13 (train) and 25 (dev) in SST-2, 42 in MNLI, 70 in RTE.
SINGLE_TOKENS = 20
PAIR_TOKENS = 55
# Rows are batched by length, in training within pools of 16 batches; one batch is padded to the longest row
# all the same. With n batches this makes 1 + 2 / n times the tokens (in GLUE 1.95 times for 2 batches, 1.33
# for 6, 1.11 for 16).
POOL_BATCHES = 16
PADDING = 2.0
# Tokens of a prompt: the instruction with what a chat template adds once (26 to 68 with the models here),
# and each example's own frame.
INSTRUCTION_TOKENS = 45
FRAME_TOKENS = 12
# Labels of so many are taken to share first tokens: all their tokens are then scored, against the whole
# vocabulary. A word of a label's name is about a token (the 77 intents of Banking77: 253 words, 264 tokens),
# and of a longer text four characters are.
MANY_LABELS = 12
TOKEN_CHARACTERS = 4
# A training of n tokens has read about 30 times their root of different ones (in GLUE 0.4 to 1.5 times that,
# with vocabularies of 30,000 to 262,000): a vocabulary grows with the root of a text (Heaps 1978).
DIFFERENT_TOKENS = 30
# Rows that are scored together, and those that the latency probe scores at the least: a warm-up call and a
# counted one of one row, and a call of 32.
SCORED_TOGETHER = 32
PROBE_ROWS = 2 + SCORED_TOGETHER


class Pace(NamedTuple):
    """What a kind of work costs.

    `products`: operations for each weight and token; `traffic`: bytes that elementwise steps move for each
    token, layer and unit of width; `call`: seconds of each layer in each pass, however small the batch is.
    """

    products: int
    traffic: int
    call: float


# Products: a forward pass takes 2; a backward pass takes 2 for the inputs and, where the weights are trained,
# 2 for these (Kaplan et al. 2020, arXiv 2001.08361). The rest is fitted to 84 batches of 8 x 24 to 32 x 64
# tokens with minilm and smollm2-135m in both precisions, on two quiet cores that do 2.5 x 10^12 (bfloat16)
# and 0.39 x 10^12 (float32) operations and move 30 x 10^9 bytes a second: 0.78 to 1.15 times what they took.
PROMPTING = Pace(2, 270, 1.3e-3)
CLASSIFYING = Pace(2, 190, 1.05e-3)
ADAPTED_SCORING = Pace(2, 360, 2.2e-3)
OUTPUT_LAYER = Pace(2, 0, 0.0)
FINE_TUNING = Pace(6, 1190, 2.8e-3)
CLASSIFIER_LORA = Pace(4, 1520, 4.9e-3)
# The prefix is a pass of its own.
LABEL_WORD_LORA = Pace(4, 1240, 12e-3)


class Stage(NamedTuple):
    """A part of an experiment: how it computes, over how many tokens in how many passes.

    `updated` is the number of weights that optimiser steps change, summed over the steps.
    """

    pace: Pace
    precision: Precision
    tokens: float
    passes: float
    updated: float = 0.0


class Workload(NamedTuple):
    """All that an experiment has to compute; `changed` is the number of weights that training changes."""

    shape: Shape
    stages: tuple[Stage, ...]
    probe: Stage
    changed: int


def count_workload(experiment: Experiment) -> Workload | None:
    """Return what an experiment has to compute, None where its rows are not known."""
    rows = count_rows(experiment)
    if rows is None:
        return None
    trained, scored = rows
    shape, train = find_shape(experiment.model), experiment.train
    stages = []
    if train is not None:
        stages.append(_train(experiment, train, trained, shape))
        scored += train.epochs * round(trained * train.held_out)
    stages += [_score(experiment, scored), *_read_out(experiment, scored, shape)]
    probe = _score(experiment, PROBE_ROWS)
    return Workload(shape, tuple(stages), probe, count_changed(experiment, shape))


def count_label_nodes(experiment: Experiment) -> int:
    """Return how many label tokens are read after a prompt: none where one position decides."""
    words = experiment.task.prompt.words.values()
    if not experiment.uses_prompt or len(words) < MANY_LABELS:
        return 0
    return sum(len(word.split()) - 1 for word in words)


def _read_out(experiment: Experiment, rows: int, shape: Shape) -> list[Stage]:
    """Return what it takes to score labels of several tokens: the whole output layer at each, in float32."""
    nodes = count_label_nodes(experiment)
    if not nodes:
        return []
    share = (experiment.model.parameters - shape.products) / shape.products
    return [Stage(OUTPUT_LAYER, "float32", rows * (1 + nodes) * share, 0)]


def _score(experiment: Experiment, rows: int) -> Stage:
    prefix, own = count_tokens(experiment)
    pace, precision = PROMPTING, experiment.precision
    if experiment.train is not None:
        pace = CLASSIFYING if experiment.train.lora is None else ADAPTED_SCORING
        # A classification head scores in float32, whatever it was trained in.
        precision = experiment.precision if experiment.uses_label_words else "float32"
    passes = math.ceil(rows / SCORED_TOGETHER)
    # What all prompts begin with is run once.
    own_tokens = _pad(own, passes) + count_label_nodes(experiment)
    return Stage(pace, precision, prefix + rows * own_tokens, passes)


def _train(experiment: Experiment, train: TrainSettings, rows: int, shape: Shape) -> Stage:
    prefix, own = count_tokens(experiment)
    kept = rows - round(rows * train.held_out)
    batches = math.ceil(kept / train.batch_size)
    steps = train.epochs * batches
    pace = FINE_TUNING
    if train.lora is not None:
        pace = LABEL_WORD_LORA if experiment.uses_label_words else CLASSIFIER_LORA
    tokens = train.epochs * kept * _pad(own, min(batches, POOL_BATCHES)) + steps * prefix
    updated = float(steps) * count_updated(experiment, shape, kept * own)
    return Stage(pace, experiment.precision, tokens, steps, updated)


def _pad(tokens: int, batches: int) -> float:
    """Return the mean tokens of a row with its padding."""
    return tokens * (1 + PADDING / max(1, batches))


def count_changed(experiment: Experiment, shape: Shape) -> int:
    """Return how many weights training changes: none, all, or about those of an adapter on all linear layers.

    For an adapter a layer has four square matrices and two with four times the width on one side: 18 widths
    of rows and columns. Within 3 % for minilm and smollm2-135m, a tenth too few for gemma3-270m, a third for
    Qwen2.
    """
    if experiment.train is None:
        return 0
    lora = experiment.train.lora
    return experiment.model.parameters if lora is None else 18 * shape.width * shape.layers * lora.rank


def count_updated(experiment: Experiment, shape: Shape, tokens: int) -> int:
    """Return how many weights a step changes: of the embeddings those of tokens that the training reads.

    Args:
        experiment: The unit of work.
        shape: Its model's.
        tokens: How many tokens an epoch reads.
    """
    changed = count_changed(experiment, shape)
    if experiment.train is None or experiment.train.lora is not None:
        return changed
    embeddings = changed - shape.products
    return shape.products + min(embeddings, round(DIFFERENT_TOKENS * math.sqrt(tokens)) * shape.width)


def count_tokens(experiment: Experiment) -> tuple[int, int]:
    """Return the tokens that all prompts share, and the mean tokens of a row of its own.

    A text for a classification head shares none.
    """
    text = PAIR_TOKENS if experiment.task.is_pair else SINGLE_TOKENS
    if not experiment.uses_prompt:
        longest = experiment.train.max_length if experiment.train else text
        return 0, min(text, longest)
    example = text + FRAME_TOKENS
    # One that lists many labels is longer.
    instruction = max(INSTRUCTION_TOKENS, len(experiment.task.prompt.instruction) // TOKEN_CHARACTERS)
    return instruction + experiment.shots * example, example


def count_rows(experiment: Experiment) -> tuple[int, int] | None:
    """Return the training rows and the rows of all dev splits, the subset taken into account.

    Rows of files here are counted; those of the hub are the manifest's. Zero training rows without training,
    None where they are not known, or the files are gone or damaged.
    """
    task, subset = experiment.task, experiment.subset
    files = split_files(task, experiment.data)
    try:
        sizes = {split: count_file_rows(path) for split, path in files.items()}
    except (OSError, UsageError):
        return None
    if not files:
        sizes = {TRAIN: task.train_rows, **task.published_rows}
    elif isinstance(table := data_table(task, experiment.data.source), TableData) and table.split is not None:
        dev = round(table.split.share * sizes[TRAIN])
        sizes = {TRAIN: sizes[TRAIN] - dev, "dev": dev}
    if len(sizes) < 2:
        return None
    train = sizes.pop(TRAIN)
    if experiment.mode not in TRAINED_MODES:
        train = 0
    dev = sum(rows if subset.dev is None else min(rows, subset.dev) for rows in sizes.values())
    return (train if subset.train is None else min(train, subset.train)), dev


def most_train_rows(task: TaskSpec, ref: DataRef) -> int | None:
    """Return a number of training rows that is not exceeded, None where nothing is known of them."""
    path = split_files(task, ref).get(TRAIN)
    if path is None:
        return task.published_rows.get(TRAIN)
    try:
        return count_file_rows(path)
    except (OSError, UsageError):
        return None


@cache
def count_file_rows(path: Path) -> int:
    """Return the rows of a table: its lines, less a header; what is quoted may be more lines than rows."""
    if path.suffix.lower() == ".parquet":
        return count_parquet_rows(path)
    with path.open("rb") as file:
        lines = sum(1 for line in file if line.strip())
    return lines if path.suffix.lower() == ".jsonl" else max(lines - 1, 0)
