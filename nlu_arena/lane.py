"""One device of a sweep: its worker, the spare that is being warmed up, and the experiment under way."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import NamedTuple

from nlu_arena.events import Assign, Event, Predictions, Ready, Stop
from nlu_arena.ledger.store import RunStart
from nlu_arena.spec import Experiment
from nlu_arena.workers import Worker, WorkerDied

# How long an idle worker may take to end, in seconds.
GRACE = 5.0


class Patience(NamedTuple):
    """How many seconds a worker has to get ready, to stop at a batch, and to say anything at all."""

    ready: float = 120.0
    stop: float = 8.0
    hang: float = 1800.0


class Job:
    """An experiment on a lane; it has a run as soon as the worker is ready for it."""

    def __init__(self, experiment: Experiment) -> None:
        self.experiment = experiment
        self.run: RunStart | None = None
        self.pid = 0
        self.began = 0.0
        # The newest predictions wait for the next ones: the last are committed together with "done".
        self.held: Predictions | None = None
        self.stop_by = float("inf")
        # Whether this stretch has brought the run forward, so that it does not begin where the last one did.
        self.has_advanced = False
        # Splits that are not as published, and what differs.
        self.data_differences: dict[str, str] = {}


class Lane:
    """A device with at most one experiment at a time, and one worker for each stretch of a model."""

    def __init__(self, device: str, make_worker: Callable[[str], Worker], patience: Patience) -> None:
        self.device = device
        self.ready: Ready | None = None
        self.job: Job | None = None
        self._make_worker = make_worker
        self._patience = patience
        self._worker: Worker | None = None
        self._spare: Worker | None = None
        self._last: Experiment | None = None
        self._heard = 0.0

    @property
    def pid(self) -> int:
        """Return the process of the current worker."""
        return self._worker.pid if self._worker else 0

    def serves(self, experiment: Experiment) -> bool:
        """Say whether the current worker has the experiment's weights loaded."""
        last = self._last
        return last is not None and (last.model, last.weights_identity) == (
            experiment.model,
            experiment.weights_identity,
        )

    def take(self, experiment: Experiment) -> None:
        """Make the experiment this lane's job, with the worker that has its model or with a new one.

        Raises:
            WorkerDied: a new worker could not be started.
        """
        self.job = Job(experiment)
        self._heard = time.monotonic()
        if self._worker is not None and self.serves(experiment):
            return
        # The old worker goes first: two models may not fit into memory together.
        self.drop(GRACE)
        self._worker, self._spare = self._spare, None
        if self._worker is None:
            self._worker = self._make_worker(self.device)
            self._worker.start()
        self._last = experiment

    def assign(self, assignment: Assign) -> None:
        """Give the worker its experiment."""
        self._heard = time.monotonic()
        self._current().send(assignment)

    def warm_spare(self) -> None:
        """Start the worker of the next stretch: it imports its libraries while this one still works.

        Not beside a CPU's own work: the imports take a core for seconds, and slow what is measured then.
        """
        if self._spare is None and self.device != "cpu":
            spare = self._make_worker(self.device)
            # Without a spare the next stretch starts its own worker, and then says why it cannot.
            with contextlib.suppress(WorkerDied):
                spare.start()
                self._spare = spare

    def receive(self, timeout: float) -> Event | None:
        """Return the worker's next event, or None.

        Raises:
            WorkerDied: it has ended, or has been silent for too long and was killed.
        """
        event = self._current().receive(timeout)
        now = time.monotonic()
        if event is not None:
            self._heard = now
        elif self.ready is None:
            if now - self._heard > self._patience.ready:
                raise self._kill(f"was not ready within {self._patience.ready:g} s")
        elif now - self._heard > self._patience.hang:
            raise self._kill(f"gave no sign of life for {self._patience.hang:g} s and was killed")
        return event

    def request_stop(self, job: Job) -> None:
        """Ask the worker to stop at the next batch, and start to count its time."""
        job.stop_by = time.monotonic() + self._patience.stop
        self._current().send(Stop())

    def drop(self, grace: float = 0.0) -> None:
        """End the current worker; the next experiment gets another."""
        if self._worker is not None:
            self._worker.stop(grace)
        self._worker = self.ready = self._last = None

    def close(self, at_once: bool) -> None:
        """End every worker of this lane."""
        if self._spare is not None:
            # It holds nothing yet.
            self._spare.stop(grace=0)
            self._spare = None
        self.drop(grace=0 if at_once else GRACE)

    def _current(self) -> Worker:
        if self._worker is None:
            raise RuntimeError("the lane has no worker")
        return self._worker

    def _kill(self, reason: str) -> WorkerDied:
        worker = self._current()
        worker.stop(grace=0)
        return WorkerDied(reason, None, worker.stderr)
