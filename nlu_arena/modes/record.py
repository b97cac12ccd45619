"""What is known of a training when its model is saved, kept beside the weights for whoever reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from nlu_arena.backend.checkpoint import Position
from nlu_arena.errors import RunError
from nlu_arena.modes.proof import Proof
from nlu_arena.spec import Experiment

FILE = "arena.json"


class TrainingRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The curve, the findings and the proof of a finished training."""

    experiment: str
    title: str
    labels: tuple[str, ...]
    settings: dict[str, Any]
    selection: str
    epoch: int
    facts: dict[str, Any]
    position: Position
    proof: Proof


def write_record(record: TrainingRecord, folder: Path) -> None:
    """Write the record into the folder of the model."""
    (folder / FILE).write_bytes(msgspec.json.format(msgspec.json.encode(record), indent=2))


def read_record(folder: Path, experiment: Experiment) -> TrainingRecord:
    """Read the record of a saved model.

    Raises:
        RunError: There is none that can be read, or it is of another experiment or other labels.
    """
    hint = "Train the model again with --fresh."
    try:
        record = msgspec.json.decode((folder / FILE).read_bytes(), type=TrainingRecord)
    except (OSError, msgspec.MsgspecError) as error:
        raise RunError(f"{folder / FILE} cannot be read: {error}", hint) from error
    if (record.experiment, record.labels) != (experiment.key, experiment.task.labels):
        raise RunError(f"{folder} holds the model of {record.title}, not of {experiment.title}", hint)
    return record
