"""The folder of a run: its results, training curve, confusion matrix and errors, written from the ledger."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from nlu_arena.errors import CannotStartError, NothingToShowError
from nlu_arena.ledger.queries import Reader
from nlu_arena.ledger.rows import RunRow
from nlu_arena.notices import Failure
from nlu_arena.paths import ledger_path
from nlu_arena.replacement import replacing
from nlu_arena.report.confusion import draw_confusion
from nlu_arena.report.errors import write_errors
from nlu_arena.report.summary import summarise_curve, summarise_run
from nlu_arena.views.text import escape_json

RESULTS = "results.json"
HISTORY = "history.json"
ANALYSIS = "error_analysis"


def export_run(results: Path, run_id: int) -> None:
    """Write the folder of a finished run; what is there already is replaced, file by file.

    Args:
        results: The folder that holds the ledger and the run folders.
        run_id: The run.

    Raises:
        CannotStartError: The folder cannot be written, or the run has no result.
    """
    with Reader.open(ledger_path(results)) as reader:
        run = reader.run(run_id)
        if run.state != "done":
            raise CannotStartError(f"run {run_id} has no result to write out: it is {run.state}")
        try:
            _write(reader, run, results / run.folder)
        except OSError as error:
            raise CannotStartError(
                f"{results / run.folder} cannot be written: {error.strerror}",
                "Its result is in the ledger: free space, and the next sweep writes the folder.",
            ) from error


def rebuild_missing(results: Path) -> list[Failure]:
    """Write the folders of finished runs that have no results.json.

    Returns:
        the runs whose folders could not be written.
    """
    try:
        with Reader.open(ledger_path(results)) as reader:
            done = [run for run in reader.changed_since(0) if run.state == "done"]
    except NothingToShowError:
        return []
    failures = []
    for run in done:
        if (results / run.folder / RESULTS).exists():
            continue
        try:
            export_run(results, run.run_id)
        except Exception as error:  # whatever it is: the other folders and the summary come all the same
            failures.append(Failure.of(run.key, run.experiment.title, error))
    return failures


def file_prefix(run: RunRow) -> str:
    """Return what the analysis files begin with: the family name in the model's slug ("bert", "qwen2")."""
    return run.experiment.model.slug.split("_")[0]


def _write(reader: Reader, run: RunRow, folder: Path) -> None:
    analysis, prefix = folder / ANALYSIS, file_prefix(run)
    analysis.mkdir(parents=True, exist_ok=True)
    if points := reader.metric_points(run.run_id):
        with replacing(folder / HISTORY) as file:
            file.write_bytes(_encode(summarise_curve(run, points)))
    splits = reader.splits(run.run_id)
    answers = {row.split: reader.predictions(run.run_id, row.split) for row in splits}
    examples = {row.split: reader.examples(row.fingerprint, row.split) for row in splits}
    with replacing(analysis / f"{prefix}_confusion_matrix.png") as file:
        draw_confusion(run, answers, file)
    with replacing(analysis / f"{prefix}_errors.csv") as file:
        write_errors(run.experiment.task, examples, answers, file)
    # The last one: a folder with it is complete.
    with replacing(folder / RESULTS) as file:
        file.write_bytes(_encode(summarise_run(reader, run)))


def _encode(document: dict[str, Any]) -> bytes:
    text = msgspec.json.format(msgspec.json.encode(document), indent=2).decode()
    return f"{escape_json(text)}\n".encode()
