"""The reads: everything a screen, a report or an export shows comes from here."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from nlu_arena.errors import NothingToShowError
from nlu_arena.ledger.codec import Columns, unpack_answers, unpack_columns, unpack_labels
from nlu_arena.ledger.connection import BUSY_SECONDS, plain_errors
from nlu_arena.ledger.lock import is_held
from nlu_arena.ledger.reading import Opened, open_for_reading
from nlu_arena.ledger.recording import read_rows
from nlu_arena.ledger.rows import (
    ArtifactRow,
    Cell,
    LogRow,
    MemorySample,
    PhaseRow,
    PointRow,
    RunRow,
    SplitRow,
    SweepRow,
    Tile,
)
from nlu_arena.ledger.runs import DONE_RUNS
from nlu_arena.ledger.shapes import (
    CELL_COLUMNS,
    CELLS,
    RUN_COLUMNS,
    decode_experiment,
    make_cell,
    make_run,
    make_sweep,
)
from nlu_arena.ledger.tiles import CHANGED_TILES, TILES, make_tile
from nlu_arena.spec import Example, Experiment, Prediction


class Timing(NamedTuple):
    """How long an experiment took on a kind of device, in seconds; the title is the hardware's name."""

    experiment: Experiment
    device_kind: str
    device_title: str
    seconds: float


