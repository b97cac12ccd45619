"""How a run begins: an unfinished one of the same experiment is continued, or a new one gets its folder."""

from __future__ import annotations

import hashlib
import sqlite3
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from nlu_arena.events import Ready
from nlu_arena.ledger.connection import timestamp
from nlu_arena.paths import BEST_MODEL, CHECKPOINT
from nlu_arena.spec import Experiment

# Which run answers an experiment for good: its newest, when that is done. What the last sweep still waits for
# is not done, whatever there is from before: an interrupted sweep that repeats everything goes on repeating.
DONE_RUNS = (
    "SELECT key, run_id FROM runs WHERE state = 'done'"
    " AND run_id IN (SELECT max(run_id) FROM runs GROUP BY key)"
    " AND key NOT IN (SELECT key FROM sweep_experiments"
    " WHERE run_id IS NULL AND sweep_id = (SELECT max(sweep_id) FROM sweeps))"
)
# One more than the newest: a reader that knows rev N asks for what is above it.
NEXT_REV = "(SELECT coalesce(max(rev), 0) + 1 FROM runs)"


# What must be the same for a run to go on to equal answers, by the name under which a worker reports it.
CIRCUMSTANCES = {
    "another kind of device": "device_kind",
    "another processor": "device_title",
    "other instructions": "cpu_capability",
    "another number of threads": "threads",
    "another version of this program": "code_version",
    "other packages": "packages",
}


def find_continuable(
    connection: sqlite3.Connection, key: str, ready: Ready, results: Path
) -> tuple[sqlite3.Row | None, str]:
    """Return the experiment's newest run if it can go on to equal answers.

    It was interrupted, or it failed with something trained in its folder: a full disk, lost data or a device
    that had no memory left must not cost the hours before. Without it, the text says why a run is not
    continued, empty where there is none.
    """
    newest: sqlite3.Row | None = connection.execute(
        "SELECT * FROM runs WHERE key = ? ORDER BY run_id DESC LIMIT 1", (key,)
    ).fetchone()
    if newest is None or newest["state"] not in ("interrupted", "failed"):
        return None, ""
    kept = (results / newest["folder"] / name for name in (CHECKPOINT, BEST_MODEL))
    if newest["state"] == "failed" and not any(folder.is_dir() for folder in kept):
        return None, ""
    before = {**msgspec.json.decode(newest["environment"]), **dict(newest)}
    now = {**ready.environment, **msgspec.structs.asdict(ready)}
    changes = [what for what, name in CIRCUMSTANCES.items() if before.get(name) != now.get(name)]
    return (None, f"made with {' and '.join(changes)}") if changes else (newest, "")


def continue_run(connection: sqlite3.Connection, run_id: int, ready: Ready) -> None:
    """Set an interrupted run going again."""
    connection.execute(
        f"UPDATE runs SET rev = {NEXT_REV}, state = 'running', stretches = stretches + 1,"
        " updated_at = ?, finished_at = NULL, phase = '', done = 0, total = 0, environment = ?,"
        " error = '', message = '', hint = '', traceback = '' WHERE run_id = ?",
        (timestamp(), to_json(ready.environment), run_id),
    )


def insert_run(
    connection: sqlite3.Connection, sweep_id: int, experiment: Experiment, ready: Ready, results: Path
) -> int:
    """Add a new run of an experiment of the sweep and return its id."""
    now = timestamp()
    row = {
        "key": experiment.key,
        "experiment_id": store_experiment(connection, experiment),
        "sweep_id": sweep_id,
        "state": "running",
        "folder": free_folder(connection, sweep_id, experiment, results),
        "device_kind": ready.device_kind,
        "threads": ready.threads,
        "code_version": ready.code_version,
        "environment": to_json(ready.environment),
        "started_at": now,
        "updated_at": now,
    }
    run_id = connection.execute(
        f"INSERT INTO runs (rev, attempt, {', '.join(row)}) VALUES ({NEXT_REV},"
        f" (SELECT count(*) + 1 FROM runs WHERE key = :key), {', '.join(f':{name}' for name in row)})",
        row,
    ).lastrowid
    assert run_id is not None
    return run_id


def store_experiment(connection: sqlite3.Connection, experiment: Experiment) -> int:
    """Store an experiment's definition, each one once, and return its id."""
    definition = msgspec.json.encode(experiment)
    row = {
        "digest": hashlib.sha256(definition).hexdigest(),
        "key": experiment.key,
        "model": experiment.model.name,
        "task": experiment.task.name,
        "mode": experiment.mode,
        "seed": experiment.seed,
        "definition": definition.decode(),
    }
    values = ", ".join(f":{name}" for name in row)
    connection.execute(f"INSERT OR IGNORE INTO experiments ({', '.join(row)}) VALUES ({values})", row)
    found = connection.execute("SELECT experiment_id FROM experiments WHERE digest = :digest", row).fetchone()
    return int(found["experiment_id"])


