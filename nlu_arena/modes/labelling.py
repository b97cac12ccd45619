"""The worker's side of `predict`: a finished run's model is loaded once and labels chunk after chunk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from nlu_arena.errors import RunError
from nlu_arena.events import Command, Event, Label, Labelled, Open, Opened
from nlu_arena.modes.answering import open_labeller
from nlu_arena.modes.context import Session


def serve_labels(
    opening: Open, session: Session, hear: Callable[[], Command], emit: Callable[[Event], None]
) -> None:
    """Load a run's model and label what comes until the process ends.

    Args:
        opening: The run.
        session: What the worker has kept.
        hear: Waits for the next command.
        emit: Sends an event.

    Raises:
        RunError: The model cannot be loaded, a score is not finite, or another command than Label came.
    """
    weights_dir, folder = Path(opening.weights_dir), Path(opening.folder)
    with open_labeller(session, opening.experiment, weights_dir, folder, opening.shots) as labeller:
        emit(Opened())
        while True:
            command = hear()
            if not isinstance(command, Label):
                raise RunError(f"a worker that labels cannot do {type(command).__name__}")
            before = labeller.shortened
            scores = labeller.answer(command.rows).tolist()
            emit(Labelled(scores=scores, shortened=labeller.shortened - before))