class Reader:
    """A ledger open for reading, used by one thread.

    It never blocks the writer. Without `live` the folder is read-only and later changes are not seen.
    """

    def __init__(self, path: Path, opened: Opened) -> None:
        self.live = opened.live
        self._path = path
        self._opened = opened

    @classmethod
    def open(cls, path: Path, patience: float = BUSY_SECONDS) -> Reader:
        """Open a ledger for reading.

        Args:
            path: The ledger.
            patience: How many seconds each reading may wait for a lock that another program holds.

        Raises:
            NothingToShowError: There is none, or it is empty or older than this program.
            CannotStartError: It is newer than this program, or not a ledger.
        """
        return cls(path, open_for_reading(path, patience))

    def close(self) -> None:
        """Close the ledger; may be repeated."""
        self._opened.close()

    def __enter__(self) -> Reader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def versions(self) -> tuple[int, int]:
        """Return a number that changes with each commit of another process, and the ledger's version.

        The number also changes without a commit, when the write-ahead log is emptied.
        """
        (data,), (version,) = self._fetch("PRAGMA data_version")[0], self._fetch("PRAGMA user_version")[0]
        return data, version

    # ── Sweeps ────────────────────────────────────────────────────────────────────────────────────────

    def last_sweep(self) -> SweepRow | None:
        """Return the newest sweep, None before the first."""
        rows, dead = self._settled("SELECT * FROM sweeps ORDER BY sweep_id DESC LIMIT 1")
        return make_sweep(rows[0], dead) if rows else None

    def sweep(self, sweep_id: int) -> SweepRow:
        """Return one sweep.

        Raises:
            NothingToShowError: There is no such sweep.
        """
        rows, dead = self._settled("SELECT * FROM sweeps WHERE sweep_id = ?", sweep_id)
        if not rows:
            raise NothingToShowError(f"{self._path} has no sweep {sweep_id}")
        return make_sweep(rows[0], dead)

    def cells(self, sweep_id: int) -> list[Cell]:
        """Return the experiments of a sweep in its order, each with the run that stands for it."""
        rows, dead = self._settled(f"{CELLS} WHERE planned.sweep_id = ? ORDER BY position", sweep_id)
        return [make_cell(row, dead) for row in rows]

    def tiles(self, sweep_id: int) -> list[Tile]:
        """Return the experiments of a sweep in its order, as a matrix shows them.

        A run whose writer was killed is "running" here: only who follows a ledger knows when to ask for that.
        """
        return [make_tile(row) for row in self._fetch(TILES, sweep_id)]

    def changed_tiles(self, sweep_id: int, rev: int) -> list[Tile]:
        """Return those of a sweep's tiles whose runs have changed after a revision."""
        return [make_tile(row) for row in self._fetch(CHANGED_TILES, sweep_id, rev)]

    def finished(self) -> list[Cell]:
        """Return the experiments that are done in any sweep, each with its newest finished run."""
        rows = self._fetch(
            f"SELECT {CELL_COLUMNS}, runs.key AS planned_key, run_id AS position, definition,"
            " definition AS used_definition FROM runs JOIN experiments USING (experiment_id)"
            " WHERE run_id IN (SELECT max(run_id) FROM runs WHERE state = 'done' GROUP BY key)"
            " ORDER BY run_id"
        )
        return [make_cell(row, dead=False) for row in rows]

    def unfinished(self) -> list[Cell]:
        """Return the experiments that were planned and never done, as their last sweeps know them."""
        rows, dead = self._settled(
            f"{CELLS} WHERE (planned.sweep_id, planned.key) IN (SELECT max(sweep_id), key"
            " FROM sweep_experiments WHERE key NOT IN (SELECT key FROM runs WHERE state = 'done')"
            " GROUP BY key)"
            " ORDER BY planned.sweep_id, position"
        )
        return [make_cell(row, dead) for row in rows]

    def median_seconds(self) -> list[Timing]:
        """Return what the finished runs took: the median of each experiment on each device."""
        from statistics import median

        seconds: dict[tuple[str, str, str], list[float]] = {}
        for definition, kind, title, value in self._fetch(
            "SELECT definition, device_kind, json_extract(environment, '$.device_title'), seconds"
            " FROM runs JOIN experiments USING (experiment_id) WHERE state = 'done'"
        ):
            seconds.setdefault((definition, kind, title or ""), []).append(value)
        return [
            Timing(decode_experiment(definition), kind, title, median(values))
            for (definition, kind, title), values in seconds.items()
        ]

    def memory_samples(self, sweep_id: int, since: str = "") -> list[MemorySample]:
        """Return the readings of memory during a sweep after a time (ISO 8601, UTC), the oldest first."""
        rows = self._fetch(
            "SELECT at, source, used_bytes, total_bytes, utilisation FROM memory_samples"
            " WHERE sweep_id = ? AND at > ? ORDER BY at",
            sweep_id,
            since,
        )
        return [MemorySample(datetime.fromisoformat(at).timestamp(), *values) for at, *values in rows]

    # ── Runs ──────────────────────────────────────────────────────────────────────────────────────────

    def revision(self) -> int:
        """Return the newest rev of any run, 0 without runs."""
        return int(self._fetch("SELECT coalesce(max(rev), 0) FROM runs")[0][0])

    def done_runs(self) -> dict[str, int]:
        """Return the runs that answer their experiments for good, by key."""
        return dict(map(tuple, self._fetch(DONE_RUNS)))

    def changed_since(self, rev: int) -> list[RunRow]:
        """Return the runs that have changed after a revision, in the order of their last change."""
        rows, dead = self._settled(f"SELECT {RUN_COLUMNS} WHERE rev > ? ORDER BY rev", rev)
        return [make_run(row, dead) for row in rows]

    def run(self, run_id: int) -> RunRow:
        """Return one run.

        Raises:
            NothingToShowError: There is no such run.
        """
        rows, dead = self._settled(f"SELECT {RUN_COLUMNS} WHERE run_id = ?", run_id)
        if not rows:
            raise NothingToShowError(f"{self._path} has no run {run_id}")
        return make_run(rows[0], dead)

    def splits(self, run_id: int) -> list[SplitRow]:
        """Return the dev splits of a run in their order."""
        rows = self._fetch(
            "SELECT run_splits.split, fingerprint, n FROM run_splits JOIN example_sets USING (set_id)"
            " WHERE run_id = ? ORDER BY position",
            run_id,
        )
        return [SplitRow(*row) for row in rows]

    def phases(self, run_id: int) -> list[PhaseRow]:
        """Return the timed phases of a run in the order they ended."""
        rows = self._fetch(
            "SELECT phase, seconds, finished_at FROM phases WHERE run_id = ? ORDER BY rowid", run_id
        )
        return [PhaseRow(*row) for row in rows]

    def metric_points(self, run_id: int, after: int = -1) -> list[PointRow]:
        """Return the training curves of a run after a step, by step."""
        rows = self._fetch(
            "SELECT name, step, epoch, value FROM metric_points WHERE run_id = ? AND step > ?"
            " ORDER BY step, name",
            run_id,
            after,
        )
        return [PointRow(*row) for row in rows]

    def log_lines(self, run_id: int) -> list[LogRow]:
        """Return what the run's worker wrote for the log, the oldest first."""
        rows = self._fetch("SELECT at, level, text FROM log_events WHERE run_id = ? ORDER BY rowid", run_id)
        return [LogRow(*row) for row in rows]

    def artifacts(self, run_id: int) -> list[ArtifactRow]:
        """Return the files that the run has completely written."""
        rows = self._fetch("SELECT kind, path FROM artifacts WHERE run_id = ? ORDER BY path", run_id)
        return [ArtifactRow(*row) for row in rows]

    # ── Examples and answers ──────────────────────────────────────────────────────────────────────────

    def predictions(self, run_id: int, split: str) -> list[Prediction]:
        """Return the answers of a run to a split: all of a finished run, so far of another."""
        packed = self._fetch("SELECT answers FROM run_splits WHERE run_id = ? AND split = ?", run_id, split)
        if packed and packed[0]["answers"] is not None:
            return unpack_answers(packed[0]["answers"])
        with plain_errors(self._path):
            return read_rows(self._opened.connection, run_id, split)

    def labels(self, run_id: int, split: str) -> tuple[Sequence[int], Sequence[int]]:
        """Return the gold and the predicted label of every example of a finished run's split.

        Its scores, most of the bytes, are not read.
        """
        return unpack_labels(self._packed(run_id, split))

    def columns(self, run_id: int, split: str) -> Columns:
        """Return all answers of a finished run to a split as columns of numbers."""
        return unpack_columns(self._packed(run_id, split))

    def examples(self, fingerprint: str, split: str) -> list[Example]:
        """Return the examples of a split, whose places are the indices of its predictions."""
        rows = self._fetch(
            "SELECT text, label, pair, genre FROM examples JOIN example_sets USING (set_id)"
            " WHERE fingerprint = ? AND split = ? ORDER BY idx",
            fingerprint,
            split,
        )
        return [Example(*row) for row in rows]

    def answer(self, request_id: int) -> str | None:
        """Return what the scheduler answered to a screen's request, None before it did."""
        rows = self._fetch("SELECT answer FROM control_requests WHERE request_id = ?", request_id)
        answer: str | None = rows[0]["answer"] if rows else None
        return answer

    # ── Parts ─────────────────────────────────────────────────────────────────────────────────────────

    def _packed(self, run_id: int, split: str) -> bytes:
        ((packed,),) = self._fetch(
            "SELECT answers FROM run_splits WHERE run_id = ? AND split = ?", run_id, split
        )
        assert isinstance(packed, bytes)
        return packed

    def _fetch(self, statement: str, *values: Any) -> list[sqlite3.Row]:
        """Return all rows at once: a cursor left open would keep the write-ahead log from shrinking."""
        with plain_errors(self._path):
            return self._opened.connection.execute(statement, values).fetchall()

    def _settled(self, statement: str, *values: Any) -> tuple[list[sqlite3.Row], bool]:
        """Return rows with a `state`, and whether those still "running" are dead because nobody writes.

        A writer that is seen to be gone may have ended its runs after the first look, so the second counts.
        """
        rows = self._fetch(statement, *values)
        if all(row["state"] != "running" for row in rows) or is_held(self._path):
            return rows, False
        return (self._fetch(statement, *values) if self.live else rows), True
