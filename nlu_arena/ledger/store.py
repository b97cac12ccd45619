"""The writes: one process at a time holds a Store; every change is one transaction."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from nlu_arena.events import Event, Ready
from nlu_arena.ledger.completion import complete_run
from nlu_arena.ledger.connection import plain_errors, timestamp, transaction
from nlu_arena.ledger.lock import WriterLock
from nlu_arena.ledger.migration import make_folder, open_for_writing
from nlu_arena.ledger.recording import record_event
from nlu_arena.ledger.rows import ControlRequest, MemorySample, RunEnd, RunStart, RunState
from nlu_arena.ledger.runs import (
    DONE_RUNS,
    NEXT_REV,
    bury_the_dead,
    continue_run,
    find_continuable,
    insert_run,
    read_answered,
    read_fingerprint,
    read_folders,
    read_progress,
    store_experiment,
    to_json,
)
from nlu_arena.spec import Experiment

__all__ = ["ControlRequest", "MemorySample", "RunStart", "RunState", "Store"]


class Store:
    """The open ledger of the one process that writes it, used by one thread."""

    def __init__(self, path: Path, connection: sqlite3.Connection, lock: WriterLock) -> None:
        self._path = path
        self._connection = connection
        self._lock = lock
        self._sweep_id: int | None = None
        # By run begun here: the experiment, and the monotonic time at which its seconds were 0.
        self._begun: dict[int, tuple[Experiment, float]] = {}

    @classmethod
    def open(cls, path: Path) -> Store:
        """Open a ledger for writing, make or migrate it, and take its lock.

        What a killed process left "running" becomes "interrupted" here: nobody else can be working on it.

        Raises:
            CannotStartError: Another process writes it, or it is newer than this program.
            LedgerError: The folder or the file cannot be used.
        """
        make_folder(path.parent)
        lock = WriterLock.acquire(path)
        try:
            store = cls(path, open_for_writing(path), lock)
        except BaseException:
            lock.release()
            raise
        try:
            with store._transaction() as writing:
                bury_the_dead(writing)
        except BaseException:
            store.close()
            raise
        return store

    def close(self) -> None:
        """Close the ledger and let go of its lock; may be repeated."""
        self._connection.close()
        self._lock.release()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    # ── Sweeps ────────────────────────────────────────────────────────────────────────────────────────

    def begin_sweep(
        self, name: str, experiments: Sequence[Experiment], details: Mapping[str, Any], *, fresh: bool = False
    ) -> int:
        """Record a sweep and its plan; without `fresh` it takes over the runs that are done already.

        Raises:
            ValueError: Two experiments of the plan have the same key.
        """
        keys = [experiment.key for experiment in experiments]
        if len(set(keys)) != len(keys):
            raise ValueError("two experiments of the plan have the same key")
        with self._transaction() as connection:
            # Asked before this sweep is the last one.
            done = {} if fresh else self._done_runs()
            sweep_id = connection.execute(
                "INSERT INTO sweeps (name, state, started_at, details) VALUES (?, 'running', ?, ?)",
                (name, timestamp(), to_json(details)),
            ).lastrowid
            assert sweep_id is not None
            connection.executemany(
                "INSERT INTO sweep_experiments VALUES (?, ?, ?, ?, ?)",
                [
                    (sweep_id, position, e.key, store_experiment(connection, e), done.get(e.key))
                    for position, e in enumerate(experiments)
                ],
            )
        self._sweep_id = sweep_id
        return sweep_id

    def finish_sweep(self, sweep_id: int, state: Literal["done", "failed", "interrupted"]) -> None:
        """Record how a sweep ended."""
        with self._transaction() as connection:
            connection.execute(
                "UPDATE sweeps SET state = ?, finished_at = ? WHERE sweep_id = ?",
                (state, timestamp(), sweep_id),
            )

    def done_keys(self) -> set[str]:
        """Return the keys of all experiments that need not be done again."""
        return set(self._done_runs())

    # ── Runs ──────────────────────────────────────────────────────────────────────────────────────────

    def begin_run(
        self, sweep_id: int, experiment: Experiment, ready: Ready, *, fresh: bool = False
    ) -> RunStart:
        """Continue the experiment's run that did not come to its end, or begin a new one.

        A run is continued on the same hardware, threads, packages and code version only, and never when
        `fresh`; it keeps its id and its folder.
        """
        with self._transaction() as connection:
            old, set_aside = (
                (None, "")
                if fresh
                else find_continuable(connection, experiment.key, ready, self._path.parent)
            )
            if old is not None:
                run_id, seconds = int(old["run_id"]), float(old["seconds"])
                continue_run(connection, run_id, ready)
            else:
                seconds = 0.0
                run_id = insert_run(connection, sweep_id, experiment, ready, self._path.parent)
            connection.execute(
                "UPDATE sweep_experiments SET run_id = ? WHERE sweep_id = ? AND key = ?",
                (run_id, sweep_id, experiment.key),
            )
            (folder,) = connection.execute("SELECT folder FROM runs WHERE run_id = ?", (run_id,)).fetchone()
            answered = read_answered(connection, run_id)
            fingerprint = read_fingerprint(connection, run_id)
            steps, phases = read_progress(connection, run_id)
        self._begun[run_id] = (experiment, time.monotonic() - seconds)
        return RunStart(
            run_id, folder, answered, fingerprint, old is not None, steps, phases, set_aside=set_aside
        )

    def folders(self, key: str) -> list[str]:
        """Return the names of the folders of all runs of an experiment."""
        with plain_errors(self._path):
            return read_folders(self._connection, key)

    def record(self, run_id: int, event: Event) -> None:
        """Record one event of a run that is under way.

        Raises:
            RunError: It contradicts what the run has recorded; nothing of it is kept.
        """
        with self._transaction() as connection:
            self._change(run_id, record_event(connection, run_id, event))

    def finish_run(self, run_id: int, last: Sequence[Event] = ()) -> RunEnd:
        """Record the last events, check, pack and measure the answers, and mark the run done, all or nothing.

        Raises:
            RunError: Not every example of every split has exactly one answer.
        """
        experiment, _ = self._begun_here(run_id)
        with self._transaction() as connection:
            for event in last:
                self._change(run_id, record_event(connection, run_id, event))
            end, changes = complete_run(connection, run_id, experiment.task.labels)
            ended = {"state": "done", "finished_at": timestamp(), "phase": "", "done": 0, "total": 0}
            self._change(run_id, changes | ended)
        del self._begun[run_id]
        return end

    def end_run(
        self,
        run_id: int,
        state: RunState,
        *,
        error: str = "",
        message: str = "",
        hint: str = "",
        traceback: str = "",
    ) -> None:
        """Record that a run ended without a result, "failed" or "interrupted", and why."""
        if state not in ("failed", "interrupted"):
            raise ValueError(f"a run without a result cannot end as {state!r}")
        why = {"error": error, "message": message, "hint": hint, "traceback": traceback}
        with self._transaction():
            self._change(run_id, {"state": state, "finished_at": timestamp(), **why})
        del self._begun[run_id]

    def record_peak(self, run_id: int, rss_bytes: int) -> None:
        """Raise the run's peak of resident memory to this, if it is higher."""
        with self._transaction() as connection:
            row = connection.execute("SELECT peak_rss_bytes FROM runs WHERE run_id = ?", (run_id,)).fetchone()
            self._change(run_id, {"peak_rss_bytes": max(rss_bytes, row["peak_rss_bytes"] or 0)})

    # ── Memory and control ────────────────────────────────────────────────────────────────────────────

    def add_samples(self, samples: Sequence[MemorySample]) -> None:
        """Record readings of memory with the sweep under way."""
        rows = [
            (self._sweep_id, datetime.fromtimestamp(s.at, UTC).isoformat(timespec="milliseconds"), *s[1:])
            for s in samples
        ]
        with self._transaction() as connection:
            connection.executemany("INSERT INTO memory_samples VALUES (?, ?, ?, ?, ?, ?)", rows)

    def control_requests(self) -> list[ControlRequest]:
        """Return what screens ask for and has no answer yet, the oldest first."""
        with plain_errors(self._path):
            rows = self._connection.execute(
                "SELECT request_id, action, key FROM control_requests"
                " WHERE answer IS NULL ORDER BY request_id"
            ).fetchall()
        return [ControlRequest(*row) for row in rows]

    def acknowledge(self, request_id: int, answer: str) -> None:
        """Answer a request."""
        with self._transaction() as connection:
            connection.execute(
                "UPDATE control_requests SET answer = ?, answered_at = ? WHERE request_id = ?",
                (answer, timestamp(), request_id),
            )

    # ── Parts ─────────────────────────────────────────────────────────────────────────────────────────

    def _transaction(self) -> AbstractContextManager[sqlite3.Connection]:
        return transaction(self._connection, self._path)

    def _begun_here(self, run_id: int) -> tuple[Experiment, float]:
        if run_id not in self._begun:
            raise ValueError(f"run {run_id} is not under way here")
        return self._begun[run_id]

    def _change(self, run_id: int, changes: Mapping[str, Any]) -> None:
        """Change a run's row, and with it its rev, its time and its seconds."""
        _, zero = self._begun_here(run_id)
        row = {"updated_at": timestamp(), "seconds": time.monotonic() - zero, **changes}
        assignments = ", ".join(f"{name} = :{name}" for name in row)
        self._connection.execute(
            f"UPDATE runs SET rev = {NEXT_REV}, {assignments} WHERE run_id = :run_id",
            {**row, "run_id": run_id},
        )

    def _done_runs(self) -> dict[str, int]:
        return dict(map(tuple, self._connection.execute(DONE_RUNS).fetchall()))
