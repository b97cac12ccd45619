"""The talk with a worker that labels: the model is opened, then chunks go there and scores come back."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import TypeVar

from nlu_arena.errors import CannotStartError, RunError
from nlu_arena.events import Event, Failed, Label, Labelled, Open, Opened, Ready
from nlu_arena.lane import Patience
from nlu_arena.predicting.texts import Chunk
from nlu_arena.workers import Worker, WorkerDied

# One is computed while the next one waits in the pipe: the worker never waits, and memory stays as it is.
UNDER_WAY = 2

Awaited = TypeVar("Awaited", Ready, Opened, Labelled)


def open_model(worker: Worker, opening: Open, patience: Patience) -> None:
    """Start a worker and have it load the model.

    Raises:
        CannotStartError: There is no worker, or the model cannot be loaded.
    """
    try:
        worker.start()
        _hear(worker, Ready, patience.ready)
        worker.send(opening)
        _hear(worker, Opened, patience.hang)
    except WorkerDied as death:
        raise CannotStartError(
            f"the worker {death.reason} before the model was loaded", death.last_words
        ) from death
    except RunError as error:
        raise CannotStartError(error.message, error.hint) from error


def label_chunks(
    worker: Worker, chunks: Iterable[Chunk], patience: Patience
) -> Iterator[tuple[Chunk, Labelled]]:
    """Have chunks labelled and yield them in their order, each with the answers to its texts.

    Raises:
        RunError: The worker has failed or died; what was yielded before holds.
    """
    waiting: deque[Chunk] = deque()
    try:
        for chunk in chunks:
            if chunk.examples:
                worker.send(Label(rows=chunk.examples))
            waiting.append(chunk)
            if len(waiting) == UNDER_WAY:
                yield _take(worker, waiting.popleft(), patience)
        while waiting:
            yield _take(worker, waiting.popleft(), patience)
    except WorkerDied as death:
        raise RunError(f"the worker {death.reason} while it labelled", death.last_words) from death


def _take(worker: Worker, chunk: Chunk, patience: Patience) -> tuple[Chunk, Labelled]:
    """Return a chunk with its answers; of one without texts nothing was asked."""
    answers = _hear(worker, Labelled, patience.hang) if chunk.examples else Labelled(scores=[])
    return chunk, answers


def _hear(worker: Worker, kind: type[Awaited], seconds: float) -> Awaited:
    """Return the worker's next event, which must be of a kind."""
    event: Event | None = worker.receive(seconds)
    if isinstance(event, kind):
        return event
    if isinstance(event, Failed):
        # An error that nobody foresaw has a name that says more than its message.
        what = f"{event.error}: {event.message}" if event.traceback else event.message
        raise RunError(what, event.hint)
    worker.stop(grace=0)
    heard = "gave no sign of life" if event is None else f"said {type(event).__name__}"
    raise WorkerDied(f"{heard} where {kind.__name__} was expected", None, worker.stderr)
