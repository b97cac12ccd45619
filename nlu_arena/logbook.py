"""What a sweep writes down: every event of its runs in the ledger, every change for the observer."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec

from nlu_arena import events
from nlu_arena.errors import RunError
from nlu_arena.exports import Exports
from nlu_arena.lane import Job, Lane
from nlu_arena.ledger.store import RunStart, Store
from nlu_arena.notices import Failure, Observer, SweepEvent, SweepEventName, SweepOutcome
from nlu_arena.paths import BEST_MODEL, CHECKPOINT, UNUSABLE_CHECKPOINT
from nlu_arena.sampler import Sampler
from nlu_arena.spec import Experiment

State = Literal["skipped", "waiting", "running", "done", "failed", "interrupted"]


class Logbook:
    """The record of one sweep: the only part of the scheduler that writes the ledger."""

    def __init__(
        self, store: Store, results: Path, observer: Observer, exports: Exports, sampler: Sampler
    ) -> None:
        self._store = store
        self._results = results
        self._observer = observer
        self._exports = exports
        self._sampler = sampler
        self._sweep_id = 0
        self._fresh = False
        self._states: dict[str, State] = {}
        self._failures: dict[str, Failure] = {}
        # Keys that have had a run in this sweep: it is continued, even where the sweep repeats.
        self._begun: set[str] = set()

    def open_sweep(
        self, plan: Sequence[Experiment], name: str, details: Mapping[str, Any], fresh: bool
    ) -> list[Experiment]:
        """Record the sweep.

        Returns:
            the experiments that are to be done, in the order of the plan.
        """
        done = set() if fresh else self._store.done_keys()
        waiting = [experiment for experiment in plan if experiment.key not in done]
        self._fresh = fresh
        self._states = {e.key: "skipped" if e.key in done else "waiting" for e in plan}
        self._sweep_id = self._store.begin_sweep(name, plan, details, fresh=fresh)
        fields = {
            "sweep": self._sweep_id,
            "name": name,
            "total": len(plan),
            "skipped": len(plan) - len(waiting),
        }
        self._notify("sweep_started", None, fields)
        return waiting

    def begin(self, lane: Lane, job: Job, ready: events.Ready) -> RunStart:
        """Record that the job's experiment begins, or is continued, on the lane's worker."""
        experiment = job.experiment
        fresh = self._fresh and experiment.key not in self._begun
        run = self._store.begin_run(self._sweep_id, experiment, ready, fresh=fresh)
        job.run, job.pid, job.began = run, lane.pid, time.monotonic()
        self._begun.add(experiment.key)
        self._states[experiment.key] = "running"
        self._failures.pop(experiment.key, None)
        self._sampler.watch(job.pid)
        if run.set_aside:
            said = f"it began anew: an unfinished run of it was {run.set_aside}"
            self._store.record(run.run_id, events.Facts(facts={"warnings": [said]}))
        fields = {
            "run": run.run_id,
            "folder": run.folder,
            "device": lane.device,
            "continued": run.continued,
            "answered": sum(len(indices) for indices in run.answered.values()),
        }
        self._notify("run_started", experiment, fields)
        return run

    def record(self, job: Job, run: RunStart, event: events.Event) -> None:
        """Record what the worker says while it works.

        Raises:
            RunError: the event does not fit to what the run has recorded so far.
        """
        job.has_advanced |= isinstance(event, events.Predictions | events.Saved | events.Artifact)
        if isinstance(event, events.Predictions):
            held, job.held = job.held, event
            if held is not None:
                self._store.record(run.run_id, held)
            return
        self._store.record(run.run_id, event)
        match event:
            case events.Facts(facts={"data_differences": differences}):
                job.data_differences = differences
            case events.PhaseStarted(phase=phase):
                self._notify("phase", job.experiment, {"phase": phase, "state": "started"})
            case events.PhaseFinished(phase=phase, seconds=seconds):
                fields = {"phase": phase, "state": "finished", "seconds": seconds}
                self._notify("phase", job.experiment, fields)
            case events.Log(level="info", text=text):
                self._notify("note", job.experiment, {"text": text})
            case events.Progress(phase=phase, done=done, total=total):
                self._notify("progress", job.experiment, {"phase": phase, "done": done, "total": total})

    def finish(self, job: Job, run: RunStart) -> None:
        """Record the last predictions, the metrics and "done" in one transaction; start the export.

        Raises:
            RunError: an example has no prediction.
        """
        self._record_peak(job, run)
        metrics, alarms = self._store.finish_run(run.run_id, last=[job.held] if job.held else [])
        job.held = None
        self._states[job.experiment.key] = "done"
        self._remove_checkpoints(job.experiment)
        fields = {
            "run": run.run_id,
            "folder": run.folder,
            "seconds": time.monotonic() - job.began,
            "metrics": msgspec.to_builtins(metrics),
            "alarms": alarms,
            "data_differences": job.data_differences,
        }
        self._notify("run_finished", job.experiment, fields)
        self._exports.begin(job.experiment, run.run_id)

    def end(
        self,
        job: Job,
        run: RunStart,
        state: Literal["failed", "interrupted"],
        problem: events.Failed,
        retry: bool = False,
    ) -> None:
        """Record that a run ended without a result, and why."""
        experiment = job.experiment
        if state == "interrupted" and job.held is not None:
            # Answers that contradict earlier ones are not worth keeping, and must not end the sweep.
            with contextlib.suppress(RunError):
                self._store.record(run.run_id, job.held)
        job.held = None
        if retry:
            # The run's own reason goes when it is continued.
            text = f"{problem.message}; it is tried again. {problem.hint}".rstrip()
            self._store.record(run.run_id, events.Log(level="warning", text=text))
        self._record_peak(job, run)
        self._store.end_run(
            run.run_id,
            state,
            error=problem.error,
            message=problem.message,
            hint=problem.hint,
            traceback=problem.traceback,
        )
        self._states[experiment.key] = "waiting" if retry else state
        if state == "failed":
            failure = Failure(experiment.key, experiment.title, problem.message, problem.hint)
            self._failures[experiment.key] = failure
        fields = {
            "run": run.run_id,
            "state": state,
            "retry": retry,
            "error": problem.error,
            "message": problem.message,
            "hint": problem.hint,
        }
        self._notify("run_failed", experiment, fields)

    def has_failed(self, key: str) -> bool:
        """Say whether an experiment of this sweep has failed, so that it may be tried again."""
        return self._states.get(key) == "failed"

    def requeue(self, key: str) -> None:
        """Count a failed experiment as waiting again."""
        self._states[key] = "waiting"
        del self._failures[key]

    def close_sweep(self, failed: bool = False) -> SweepOutcome:
        """Wait for the exports and record how the sweep ended; `failed` when it could not go on."""
        export_failures = self._exports.join()
        count = Counter(self._states.values())
        outcome = SweepOutcome(
            sweep=self._sweep_id,
            done=count["done"],
            skipped=count["skipped"],
            failed=count["failed"],
            interrupted=count["interrupted"],
            waiting=count["waiting"],
            failures=tuple(self._failures.values()),
            export_failures=export_failures,
        )
        state = "failed" if failed else outcome.state
        self._store.finish_sweep(self._sweep_id, state)
        self._notify("sweep_finished", None, msgspec.to_builtins(outcome) | {"state": state})
        return outcome

    def record_samples(self) -> None:
        """Record the memory readings that have come since the last time."""
        samples = self._sampler.drain()
        if samples:
            self._store.add_samples(samples)

    def _remove_checkpoints(self, experiment: Experiment) -> None:
        """Free the disk of what unfinished trainings of an experiment have left: it is done."""
        for folder in self._store.folders(experiment.key):
            for name in (CHECKPOINT, UNUSABLE_CHECKPOINT, f"{BEST_MODEL}.part"):
                shutil.rmtree(self._results / folder / name, ignore_errors=True)

    def _record_peak(self, job: Job, run: RunStart) -> None:
        peak = self._sampler.unwatch(job.pid)
        if peak is not None:
            self._store.record_peak(run.run_id, peak)

    def _notify(self, event: SweepEventName, experiment: Experiment | None, fields: dict[str, Any]) -> None:
        key, title = (experiment.key, experiment.title) if experiment else ("", "")
        self._observer.notify(SweepEvent(event, time.time(), key, title, fields))
