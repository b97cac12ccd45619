"""The worker process: announces itself, survives a failed experiment, and leaves with its scheduler."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from nlu_arena.events import (
    Assign,
    Command,
    Event,
    Failed,
    Finished,
    Label,
    Labelled,
    Open,
    Opened,
    PhaseStarted,
    Predictions,
    Ready,
    Stop,
    Stopped,
    decode_event,
    encode,
)
from nlu_arena.spec import DataRef, Example, Experiment, TrainSettings
from tests.conftest import MakeExperiment


class Child:
    """A worker process seen from its scheduler."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "nlu_arena.worker", "--device", "cpu"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def send(self, command: Command) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(encode(command) + b"\n")
        self.process.stdin.flush()

    def events(self) -> Iterator[Event]:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            yield decode_event(line)

    def until(self, *kinds: type) -> list[Event]:
        heard: list[Event] = []
        for event in self.events():
            heard.append(event)
            if isinstance(event, kinds):
                return heard
        raise AssertionError(f"the worker ended after {heard}")


@pytest.fixture(scope="module")
def worker() -> Iterator[Child]:
    """One worker for all tests here: that it serves one experiment after the other is part of the point."""
    child = Child()
    yield child
    child.process.kill()
    child.process.wait()


@pytest.fixture(scope="module")
def ready(worker: Child) -> Ready:
    event = worker.until(Ready)[0]
    assert isinstance(event, Ready)
    return event


def assign(experiment: Experiment, folder: Path) -> Assign:
    return Assign(experiment=experiment, weights_dir=experiment.model.weights.path, folder=str(folder))  # type: ignore[union-attr]


def test_it_announces_device_threads_versions_and_code(ready: Ready) -> None:
    assert (ready.device_kind, ready.threads) == ("cpu", 1)
    assert ready.code_version.startswith("0.")
    assert {"torch", "transformers", "peft", "datasets"} <= ready.environment["packages"].keys()


def test_a_failed_experiment_ends_with_its_reason_and_the_worker_serves_the_next(
    worker: Child, ready: Ready, tiny_llama: Path, make_experiment: MakeExperiment, tmp_path: Path
) -> None:
    good = make_experiment("decoder", tiny_llama, "zero-shot")
    missing = DataRef(source="file", location=str(tmp_path / "nowhere"), identity="x")
    worker.send(assign(msgspec.structs.replace(good, data=missing), tmp_path / "bad"))
    failed = worker.until(Failed, Finished)[-1]
    assert isinstance(failed, Failed)
    assert (failed.error, "train.jsonl" in failed.message) == ("UsageError", True)
    worker.send(assign(good, tmp_path / "good"))
    heard = worker.until(Failed, Finished)
    assert isinstance(heard[-1], Finished)
    assert sum(len(event.rows) for event in heard if isinstance(event, Predictions)) == 21


def test_a_stop_ends_the_run_at_the_next_batch(
    worker: Child, ready: Ready, tiny_bert: Path, make_experiment: MakeExperiment, tmp_path: Path
) -> None:
    endless = TrainSettings(epochs=100_000, lr=1e-4, batch_size=8, max_length=64)
    worker.send(assign(make_experiment("encoder", tiny_bert, "fine-tune", train=endless), tmp_path / "run"))
    for event in worker.events():
        if isinstance(event, PhaseStarted) and event.phase == "train":
            break
    worker.send(Stop())
    assert isinstance(worker.until(Stopped, Finished, Failed)[-1], Stopped)
    assert not (tmp_path / "run" / "best_model").exists()


def test_a_model_that_cannot_be_opened_ends_with_its_reason_and_the_worker_serves_the_next(
    worker: Child, ready: Ready, tiny_llama: Path, make_experiment: MakeExperiment, tmp_path: Path
) -> None:
    untrained = make_experiment("decoder", tiny_llama, "fine-tune", train=TrainSettings())
    worker.send(Open(experiment=untrained, weights_dir=str(tiny_llama), folder=str(tmp_path / "nowhere")))
    # It was under way when the opening failed.
    worker.send(Label(rows=[Example(text="A film.", label=0)]))
    failed = worker.until(Failed, Opened, Labelled)[-1]
    assert isinstance(failed, Failed)
    assert "is gone" in failed.message
    worker.send(assign(make_experiment("decoder", tiny_llama, "zero-shot"), tmp_path / "good"))
    assert isinstance(worker.until(Failed, Finished, Labelled)[-1], Finished)


def test_an_opened_model_labels_chunk_after_chunk_until_its_input_closes(
    tiny_llama: Path, make_experiment: MakeExperiment, tmp_path: Path
) -> None:
    child = Child()
    experiment = make_experiment("decoder", tiny_llama, "zero-shot")
    child.send(Open(experiment=experiment, weights_dir=str(tiny_llama), folder=str(tmp_path)))
    for texts in (["A film.", "A book."], ["A waiter."]):
        child.send(Label(rows=[Example(text=text, label=0) for text in texts]))
    heard = [*child.until(Labelled), *child.until(Labelled)]
    assert [type(event) for event in heard] == [Ready, Opened, Labelled, Labelled]
    rows = [scores for event in heard if isinstance(event, Labelled) for scores in event.scores]
    assert [len(scores) for scores in rows] == [2, 2, 2]
    assert child.process.stdin is not None
    child.process.stdin.close()
    assert child.process.wait(timeout=5) == 0


def test_it_leaves_in_the_middle_of_its_work_when_the_scheduler_is_gone(
    tiny_bert: Path, make_experiment: MakeExperiment, tmp_path: Path
) -> None:
    child = Child()
    child.until(Ready)
    endless = TrainSettings(epochs=100_000, lr=1e-4, batch_size=8, max_length=64)
    child.send(assign(make_experiment("encoder", tiny_bert, "fine-tune", train=endless), tmp_path / "run"))
    for event in child.events():
        if isinstance(event, PhaseStarted) and event.phase == "train":
            break
    assert child.process.stdin is not None
    child.process.stdin.close()
    assert child.process.wait(timeout=5) == 0
