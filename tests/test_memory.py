"""What must fit into memory is counted exactly; what a batch takes is an upper estimate from the shape."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from nlu_arena.hardware import Device
from nlu_arena.memory import (
    ADAPTER_BYTES,
    ATTENTION_BYTES,
    CUDA_BYTES,
    LONGEST_PAIR,
    LONGEST_SINGLE,
    PROMPTING_BYTES,
    SCORING_BYTES,
    TUNING_BYTES,
    WORKER_BYTES,
    checkpoint_bytes,
    estimate_memory,
    kept_bytes,
    longest_row,
)
from nlu_arena.shape import Shape
from nlu_arena.spec import Experiment, LoraSettings, TrainSettings
from nlu_arena.workload import FRAME_TOKENS, INSTRUCTION_TOKENS
from tests.conftest import MakeExperiment

GPU = Device(name="cuda:0", kind="cuda", title="GPU", memory_bytes=1, fast_bfloat16=True)
CPU = Device(name="cpu", kind="cpu", title="CPU", memory_bytes=1, fast_bfloat16=True)
# The tiny model has 1000 weights, 300 of them in its embeddings.
SHAPE = Shape(products=700, layers=12, width=8)
ADAPTER = 18 * 8 * 12 * 16
WORDS = TrainSettings(lora=LoraSettings(rank=16), max_length=256)
HEAD = TrainSettings(lora=LoraSettings(rank=16, head="classifier"))


@pytest.fixture(autouse=True)
def small_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nlu_arena.memory.find_shape", lambda model: SHAPE)


def weights(experiment: Experiment) -> int:
    return estimate_memory(experiment, CPU).fixed - WORKER_BYTES


# ── What cannot shrink ────────────────────────────────────────────────────────────────────────────────


def test_full_fine_tuning_holds_16_bytes_a_weight(make_experiment: MakeExperiment, tmp_path: Path) -> None:
    for precision in ("float32", "bfloat16"):
        tuned = make_experiment("encoder", tmp_path, "fine-tune", train=TrainSettings(), precision=precision)
        assert weights(tuned) == 16_000


def test_held_out_rows_cost_two_copies_of_what_is_trained(
    make_experiment: MakeExperiment, tmp_path: Path
) -> None:
    train = TrainSettings(held_out=0.1)
    assert weights(make_experiment("encoder", tmp_path, "fine-tune", train=train)) == 24_000


def test_prompted_weights_are_held_in_their_precision(
    make_experiment: MakeExperiment, tmp_path: Path
) -> None:
    assert weights(make_experiment("decoder", tmp_path, "zero-shot")) == 4_000
    half = make_experiment("decoder", tmp_path, "zero-shot", precision="bfloat16")
    assert weights(half) == 2_000


def test_lora_holds_its_base_and_trains_the_adapter_alone(
    make_experiment: MakeExperiment, tmp_path: Path
) -> None:
    words = make_experiment("decoder", tmp_path, "lora", train=WORDS, precision="bfloat16")
    assert weights(words) == 2_000 + 16 * ADAPTER
    assert weights(msgspec.structs.replace(words, precision="float32")) == 4_000 + 16 * ADAPTER
    # Below a classification head the base is float32.
    head = make_experiment("encoder", tmp_path, "lora", train=HEAD, precision="bfloat16")
    assert weights(head) == 4_000 + 16 * ADAPTER


def test_the_worker_itself_is_counted_where_it_is(make_experiment: MakeExperiment, tmp_path: Path) -> None:
    experiment = make_experiment("decoder", tmp_path, "zero-shot")
    assert estimate_memory(experiment, CPU).fixed == WORKER_BYTES + 4_000
    assert estimate_memory(experiment, GPU).fixed == CUDA_BYTES + 4_000


# ── A batch ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_batch_keeps_its_longest_rows_for_the_backward_pass(
    make_experiment: MakeExperiment, tmp_path: Path
) -> None:
    train = TrainSettings(batch_size=20, max_length=64)
    tuned = make_experiment("encoder", tmp_path, "fine-tune", train=train, precision="bfloat16")
    need = estimate_memory(tuned, CPU)
    assert need.batch == TUNING_BYTES["bfloat16"] * 20 * 64 * 12 * 8
    assert need.total == need.fixed + need.batch
    words = make_experiment("decoder", tmp_path, "lora", train=WORDS)
    row = LONGEST_SINGLE + FRAME_TOKENS
    assert estimate_memory(words, CPU).batch == ADAPTER_BYTES["float32"] * 32 * row * 12 * 8


def test_encoders_keep_the_attention_of_long_rows(make_experiment: MakeExperiment, tmp_path: Path) -> None:
    train = TrainSettings(batch_size=10, max_length=200)
    tuned = make_experiment("encoder", tmp_path, "fine-tune", train=train)
    pairs = msgspec.structs.replace(tuned.task.prompt, template="{text} {pair}")
    tuned = msgspec.structs.replace(tuned, task=msgspec.structs.replace(tuned.task, prompt=pairs))
    each = TUNING_BYTES["float32"] + ATTENTION_BYTES * (200 - 64)
    assert estimate_memory(tuned, CPU).batch == each * 10 * 200 * 12 * 8


def test_scoring_holds_one_layer_at_a_time(make_experiment: MakeExperiment, tmp_path: Path) -> None:
    prompted = make_experiment("decoder", tmp_path, "zero-shot")
    row = LONGEST_SINGLE + FRAME_TOKENS
    assert estimate_memory(prompted, CPU).batch == PROMPTING_BYTES * 32 * row * 8
    # Training one row at a time leaves the scoring of 32 as the peak.
    train = TrainSettings(batch_size=1, max_length=64)
    tuned = make_experiment("encoder", tmp_path, "fine-tune", train=train)
    assert estimate_memory(tuned, CPU).batch == SCORING_BYTES * 32 * 64 * 8


def test_a_row_is_as_long_as_its_task_and_its_settings_let_it(
    make_experiment: MakeExperiment, tmp_path: Path
) -> None:
    def longest(mode: str, family: str, train: TrainSettings | None, template: str) -> int:
        experiment = make_experiment(family, tmp_path, mode, train=train)
        prompt = msgspec.structs.replace(experiment.task.prompt, template=template)
        task = msgspec.structs.replace(experiment.task, prompt=prompt)
        return longest_row(msgspec.structs.replace(experiment, task=task))

    assert longest("fine-tune", "encoder", TrainSettings(), "{text}") == LONGEST_SINGLE
    assert longest("fine-tune", "encoder", TrainSettings(), "{text}{pair}") == 128
    assert longest("zero-shot", "decoder", None, "{text}{pair}") == LONGEST_PAIR + FRAME_TOKENS
    assert longest("lora", "decoder", WORDS, "{text}{pair}") == 256 - INSTRUCTION_TOKENS
    shortest = msgspec.structs.replace(WORDS, max_length=8)
    assert longest("lora", "decoder", shortest, "{text}{pair}") == 1


# ── On the disk ───────────────────────────────────────────────────────────────────────────────────────


def test_a_run_leaves_what_it_trained_in_float32(make_experiment: MakeExperiment, tmp_path: Path) -> None:
    assert kept_bytes(make_experiment("decoder", tmp_path, "zero-shot")) == 0
    assert kept_bytes(make_experiment("encoder", tmp_path, "fine-tune", train=TrainSettings())) == 4_000
    assert kept_bytes(make_experiment("decoder", tmp_path, "lora", train=WORDS)) == 4 * ADAPTER


def test_two_checkpoints_lie_beside_each_other_while_one_takes_the_others_place(
    make_experiment: MakeExperiment, tmp_path: Path
) -> None:
    assert checkpoint_bytes(make_experiment("decoder", tmp_path, "zero-shot")) == 0
    last = make_experiment("encoder", tmp_path, "fine-tune", train=TrainSettings())
    best = make_experiment("encoder", tmp_path, "fine-tune", train=TrainSettings(held_out=0.1))
    # Each of 1,000 weights with its two moments, and once more where the best epoch is kept.
    assert checkpoint_bytes(last) == 2 * 1000 * (4 + 8)
    assert checkpoint_bytes(best) == 2 * 1000 * (4 + 8 + 4)
