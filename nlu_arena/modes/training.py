"""A training inside a run: its curve, its checkpoints, and the model that it saves before scoring."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import torch

from nlu_arena.backend.checkpoint import SPARED_BYTES, CheckpointFolder, Snapshot, UnusableError
from nlu_arena.backend.device import code_version, device_title, peak_memory
from nlu_arena.backend.train import (
    DivergedError,
    EpochEnd,
    Objective,
    Step,
    Trainer,
    TrainingResult,
    TrainingRows,
    learning_rate_share,
)
from nlu_arena.errors import RunError
from nlu_arena.events import Artifact, Log, MetricPoint, PhaseFinished, Saved
from nlu_arena.modes.context import DiskFullError, PhaseClock, RunContext
from nlu_arena.modes.labeller import Labeller
from nlu_arena.modes.proof import Proof, check_same
from nlu_arena.modes.record import TrainingRecord, read_record, write_record
from nlu_arena.paths import BEST_MODEL, UNUSABLE_CHECKPOINT, checkpoint_seconds
from nlu_arena.spec import TrainSettings

TRAIN, SAVE = "train", "save"
FLOAT32_BYTES = 4
# Checkpoints take at most a thirtieth of the time: a slow disk lengthens the interval.
WORK_PER_WRITING = 30
# A stop within this many seconds of a checkpoint is not worth another.
LEAST_LOSS = 2.0


class RunCheckpoints:
    """Keeps a run's training between its steps, at a time interval and when the run is stopped."""

    def __init__(self, context: RunContext, clock: PhaseClock) -> None:
        self._context = context
        self._clock = clock
        self._folder = CheckpointFolder(context.checkpoint, _circumstances(context))
        self._interval = checkpoint_seconds()
        self._saved_at = time.monotonic()
        self._writing = 0.0
        # How many steps of the curve are in the ledger already, and are those of this very training.
        self.known_steps = 0

    def read(self) -> Snapshot | None:
        """Return where to go on; a checkpoint that cannot be used is set aside, and said."""
        try:
            snapshot = self._folder.read()
        except UnusableError as error:
            aside = self._folder.set_aside(UNUSABLE_CHECKPOINT)
            self._context.warn(
                f"the training began again: its checkpoint cannot be used and was set aside as {aside.name}"
                f" ({error})"
            )
            return None
        if snapshot is not None:
            self._clock.earlier = snapshot.position.seconds
            step = len(snapshot.position.losses)
            self._context.emit(Log(level="info", text=f"the training goes on from its step {step:,}"))
            self.known_steps = min(len(snapshot.position.losses), self._context.assignment.recorded_steps)
        return snapshot

    def offer(self, take: Callable[[], Snapshot]) -> None:
        """Write a checkpoint when it is due; end the run here when a stop was asked for."""
        passed = time.monotonic() - self._saved_at
        due = max(self._interval, WORK_PER_WRITING * self._writing)
        if passed >= (min(due, LEAST_LOSS) if self._context.is_stopping else due):
            self._write(take())
        self._context.check_stop()

    def _write(self, snapshot: Snapshot) -> None:
        began = time.monotonic()
        snapshot.position.seconds = self._clock.seconds
        try:
            self._folder.write(snapshot)
            self._context.emit(Saved(step=len(snapshot.position.losses)))
        except OSError as error:
            # Hours of training are worth more than the means to continue them.
            self._context.warn(
                f"a checkpoint of the training could not be written: {error.strerror or error}"
            )
        self._saved_at = time.monotonic()
        self._writing = self._saved_at - began

    @property
    def size(self) -> int:
        """Return how many bytes the checkpoint takes."""
        return sum(file.stat().st_size for file in self._context.checkpoint.glob("*"))

    def discard(self) -> None:
        """Remove all checkpoints: the trained model is saved."""
        for folder in (self._context.checkpoint, self._context.checkpoint.with_name(UNUSABLE_CHECKPOINT)):
            shutil.rmtree(folder, ignore_errors=True)


def train_settings(context: RunContext) -> TrainSettings:
    """Return the experiment's training settings.

    Raises:
        RunError: It has none.
    """
    if context.experiment.train is None:
        raise RunError(f"{context.experiment.title} has no training settings")
    return context.experiment.train


def train(
    context: RunContext,
    objective: Objective,
    rows: TrainingRows,
    save: Callable[[Path], None],
    prove: Callable[[], Proof],
    facts: dict[str, Any],
) -> None:
    """Train, report the curve, and save what was kept before anything is scored with it.

    The saved model comes first because an interrupted evaluation then continues with it, without training.

    Args:
        context: The run.
        objective: The scorer whose model is trained.
        rows: The encoded training rows.
        save: Writes the trained model into a folder.
        prove: Gives the proof of the model as it is at the end.
        facts: What is known of the training before it begins.
    """
    settings, experiment = train_settings(context), context.experiment
    with context.phase(TRAIN) as clock:
        checkpoints = RunCheckpoints(context, clock)
        result = _run(context, objective, rows, checkpoints)
        result.position.seconds = clock.seconds
        facts = facts | _describe(result) | {"memory": {TRAIN: peak_memory(context.device)}}
        context.facts(**facts)
    with context.phase(SAVE):
        record = TrainingRecord(
            experiment=experiment.key,
            title=experiment.title,
            labels=experiment.task.labels,
            settings=msgspec.to_builtins(settings),
            selection=result.selection,
            epoch=result.epoch,
            facts=facts,
            position=result.position,
            proof=prove(),
        )
        writers = (save, lambda folder: write_record(record, folder))
        _save(context, writers, checkpoints, needed=FLOAT32_BYTES * facts["trainable_parameters"])


