"""Run a plan: which experiment goes to which worker, what happens when one dies, when to stop."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nlu_arena import events
from nlu_arena.errors import ArenaError, CannotStartError, RunError
from nlu_arena.exports import Exports
from nlu_arena.lane import Job, Lane, Patience
from nlu_arena.ledger.store import ControlRequest, RunStart, Store
from nlu_arena.logbook import Logbook
from nlu_arena.notices import Cancel, Failure, Observer, SweepEvent, SweepOutcome
from nlu_arena.sampler import Sampler
from nlu_arena.spec import Experiment, ModelSpec
from nlu_arena.workers import Worker, WorkerDied

__all__ = ["Cancel", "Failure", "Observer", "Patience", "Setting", "SweepEvent", "SweepOutcome", "run_sweep"]

# How long a turn of the loop waits for events, and how often it looks at requests and samples, in seconds.
TURN = 0.2
CHORES = 1.0
# How many events of one worker are taken before the others have their turn.
ROW = 64
# How often an experiment is tried when its worker dies. One that dies before it is ready says something about
# the machine, not about the experiment: after as many in a row the sweep cannot go on.
TRIES = 2

STOPPED = events.Failed(
    error="Stopped", message="the sweep was stopped", hint="The next sweep goes on from there."
)


@dataclass(frozen=True)
class Setting:
    """What a sweep works with.

    Each of `devices` gets one worker, which `make_worker` builds. `weights_dir` finds a model's weights,
    `results` holds the run folders. `on_finished` writes out a finished run by its id, in the background;
    what it raises fails the sweep, not the run.
    """

    devices: Sequence[str]
    make_worker: Callable[[str], Worker]
    weights_dir: Callable[[ModelSpec], Path]
    results: Path
    on_finished: Callable[[int], None] | None = None
    patience: Patience = field(default_factory=Patience)


def run_sweep(
    plan: Sequence[Experiment],
    store: Store,
    setting: Setting,
    observer: Observer,
    cancel: Cancel,
    *,
    name: str,
    details: Mapping[str, Any],
    fresh: bool = False,
) -> SweepOutcome:
    """Run every experiment of the plan that the ledger does not have yet.

    Args:
        plan: the experiments in their order; several devices share it.
        store: the open ledger, used by this thread only.
        setting: devices, workers, weights and folders.
        observer: hears what happens.
        cancel: stops the sweep when asked to.
        name: the sweep's name, recorded with its details.
        details: what else is to be known about the sweep.
        fresh: repeat what is done already.

    Raises:
        CannotStartError: no worker can be started, or (LedgerError) the ledger cannot be written.
    """
    exports, sampler = Exports(setting.on_finished), Sampler()
    logbook = Logbook(store, setting.results, observer, exports, sampler)
    waiting = logbook.open_sweep(plan, name, details, fresh)
    loop = _Loop(waiting, store, setting, logbook, cancel)
    try:
        if waiting:
            with sampler:
                loop.run()
    finally:
        # Also on the way out of an error: no worker outlives its scheduler, no export is cut off.
        loop.close()
        exports.join()
    logbook.record_samples()
    outcome = logbook.close_sweep(failed=loop.obstacle is not None)
    if loop.obstacle is not None:
        raise loop.obstacle
    return outcome


class _Loop:
    """Gives experiments to lanes, and heeds what their workers and the user say."""

    def __init__(
        self, waiting: list[Experiment], store: Store, setting: Setting, logbook: Logbook, cancel: Cancel
    ) -> None:
        self.obstacle: CannotStartError | None = None
        self._waiting = waiting
        self._store = store
        self._setting = setting
        self._logbook = logbook
        self._cancel = cancel
        self._experiments = {experiment.key: experiment for experiment in waiting}
        self._lanes = [Lane(device, setting.make_worker, setting.patience) for device in setting.devices]
        self._deaths: Counter[str] = Counter()
        self._false_starts: Counter[str] = Counter()
        self._stopping = False
        self._chores_due = 0.0

    def run(self) -> None:
        """Work until nothing waits, the sweep is stopped, or no worker can be started."""
        while self.obstacle is None:
            self._heed_cancel()
            self._hand_out()
            busy = [lane for lane in self._lanes if lane.job is not None]
            if not busy:
                break
            for lane in busy:
                self._hear(lane, TURN / len(busy))
            self._do_chores()
        for lane in self._lanes:
            if lane.job is not None:
                self._give_up(lane, lane.job)

    def close(self) -> None:
        """End all workers: at once after an error, which leaves one at work, or when someone is waiting."""
        for lane in self._lanes:
            lane.close(at_once=lane.job is not None or self._cancel.requested)

    def _hand_out(self) -> None:
        """Give each idle lane its next experiment."""
        for lane in self._lanes:
            if lane.job is None and self._waiting and not self._stopping:
                experiment = self._next_for(lane)
                self._waiting.remove(experiment)
                try:
                    lane.take(experiment)
                    if lane.job is not None and lane.ready is not None:
                        self._begin(lane, lane.job, lane.ready)
                except WorkerDied as death:
                    self._bury(lane, death)

    def _next_for(self, lane: Lane) -> Experiment:
        """Choose from those waiting: the first; with several lanes the first of the lane's model, if any."""
        if len(self._lanes) == 1:
            return self._waiting[0]
        return next((e for e in self._waiting if lane.serves(e)), self._waiting[0])

    def _begin(self, lane: Lane, job: Job, ready: events.Ready) -> None:
        """Send a job to its worker, which is ready."""
        self._false_starts[lane.device] = 0
        run = self._logbook.begin(lane, job, ready)
        try:
            weights = self._setting.weights_dir(job.experiment.model)
        except ArenaError as error:
            self._fail(lane, job, run, error)
            return
        folder = self._setting.results.absolute() / run.folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            hint = "Free space or choose another --results."
            raise CannotStartError(f"{folder} cannot be created: {error.strerror}", hint) from error
        assignment = events.Assign(
            experiment=job.experiment,
            weights_dir=str(weights),
            folder=str(folder),
            answered=run.answered,
            fingerprint=run.fingerprint,
            recorded_steps=run.recorded_steps,
            finished_phases=list(run.finished_phases),
        )
        lane.assign(assignment)
        if self._waiting and not lane.serves(self._next_for(lane)):
            lane.warm_spare()

    def _hear(self, lane: Lane, timeout: float) -> None:
        """Take what a lane's worker has said, waiting at most `timeout` seconds for the first word."""
        try:
            for wait in (timeout, *(0,) * ROW):
                event = lane.receive(wait) if lane.job is not None else None
                if event is None or lane.job is None:
                    return
                self._take(lane, lane.job, event)
        except WorkerDied as death:
            self._bury(lane, death)

    def _take(self, lane: Lane, job: Job, event: events.Event) -> None:
        """Act on one event of a worker."""
        run = job.run
        if isinstance(event, events.Ready) and run is None:
            lane.ready = event
            self._begin(lane, job, event)
            return
        if run is None or isinstance(event, events.Ready):
            raise WorkerDied(f"broke the protocol: {type(event).__name__} came out of turn")
        try:
            match event:
                case events.Finished():
                    self._logbook.finish(job, run)
                case events.Failed():
                    self._logbook.end(job, run, "failed", event)
                    if event.traceback:
                        lane.drop()  # An error nobody foresaw may have spoilt the process.
                case events.Stopped():
                    self._logbook.end(job, run, "interrupted", STOPPED)
                case _:
                    self._logbook.record(job, run, event)
                    return
            lane.job = None
        except RunError as error:
            # The worker may be in the middle of it.
            lane.drop()
            self._fail(lane, job, run, error)

    def _fail(self, lane: Lane, job: Job, run: RunStart, error: ArenaError) -> None:
        """Record a failure that was found on this side of the pipe."""
        lane.job = None
        problem = events.Failed(error=type(error).__name__, message=error.message, hint=error.hint)
        self._logbook.end(job, run, "failed", problem)

    def _bury(self, lane: Lane, death: WorkerDied) -> None:
        """Record the death of a worker; its experiment is tried once more, from where it was."""
        job, lane.job = lane.job, None
        lane.drop()
        if job is None:
            return
        message = f"the worker {death.reason}"
        if job.run is None:
            self._waiting.insert(0, job.experiment)
            self._false_starts[lane.device] += 1
            if self._false_starts[lane.device] >= TRIES:
                self.obstacle = CannotStartError(
                    f"{lane.device}: {message} before it was ready", death.last_words
                )
            return
        problem = events.Failed(
            error="WorkerDied", message=message, hint=death.last_words, traceback=death.stderr
        )
        # One that brings its experiment forward each time may die as often as it likes.
        self._deaths[job.experiment.key] = 1 if job.has_advanced else self._deaths[job.experiment.key] + 1
        has_failed = not self._stopping and self._deaths[job.experiment.key] >= TRIES
        retry = not (has_failed or self._stopping)
        self._logbook.end(job, job.run, "failed" if has_failed else "interrupted", problem, retry=retry)
        if retry:
            self._waiting.insert(0, job.experiment)

    def _heed_cancel(self) -> None:
        """Stop the lanes when asked to: at the next batch, or at once when asked again or out of time."""
        if not self._cancel.requested:
            return
        first, self._stopping = not self._stopping, True
        for lane in self._lanes:
            job = lane.job
            if job is None:
                continue
            if self._cancel.now or job.run is None or time.monotonic() > job.stop_by:
                self._give_up(lane, job)
            elif first:
                lane.request_stop(job)

    def _give_up(self, lane: Lane, job: Job) -> None:
        """End a lane's worker in the middle of its job, which stays continuable."""
        lane.job = None
        lane.drop()
        if job.run is None:
            self._waiting.insert(0, job.experiment)
        else:
            self._logbook.end(job, job.run, "interrupted", STOPPED)

    def _do_chores(self) -> None:
        """Once a second: record the samples, answer the requests of screens."""
        if time.monotonic() < self._chores_due:
            return
        self._chores_due = time.monotonic() + CHORES
        self._logbook.record_samples()
        for request in self._store.control_requests():
            self._store.acknowledge(request.request_id, self._answer(request))

    def _answer(self, request: ControlRequest) -> str:
        if request.action == "stop":
            self._cancel.request()
            return "stopping"
        experiment = self._experiments.get(request.key)
        if request.action == "retry" and experiment is not None and self._logbook.has_failed(request.key):
            self._logbook.requeue(request.key)
            self._waiting.append(experiment)
            self._deaths[request.key] = 0
            return "queued again"
        return "refused: only a failed experiment of this sweep can be tried again"
