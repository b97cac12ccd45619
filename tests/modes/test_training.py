"""A training that is killed or stopped goes on from its newest checkpoint to the very same result."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import msgspec
import pytest

from nlu_arena.backend.checkpoint import RECORD, Record
from nlu_arena.events import Event, MetricPoint, PhaseFinished
from nlu_arena.modes.context import StopRequestedError
from nlu_arena.spec import Experiment
from tests.modes.runs import TRAINED, MakeCell, Transcript, do, start

# What a run finds is the same however often it was killed; what it costs is not.
COSTS = ("memory", "latency", "evaluate_examples_per_second", "warnings")


class KilledError(BaseException):
    """The worker's end, as far as a test can have it inside its own process."""


@pytest.fixture(autouse=True)
def checkpoint_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NLU_ARENA_CHECKPOINT_SECONDS", "0")
    monkeypatch.setattr("nlu_arena.modes.training.WORK_PER_WRITING", 0)
    monkeypatch.setattr("nlu_arena.modes.training.LEAST_LOSS", 0.0)


def with_dropout(experiment: Experiment, held_out: float = 0.25) -> Experiment:
    """Let chance decide as much as it can: dropout, and which epoch is kept."""
    train = msgspec.structs.replace(experiment.train, epochs=3, held_out=held_out)
    if train.lora is not None:
        train = msgspec.structs.replace(train, lora=msgspec.structs.replace(train.lora, dropout=0.2))
    return msgspec.structs.replace(experiment, train=train)


def kill_after(experiment: Experiment, folder: Path, steps: int, *, recorded_steps: int = 0) -> Transcript:
    """Start a run and kill it when the loss of a step has been said."""
    heard = Transcript()

    def emit(event: Event) -> None:
        heard.emit(event)
        if isinstance(event, MetricPoint) and (event.name, event.step) == ("loss", steps):
            raise KilledError

    with pytest.raises(KilledError):
        start(experiment, folder, emit, recorded_steps=recorded_steps)
    return heard


def findings(said: Transcript) -> dict[str, object]:
    return {name: value for name, value in said.facts.items() if name not in COSTS}


@pytest.mark.parametrize("cell", TRAINED)
def test_a_training_killed_twice_ends_as_if_nothing_had_happened(
    cell: str, make_cell: MakeCell, tmp_path: Path
) -> None:
    experiment = with_dropout(make_cell(cell))
    whole = do(experiment, tmp_path / "whole")
    first = kill_after(experiment, tmp_path / "run", 3)
    second = kill_after(experiment, tmp_path / "run", 7, recorded_steps=3)
    last = do(experiment, tmp_path / "run", recorded_steps=7)
    assert {**first.curve, **second.curve, **last.curve} == whole.curve
    assert min(step for _, step in second.curve) == 2, "what the ledger has is not said again"
    assert last.answers == whole.answers
    assert findings(last) == findings(whole)


def test_the_curve_before_the_checkpoint_is_told_as_far_as_the_ledger_lacks_it(
    make_cell: MakeCell, tmp_path: Path
) -> None:
    experiment = make_cell("encoder fine-tune")
    kill_after(experiment, tmp_path / "run", 6)
    last = do(experiment, tmp_path / "run", recorded_steps=3)
    assert sorted({step for _, step in last.curve}) == list(range(3, 9))


def test_a_run_killed_right_after_its_model_was_saved_still_tells_all_of_its_training(
    make_cell: MakeCell, tmp_path: Path
) -> None:
    experiment = with_dropout(make_cell("encoder fine-tune"))
    whole = do(experiment, tmp_path / "run")
    again = do(experiment, tmp_path / "run")
    assert again.curve == whole.curve
    assert findings(again) == findings(whole)
    (train,) = [event for event in again.of(PhaseFinished) if event.phase == "train"]
    (before,) = [event for event in whole.of(PhaseFinished) if event.phase == "train"]
    assert train.seconds == pytest.approx(before.seconds, abs=0.1)