def _run(
    context: RunContext, objective: Objective, rows: TrainingRows, checkpoints: RunCheckpoints
) -> TrainingResult:
    """Train from the beginning or from a checkpoint, and report the curve."""
    settings = train_settings(context)
    total = settings.epochs * (len(rows.rows) - round(len(rows.rows) * settings.held_out))

    def on_step(step: Step) -> None:
        _emit_new(context, _points_of(step), checkpoints.known_steps)
        context.progress(TRAIN, step.examples, total)

    def on_epoch(end: EpochEnd) -> None:
        _emit_new(context, [_point_of(end)], checkpoints.known_steps)

    trainer = Trainer(objective, settings, context.experiment.seed, checkpoints)
    try:
        return trainer.run(rows, on_step, on_epoch)
    except DivergedError:
        # From here it would go the same way.
        checkpoints.discard()
        raise


def _describe(result: TrainingResult) -> dict[str, Any]:
    """Return the findings of a training."""
    return {
        "selection": result.selection,
        "selected_epoch": result.epoch,
        "steps": result.steps,
        "micro_batch": result.position.micro_batch,
        "out_of_memory_retries": result.position.retries,
        "held_out_accuracy": result.position.held_out,
    }


def _save(
    context: RunContext,
    writers: Sequence[Callable[[Path], None]],
    checkpoints: RunCheckpoints,
    needed: int,
) -> None:
    """Save the model, and then do without the checkpoints; the other way round where only that makes room.

    Args:
        context: The run.
        writers: Write the model, and what is known of it, into a folder.
        checkpoints: The training's.
        needed: About how many bytes will be written.
    """
    try:
        context.save_model(*writers)
    except DiskFullError:
        if shutil.disk_usage(context.checkpoint.parent).free + checkpoints.size < needed + SPARED_BYTES:
            # It stays: when there is room, the training goes on from it.
            raise
        checkpoints.discard()
        context.save_model(*writers)
    checkpoints.discard()


def check_saved(context: RunContext, labeller: Labeller) -> None:
    """Demand that the saved model, built anew, gives the answers that the trained one gave.

    Raises:
        RunError: It does not; it is removed, so that the next attempt trains again.
    """
    proof = read_record(context.best_model, context.experiment).proof
    try:
        context.facts(reread_difference=check_same(labeller, proof))
    except RunError:
        shutil.rmtree(context.best_model, ignore_errors=True)
        raise


def repeat_report(context: RunContext) -> None:
    """Say again what a finished training has said, as far as the ledger may have missed it.

    A scheduler can be killed between the saving of the model and its own last words about the training.
    """
    record = read_record(context.best_model, context.experiment)
    position, settings = record.position, train_settings(context)
    total, known = len(position.losses), context.assignment.recorded_steps
    per_epoch = total // settings.epochs
    for number, loss in enumerate(position.losses, 1):
        lr = settings.lr * learning_rate_share(number - 1, total, settings.warmup)
        _emit_new(context, _points_of(Step(number, number / per_epoch, loss, lr, 0)), known)
    for epoch, accuracy in enumerate(position.held_out, 1):
        _emit_new(context, [_point_of(EpochEnd(epoch, epoch * per_epoch, accuracy))], known)
    context.facts(**record.facts)
    context.emit(Artifact(kind="model", path=BEST_MODEL))
    if TRAIN not in context.assignment.finished_phases:
        context.emit(PhaseFinished(phase=TRAIN, seconds=position.seconds))


def _points_of(step: Step) -> Iterator[MetricPoint]:
    for name, value in (("loss", step.loss), ("lr", step.lr)):
        yield MetricPoint(step=step.number, epoch=step.epoch, name=name, value=value)


def _point_of(end: EpochEnd) -> MetricPoint:
    return MetricPoint(step=end.step, epoch=end.number, name="held_out_accuracy", value=end.accuracy)


def _emit_new(context: RunContext, points: Iterable[MetricPoint], known_steps: int) -> None:
    """Report points that the ledger does not have; its last known step may lack some of its own."""
    for point in points:
        if point.step >= known_steps:
            context.emit(point)


def _circumstances(context: RunContext) -> dict[str, Any]:
    """Return what must be the same for a training to go on to the same result."""
    return {
        "experiment": context.experiment.key,
        "code_version": code_version(),
        "torch": str(torch.__version__),
        "device": device_title(context.device),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads(),
    }
