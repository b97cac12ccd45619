"""What each event of a worker writes into the ledger; the caller's transaction holds it together."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from nlu_arena import events
from nlu_arena.errors import RunError
from nlu_arena.ledger.codec import pack_scores, unpack_scores
from nlu_arena.ledger.connection import timestamp
from nlu_arena.spec import Example, Prediction

# The finding that grows instead of being replaced: what a reader of the numbers must know.
WARNINGS = "warnings"

Changes = dict[str, Any]


def record_event(connection: sqlite3.Connection, run_id: int, event: events.Event) -> Changes:
    """Write one event of a run.

    Returns:
        the columns of the run's own row that it changes.

    Raises:
        RunError: It contradicts what the run has recorded.
        ValueError: It is not an event to record.
    """
    match event:
        case events.PhaseStarted(phase=phase):
            return {"phase": phase, "done": 0, "total": 0}
        case events.Progress(phase=phase, done=done, total=total):
            return {"phase": phase, "done": done, "total": total}
        case events.Saved():
            # That is in the run's folder; here it only shows that the run lives.
            return {}
        case events.PhaseFinished(phase=phase, seconds=seconds):
            row = (run_id, phase, seconds, timestamp())
            connection.execute("INSERT INTO phases VALUES (?, ?, ?, ?)", row)
        case events.MetricPoint(name=name, step=step, epoch=epoch, value=value):
            # A continued run that trains again goes over the same steps.
            point = (run_id, name, step, epoch, value)
            connection.execute("INSERT OR REPLACE INTO metric_points VALUES (?, ?, ?, ?, ?)", point)
        case events.ExampleSet():
            _record_examples(connection, run_id, event)
        case events.Predictions():
            _record_predictions(connection, run_id, event)
        case events.Facts(facts=facts):
            return {"facts": merged_facts(connection, run_id, facts)}
        case events.Artifact(kind=kind, path=path):
            connection.execute("INSERT OR REPLACE INTO artifacts VALUES (?, ?, ?)", (run_id, path, kind))
        case events.Log(level=level, text=text):
            line = (run_id, timestamp(), level, text)
            connection.execute("INSERT INTO log_events VALUES (?, ?, ?, ?)", line)
        case _:
            raise ValueError(f"{type(event).__name__} is not an event to record")
    return {}


def merged_facts(connection: sqlite3.Connection, run_id: int, new: Mapping[str, Any]) -> str:
    """Return a run's facts with new ones as JSON: tables are merged, warnings added, the rest replaced."""
    (text,) = connection.execute("SELECT facts FROM runs WHERE run_id = ?", (run_id,)).fetchone()
    old: dict[str, Any] = msgspec.json.decode(text)
    warnings = dict.fromkeys([*old.get(WARNINGS, []), *new.get(WARNINGS, [])])
    facts = _merge(old, new) | ({WARNINGS: list(warnings)} if warnings else {})
    return msgspec.json.encode(facts).decode()


def read_rows(connection: sqlite3.Connection, run_id: int, split: str) -> list[Prediction]:
    """Return the predictions of a split that are rows yet, in the order of its examples."""
    rows = connection.execute(
        "SELECT * FROM predictions WHERE run_id = ? AND split = ? ORDER BY idx", (run_id, split)
    ).fetchall()
    return [
        Prediction(
            index=row["idx"],
            gold=row["gold"],
            predicted=row["predicted"],
            scores=unpack_scores(row["scores"]),
            calibrated=None if row["calibrated"] is None else unpack_scores(row["calibrated"]),
            tied=bool(row["tied"]),
        )
        for row in rows
    ]


def _record_examples(connection: sqlite3.Connection, run_id: int, event: events.ExampleSet) -> None:
    """Note which examples a split of the run has; their texts are stored with the first run that has them."""
    known = connection.execute(
        "SELECT fingerprint FROM run_splits JOIN example_sets USING (set_id)"
        " WHERE run_id = ? AND run_splits.split = ?",
        (run_id, event.split),
    ).fetchone()
    if known is None:
        connection.execute(
            "INSERT INTO run_splits (run_id, position, split, set_id)"
            " SELECT ?, count(*), ?, ? FROM run_splits WHERE run_id = ?",
            (run_id, event.split, _store_examples(connection, event), run_id),
        )
    elif known["fingerprint"] != event.fingerprint:
        raise RunError(
            f"the data have changed since the run was interrupted: split {event.split!r} had fingerprint"
            f" {known['fingerprint']}, now {event.fingerprint}",
            "Start the sweep again: a new run begins with the data as they are now.",
        )


def _store_examples(connection: sqlite3.Connection, event: events.ExampleSet) -> int:
    identity = (event.fingerprint, event.split)
    row = connection.execute(
        "SELECT set_id FROM example_sets WHERE fingerprint = ? AND split = ?", identity
    ).fetchone()
    if row is not None:
        _add_genres(connection, row["set_id"], event.examples)
        return int(row["set_id"])
    set_id = connection.execute(
        "INSERT INTO example_sets (fingerprint, split, n) VALUES (?, ?, ?)", (*identity, len(event.examples))
    ).lastrowid
    assert set_id is not None
    connection.executemany(
        "INSERT INTO examples (set_id, idx, text, pair, label, genre) VALUES (?, ?, ?, ?, ?, ?)",
        ((set_id, index, e.text, e.pair, e.label, e.genre) for index, e in enumerate(event.examples)),
    )
    return set_id


def _add_genres(connection: sqlite3.Connection, set_id: int, examples: Sequence[Example]) -> None:
    """Add the genres to examples that were stored without: not every source of the same texts has them."""
    known = connection.execute(
        "SELECT 1 FROM examples WHERE set_id = ? AND genre IS NOT NULL LIMIT 1", (set_id,)
    ).fetchone()
    if known is None:
        connection.executemany(
            "UPDATE examples SET genre = ? WHERE set_id = ? AND idx = ?",
            ((e.genre, set_id, index) for index, e in enumerate(examples) if e.genre is not None),
        )


def _record_predictions(connection: sqlite3.Connection, run_id: int, event: events.Predictions) -> None:
    announced = connection.execute(
        "SELECT 1 FROM run_splits WHERE run_id = ? AND split = ?", (run_id, event.split)
    ).fetchone()
    if announced is None:
        raise RunError(f"answers came for split {event.split!r}, whose examples were never announced")
    rows = _prediction_rows(run_id, event.split, event.rows)
    try:
        connection.executemany("INSERT INTO predictions VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
    except sqlite3.IntegrityError as error:
        raise RunError(f"an example of split {event.split!r} was answered twice") from error


def _prediction_rows(run_id: int, split: str, rows: Iterable[Prediction]) -> Iterator[tuple[Any, ...]]:
    for row in rows:
        calibrated = None if row.calibrated is None else pack_scores(row.calibrated)
        scores = pack_scores(row.scores)
        yield run_id, split, row.index, row.gold, row.predicted, scores, calibrated, row.tied


def _merge(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(old)
    for name, value in new.items():
        before = merged.get(name)
        if isinstance(before, dict) and isinstance(value, Mapping):
            merged[name] = _merge(before, value)
        else:
            merged[name] = value
    return merged