def bury_the_dead(connection: sqlite3.Connection) -> None:
    """Mark what a killed process left running, with the time of its last word, and the requests to it."""
    for row in connection.execute("SELECT run_id FROM runs WHERE state = 'running'").fetchall():
        connection.execute(
            f"UPDATE runs SET rev = {NEXT_REV}, state = 'interrupted', finished_at = updated_at,"
            " error = 'SchedulerDied', message = 'the sweep ended without a word' WHERE run_id = ?",
            (row["run_id"],),
        )
    connection.execute(
        # A run that it took over from an earlier sweep may be older than it.
        "UPDATE sweeps SET state = 'interrupted', finished_at = max(started_at, coalesce((SELECT"
        " max(updated_at) FROM runs JOIN sweep_experiments AS planned USING (run_id)"
        " WHERE planned.sweep_id = sweeps.sweep_id), started_at)) WHERE state = 'running'"
    )
    connection.execute(
        "UPDATE control_requests SET answer = 'no sweep was running', answered_at = ? WHERE answer IS NULL",
        (timestamp(),),
    )


def read_answered(connection: sqlite3.Connection, run_id: int) -> dict[str, list[int]]:
    """Return the indices that a run has predicted, for each split that has any."""
    answered: dict[str, list[int]] = {}
    for split, index in connection.execute(
        "SELECT split, idx FROM predictions WHERE run_id = ? ORDER BY split, idx", (run_id,)
    ).fetchall():
        answered.setdefault(split, []).append(index)
    return answered


def read_progress(connection: sqlite3.Connection, run_id: int) -> tuple[int, tuple[str, ...]]:
    """Return up to which step a run's training curve is recorded, and which of its phases were finished."""
    (step,) = connection.execute(
        "SELECT coalesce(max(step), 0) FROM metric_points WHERE run_id = ?", (run_id,)
    ).fetchone()
    phases = connection.execute("SELECT DISTINCT phase FROM phases WHERE run_id = ?", (run_id,)).fetchall()
    return step, tuple(row["phase"] for row in phases)


def read_folders(connection: sqlite3.Connection, key: str) -> list[str]:
    """Return the folders of all runs of an experiment."""
    rows = connection.execute("SELECT folder FROM runs WHERE key = ?", (key,)).fetchall()
    return [row["folder"] for row in rows]


def read_fingerprint(connection: sqlite3.Connection, run_id: int) -> str:
    """Return the fingerprint of the examples of a run's first split, an empty text before there is one."""
    row = connection.execute(
        "SELECT fingerprint FROM run_splits JOIN example_sets USING (set_id)"
        " WHERE run_id = ? ORDER BY position LIMIT 1",
        (run_id,),
    ).fetchone()
    return row["fingerprint"] if row else ""


def free_folder(connection: sqlite3.Connection, sweep_id: int, experiment: Experiment, results: Path) -> str:
    """Return the name of a new run's folder, which neither the ledger nor the disk has yet."""
    mode = "" if experiment.mode == "fine-tune" else f"_{experiment.mode.replace('-', '_')}"
    name = f"{experiment.model.slug}{mode}_{experiment.task.name}_{datetime.now():%Y%m%d_%H%M%S}"
    if _has_several_seeds(connection, sweep_id, experiment):
        name += f"_s{experiment.seed}"
    number, folder = 1, name
    while _is_taken(connection, folder) or (results / folder).exists():
        number += 1
        folder = f"{name}_{number}"
    return folder


def to_json(value: Any) -> str:
    """Return a value as JSON text."""
    return msgspec.json.encode(value).decode()


def _is_taken(connection: sqlite3.Connection, folder: str) -> bool:
    row = connection.execute("SELECT 1 FROM runs WHERE folder = ?", (folder,)).fetchone()
    return row is not None


def _has_several_seeds(connection: sqlite3.Connection, sweep_id: int, experiment: Experiment) -> bool:
    (seeds,) = connection.execute(
        "SELECT count(DISTINCT seed) FROM sweep_experiments JOIN experiments USING (experiment_id)"
        " WHERE sweep_id = ? AND model = ? AND task = ? AND mode = ?",
        (sweep_id, experiment.model.name, experiment.task.name, experiment.mode),
    ).fetchone()
    return bool(seeds > 1)
