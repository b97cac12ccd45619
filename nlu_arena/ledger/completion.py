"""The end of a run: every example answered once, the answers packed, metrics and alarms found in them."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from nlu_arena.alarms import Alarms, find_alarms
from nlu_arena.errors import RunError
from nlu_arena.ledger.codec import pack_answers
from nlu_arena.ledger.recording import Changes, merged_facts, read_rows
from nlu_arena.ledger.rows import RunEnd
from nlu_arena.metrics import Metrics, compute_metrics, label_probability
from nlu_arena.spec import Prediction


class Completion(NamedTuple):
    """How good the answers of a complete run are, and the columns of its row that say so."""

    end: RunEnd
    changes: Changes


def complete_run(connection: sqlite3.Connection, run_id: int, labels: Sequence[str]) -> Completion:
    """Check and pack the answers of a run and measure them; its prediction rows go.

    Raises:
        RunError: An example has no answer, or an answer belongs to no example.
    """
    splits = connection.execute(
        "SELECT run_splits.split, set_id FROM run_splits WHERE run_id = ? ORDER BY position", (run_id,)
    ).fetchall()
    if not splits:
        raise RunError("the run has announced no dev split")
    by_split: dict[str, Metrics] = {}
    calibrated: dict[str, Metrics] = {}
    alarms: dict[str, Alarms] = {}
    ties = 0
    for split, set_id in splits:
        answers = read_rows(connection, run_id, split)
        _check_complete(connection, set_id, split, answers, labels)
        by_split[split] = measure(answers, len(labels), split)
        if answers[0].calibrated is not None:
            calibrated[split] = measure([as_calibrated(answer) for answer in answers], len(labels), split)
        alarms[split] = find_alarms(answers, by_split[split], labels, split)
        ties += sum(answer.tied for answer in answers)
        _pack(connection, run_id, split, answers)
    connection.execute("DELETE FROM predictions WHERE run_id = ?", (run_id,))
    metrics = next(iter(by_split.values()))
    changes: Changes = {
        "facts": merged_facts(connection, run_id, {"ties": ties, "alarms": alarms}),
        "by_split": msgspec.json.encode(by_split).decode(),
        "calibrated": msgspec.json.encode(calibrated).decode(),
    }
    for name in ("accuracy", "macro_f1", "mcc", "ece", "majority", "n"):
        changes[name] = getattr(metrics, name)
    return Completion(RunEnd(metrics, alarms), changes)


def measure(answers: Sequence[Prediction], n_labels: int, split: str) -> Metrics:
    """Compute the metrics of one split's answers.

    Raises:
        RunError: A label id is not one of the task's, or a number of scores is wrong.
    """
    if any(len(answer.scores) != n_labels for answer in answers):
        raise RunError(f"an answer of split {split!r} does not have a score for each of {n_labels} labels")
    try:
        return compute_metrics(
            [answer.gold for answer in answers],
            [answer.predicted for answer in answers],
            [label_probability(answer.scores, answer.predicted) for answer in answers],
            n_labels,
        )
    except (ValueError, IndexError) as error:
        raise RunError(f"the answers of split {split!r} cannot be measured: {error}") from error


def as_calibrated(answer: Prediction) -> Prediction:
    """Return the answer that the calibrated scores give: their largest, the first of equal ones."""
    scores = answer.calibrated or answer.scores
    return Prediction(answer.index, answer.gold, scores.index(max(scores)), scores)


def _check_complete(
    connection: sqlite3.Connection,
    set_id: int,
    split: str,
    answers: Sequence[Prediction],
    labels: Sequence[str],
) -> None:
    """Compare a split's answers with its examples: the same places and the same gold labels, by name."""
    rows = connection.execute("SELECT idx, label FROM examples WHERE set_id = ?", (set_id,)).fetchall()
    stored, given = dict(enumerate(_stored_labels(connection, set_id))), dict(enumerate(labels))
    gold = {row["idx"]: stored.get(row["label"]) for row in rows}
    answered = {answer.index: given.get(answer.gold, "") for answer in answers}
    missing = len(gold.keys() - answered.keys())
    if missing or not gold:
        raise RunError(f"{missing} of {len(gold)} examples of split {split!r} have no answer")
    surplus = answered.keys() - gold.keys()
    if surplus:
        raise RunError(f"split {split!r} has {len(gold)} examples, an answer is for number {min(surplus)}")
    wrong = [index for index in gold if gold[index] != answered[index]]
    if wrong:
        raise RunError(
            f"{len(wrong)} answers of split {split!r} carry another gold label than their examples"
        )


def _stored_labels(connection: sqlite3.Connection, set_id: int) -> list[str]:
    """Return the labels of the task as the examples number them: those of the first run that brought them.

    A later run of the same examples can number them in another way, as when its task has one more label.
    """
    (labels,) = connection.execute(
        "SELECT json_extract(definition, '$.task.labels') FROM run_splits JOIN runs USING (run_id)"
        " JOIN experiments USING (experiment_id) WHERE set_id = ? ORDER BY run_id LIMIT 1",
        (set_id,),
    ).fetchone()
    return msgspec.json.decode(labels, type=list[str])


def _pack(connection: sqlite3.Connection, run_id: int, split: str, answers: Sequence[Prediction]) -> None:
    try:
        blob = pack_answers(answers)
    except ValueError as error:
        raise RunError(f"split {split!r}: {error}") from error
    connection.execute(
        "UPDATE run_splits SET answers = ? WHERE run_id = ? AND split = ?", (blob, run_id, split)
    )