def test_the_time_of_a_training_includes_what_was_worked_before_the_kill(
    make_cell: MakeCell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = make_cell("encoder fine-tune")
    kill_after(experiment, tmp_path / "run", 5)
    record = tmp_path / "run" / "checkpoint" / RECORD
    known = msgspec.json.decode(record.read_bytes(), type=Record)
    assert known.position.seconds > 0
    known.position.seconds = 1000.0
    record.write_bytes(msgspec.json.encode(known.sealed()))
    last = do(experiment, tmp_path / "run")
    (train,) = [event for event in last.of(PhaseFinished) if event.phase == "train"]
    assert 1000 < train.seconds < 1100


def test_a_stop_keeps_the_training_up_to_its_last_step(
    make_cell: MakeCell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NLU_ARENA_CHECKPOINT_SECONDS", "3600")
    monkeypatch.setattr("nlu_arena.modes.training.WORK_PER_WRITING", 30)
    experiment, stop, heard = make_cell("encoder fine-tune"), threading.Event(), Transcript()

    def emit(event: Event) -> None:
        heard.emit(event)
        if isinstance(event, MetricPoint) and event.step == 4:
            stop.set()

    with pytest.raises(StopRequestedError):
        start(experiment, tmp_path / "run", emit, stop=stop)
    rest = do(experiment, tmp_path / "run", recorded_steps=4)
    assert sorted({step for _, step in rest.curve}) == [4, 5, 6, 7, 8]
    assert rest.answers == do(experiment, tmp_path / "whole").answers


def test_no_checkpoint_is_left_when_the_model_is_saved(make_cell: MakeCell, tmp_path: Path) -> None:
    do(make_cell("encoder fine-tune"), tmp_path / "run")
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["best_model"]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("cut", "is torn"),
        ("flip", "is torn"),
        ("missing", "is torn"),
        ("garbled", "is torn"),
        ("position", "is torn"),
        ("shape", "is torn"),
        ("format", "its format is 0, here it is 2"),
        ("device", "its device is 'an abacus'"),
        ("code_version", "its code version is 'older'"),
    ],
)
def test_a_checkpoint_that_cannot_be_used_is_set_aside_and_the_training_begins_again(
    damage: str, said: str, make_cell: MakeCell, tmp_path: Path
) -> None:
    experiment = make_cell("encoder fine-tune")
    whole = do(experiment, tmp_path / "whole")
    kill_after(experiment, tmp_path / "run", 5)
    spoil(tmp_path / "run" / "checkpoint", damage)
    last = do(experiment, tmp_path / "run", recorded_steps=5)
    (warning,) = last.facts["warnings"]
    assert warning.startswith("the training began again: its checkpoint cannot be used and was set aside")
    assert said in warning
    # All of it, though the ledger knows five steps: they may be those of another machine.
    assert last.curve == whole.curve
    assert last.answers == whole.answers


def spoil(checkpoint: Path, damage: str) -> None:
    (tensors,) = checkpoint.glob("*.safetensors")
    content = bytearray(tensors.read_bytes())
    record = msgspec.json.decode((checkpoint / RECORD).read_bytes(), type=Record)
    match damage:
        case "cut":
            tensors.write_bytes(content[: len(content) // 2])
        case "flip":
            content[len(content) // 2] ^= 1
            tensors.write_bytes(content)
        case "missing":
            tensors.unlink()
        case "garbled":
            (checkpoint / RECORD).write_bytes(b'{"circumstances": ')
        case "position":
            record.position.losses[0] += 0.1
            (checkpoint / RECORD).write_bytes(msgspec.json.encode(record))
        case "shape":
            (checkpoint / RECORD).write_bytes(b'{"circumstances": null}')
        case _:
            record.circumstances[damage] = {"format": 0, "device": "an abacus"}.get(damage, "older")
            (checkpoint / RECORD).write_bytes(msgspec.json.encode(record.sealed()))


def test_a_disk_without_room_for_checkpoints_ends_no_training(
    make_cell: MakeCell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("nlu_arena.backend.checkpoint.save_file", full)
    said = do(make_cell("decoder lora"), tmp_path / "run")
    assert len(said.answers) == 21
    assert set(said.facts["warnings"]) == {
        "a checkpoint of the training could not be written: No space left on device"
    }


def test_where_there_is_room_for_one_only_the_model_takes_the_place_of_the_checkpoint(
    make_cell: MakeCell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from transformers import PreTrainedModel

    save = PreTrainedModel.save_pretrained

    def save_if_there_is_room(self: PreTrainedModel, *arguments: object, **options: object) -> None:
        if (tmp_path / "run" / "checkpoint").exists():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        save(self, *arguments, **options)

    monkeypatch.setattr(PreTrainedModel, "save_pretrained", save_if_there_is_room)
    said = do(make_cell("encoder fine-tune"), tmp_path / "run")
    assert len(said.answers) == 21


def test_checkpoints_are_written_at_their_interval_only(
    make_cell: MakeCell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NLU_ARENA_CHECKPOINT_SECONDS", "3600")
    experiment = make_cell("encoder fine-tune")
    kill_after(experiment, tmp_path / "run", 5)
    assert not (tmp_path / "run" / "checkpoint").exists()
