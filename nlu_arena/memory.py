"""What an experiment needs of a device's memory, and what it leaves on the disk; all in bytes."""

from __future__ import annotations

from typing import NamedTuple

from nlu_arena.hardware import Device
from nlu_arena.shape import Shape, find_shape
from nlu_arena.spec import Experiment, Precision, TrainSettings
from nlu_arena.workload import FRAME_TOKENS, SCORED_TOGETHER, count_changed, count_tokens

GIB = 2**30
WEIGHT_BYTES: dict[Precision, int] = {"bfloat16": 2, "float32": 4}
# A weight that is trained: itself, its gradient and AdamW's two moments, all float32. With rows held out, a
# copy of the best epoch so far and of the one that takes its place.
TRAINED_BYTES = 16
HELD_OUT_BYTES = 8
# Of a weight that is trained a checkpoint holds itself and the two moments; the best epoch's beside them.
CHECKPOINT_BYTES = 12
# A worker's libraries, tokenizer and rows: 0.38 GiB after the imports, 0.45 to 0.7 GiB in a run. That is the
# host's; on a GPU CUDA takes about half a GiB for itself.
WORKER_BYTES = GIB * 6 // 10
CUDA_BYTES = GIB // 2
# What training keeps for the backward pass: bytes for each token, layer and unit of width (52 to 109 and 68
# to 130 measured; with an adapter, which keeps its inputs in float32, 79 to 143 and 120 to 180).
TUNING_BYTES: dict[Precision, int] = {"bfloat16": 100, "float32": 120}
ADAPTER_BYTES: dict[Precision, int] = {"bfloat16": 130, "float32": 170}
# Encoders keep their attention for its dropout: so much more for each token that a row is longer than 64.
ATTENTION_BYTES = 0.5
ATTENTION_FREE = 64
# What scoring holds at a time, one layer's values: bytes for each token and unit of width (66 to 122
# measured; with a classification head or an adapter up to 275).
PROMPTING_BYTES = 110
SCORING_BYTES = 260
# Tokens of the longest example: as in SST-2's dev split and in RTE.
LONGEST_SINGLE = 66
LONGEST_PAIR = 290


class MemoryNeed(NamedTuple):
    """Bytes that cannot shrink (weights, gradients, optimiser), and a batch's, which can be halved."""

    fixed: int
    batch: int

    @property
    def total(self) -> int:
        """Return all of it."""
        return self.fixed + self.batch


def estimate_memory(experiment: Experiment, device: Device) -> MemoryNeed:
    """Return what an experiment needs at its peak on a device.

    On a CPU this includes the worker's own. There it was 0.8 to 1.6 times the peaks of 18 runs of minilm,
    smollm2-135m and gemma3-270m that prompt or fine-tune, and 1.3 to 2.1 times those of 6 with LoRA: the
    longest rows, which make the peak, were not in their subsets. What it leaves out is a file beside the
    weights that are read from it, which the system takes back when it must.
    """
    shape = find_shape(experiment.model)
    fixed = CUDA_BYTES if device.kind == "cuda" else WORKER_BYTES
    fixed += _weights_bytes(experiment, shape)
    batch = _scoring_bytes(experiment, shape)
    if experiment.train is not None:
        batch = max(batch, _training_bytes(experiment, experiment.train, shape))
    return MemoryNeed(fixed, batch)


def kept_bytes(experiment: Experiment) -> int:
    """Return what a finished run leaves in its results folder: a model, an adapter, or next to nothing."""
    return WEIGHT_BYTES["float32"] * count_changed(experiment, find_shape(experiment.model))


def checkpoint_bytes(experiment: Experiment) -> int:
    """Return what the checkpoints of a training take at their most: the newest beside the one before it."""
    if experiment.train is None:
        return 0
    each = CHECKPOINT_BYTES + (WEIGHT_BYTES["float32"] if experiment.train.held_out else 0)
    return 2 * each * count_changed(experiment, find_shape(experiment.model))


def longest_row(experiment: Experiment) -> int:
    """Return how many tokens the longest row has of its own, without what all prompts share."""
    prefix, _ = count_tokens(experiment)
    longest = LONGEST_PAIR if experiment.task.is_pair else LONGEST_SINGLE
    longest += FRAME_TOKENS if prefix else 0
    return longest if experiment.train is None else max(1, min(longest, experiment.train.max_length - prefix))


def _weights_bytes(experiment: Experiment, shape: Shape) -> int:
    """Return the bytes of weights and all that training keeps of them."""
    parameters, train = experiment.model.parameters, experiment.train
    each = TRAINED_BYTES + (HELD_OUT_BYTES if train is not None and train.held_out else 0)
    trained = each * count_changed(experiment, shape)
    if train is not None and train.lora is None:
        return trained
    if experiment.precision == "float32" or (train is not None and not experiment.uses_label_words):
        # The base below a classification head is float32 in any case.
        return WEIGHT_BYTES["float32"] * parameters + trained
    return WEIGHT_BYTES["bfloat16"] * parameters + trained


def _training_bytes(experiment: Experiment, train: TrainSettings, shape: Shape) -> int:
    """Return the bytes that a batch of the longest rows keeps for its backward pass."""
    row = longest_row(experiment)
    each = float((TUNING_BYTES if train.lora is None else ADAPTER_BYTES)[experiment.precision])
    if experiment.model.family == "encoder":
        each += ATTENTION_BYTES * max(0, row - ATTENTION_FREE)
    return round(each * train.batch_size * row * shape.layers * shape.width)


def _scoring_bytes(experiment: Experiment, shape: Shape) -> int:
    """Return the bytes of a batch that is scored."""
    each = PROMPTING_BYTES if experiment.train is None else SCORING_BYTES
    return each * SCORED_TOGETHER * longest_row(experiment) * shape.width
