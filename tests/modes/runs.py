"""Runs of the modes on tiny models, and what they say."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from nlu_arena.events import Assign, Event, Facts, MetricPoint, Predictions, decode_event, encode
from nlu_arena.modes import finetune, lora, prompting
from nlu_arena.modes.context import RunContext, Session
from nlu_arena.spec import Experiment, LoraSettings, Prediction, TrainSettings

RUN: dict[str, Callable[[RunContext], None]] = {
    "fine-tune": finetune.run,
    "zero-shot": prompting.run,
    "few-shot": prompting.run,
    "lora": lora.run,
}
FULL = TrainSettings(epochs=2, lr=5e-3, batch_size=8, max_length=64)
ADAPTER = TrainSettings(epochs=2, lr=5e-3, batch_size=8, lora=LoraSettings(rank=4, alpha=8))
HEAD = TrainSettings(epochs=2, lr=5e-3, batch_size=8, lora=LoraSettings(rank=4, head="classifier"))
CELLS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "encoder fine-tune": ("encoder", "fine-tune", {"train": FULL}),
    "encoder lora": ("encoder", "lora", {"train": HEAD}),
    "decoder fine-tune": ("decoder", "fine-tune", {"train": FULL}),
    "decoder zero-shot": ("decoder", "zero-shot", {}),
    "decoder few-shot": ("decoder", "few-shot", {"shots": 3}),
    "decoder lora": ("decoder", "lora", {"train": ADAPTER}),
    "decoder lora with a head": ("decoder", "lora", {"train": HEAD}),
}
TRAINED = [name for name in CELLS if "shot" not in name]

MakeCell = Callable[[str], Experiment]


class Transcript:
    """What a run has said."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def emit(self, event: Event) -> None:
        # Through the wire format, as the scheduler would hear it.
        self.events.append(decode_event(encode(event)))

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def answers(self) -> dict[int, Prediction]:
        return {row.index: row for chunk in self.of(Predictions) for row in chunk.rows}

    @property
    def curve(self) -> dict[tuple[str, int], tuple[float, float]]:
        return {(p.name, p.step): (p.epoch, p.value) for p in self.of(MetricPoint)}

    @property
    def facts(self) -> dict[str, Any]:
        return {name: value for event in self.of(Facts) for name, value in event.facts.items()}


def assign(experiment: Experiment, folder: Path, **details: Any) -> Assign:
    weights = experiment.model.weights
    return Assign(experiment=experiment, weights_dir=weights.path, folder=str(folder), **details)  # type: ignore[union-attr]


def do(experiment: Experiment, folder: Path, session: Session | None = None, **details: Any) -> Transcript:
    """Do a whole run."""
    transcript = Transcript()
    start(experiment, folder, transcript.emit, session=session, **details)
    return transcript


def start(
    experiment: Experiment,
    folder: Path,
    emit: Callable[[Event], None],
    *,
    stop: threading.Event | None = None,
    session: Session | None = None,
    **details: Any,
) -> None:
    """Start a run that may be stopped, or broken off by what `emit` raises."""
    session = session or Session(torch.device("cpu"))
    context = RunContext(assign(experiment, folder, **details), session, emit, stop or threading.Event())
    RUN[experiment.mode](context)
