"""One file, one run: everything that is settled before the work, and the work."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, NamedTuple

from nlu_arena.events import Open
from nlu_arena.lane import Patience
from nlu_arena.ledger.queries import Reader
from nlu_arena.ledger.rows import RunRow
from nlu_arena.paths import ledger_path
from nlu_arena.predicting.answers import make_records, name_answers
from nlu_arena.predicting.dialogue import label_chunks
from nlu_arena.predicting.expectation import expect_rate
from nlu_arena.predicting.opening import prepare_opening
from nlu_arena.predicting.runs import find_run, locate_run, mean_characters
from nlu_arena.predicting.texts import Survey, TextColumns, choose_columns, read_chunks, take_survey
from nlu_arena.predicting.writers import open_writer
from nlu_arena.workers import Worker


class Job(NamedTuple):
    """What is to be labelled by what: every row has been looked at, every part of the model found.

    `answers` names the new columns by what they are; `rate` is the number of texts a second to expect,
    None where nobody knows.
    """

    run: RunRow
    opening: Open
    source: Path
    columns: TextColumns
    survey: Survey
    answers: dict[str, str]
    rate: float | None

    @property
    def labels(self) -> tuple[str, ...]:
        """Return the labels in the order of their ids."""
        return self.run.experiment.task.labels


def prepare_job(
    results: Path, wanted: str, source: Path, text: str | None, pair: str | None, device_kind: str
) -> Job:
    """Find the run and look at the whole file.

    Args:
        results: The results folder, unless `wanted` is the path of a run's folder.
        wanted: The run's number, folder, model/task/mode or key.
        source: The file to label.
        text: The column of the texts, none for the usual one.
        pair: The column of the second texts.
        device_kind: Where it will be labelled.

    Raises:
        NothingToShowError: There is no ledger, or no run in it.
        UsageError: No run has this name, or the file does not fit.
        CannotStartError: The run is not finished, or something of its model is not here.
    """
    results, wanted = locate_run(results, wanted)
    with Reader.open(ledger_path(results)) as reader:
        run = find_run(reader, wanted)
        dev_characters = mean_characters(reader, run.run_id)
    columns = choose_columns(source, run.experiment, text, pair)
    opening = prepare_opening(results, run)
    survey = take_survey(source, columns)
    return Job(
        run=run,
        opening=opening,
        source=source,
        columns=columns,
        survey=survey,
        answers=name_answers(survey.types, run.experiment.task.labels),
        rate=expect_rate(run, dev_characters, survey, device_kind),
    )


def write_labelled(
    job: Job, worker: Worker, target: BinaryIO, ending: str, advance: Callable[[int], None]
) -> int:
    """Label the whole file with a worker whose model is open, and write its rows as they come.

    Args:
        job: The file and the run.
        worker: Has loaded the run's model.
        target: Takes the bytes.
        ending: ".csv", ".jsonl" or ".parquet".
        advance: Hears how many texts more are labelled and written.

    Returns:
        how many texts were longer than the model reads, and were cut.

    Raises:
        RunError: The worker has failed or died.
        OSError: The rows cannot be written.
    """
    given = [*job.survey.types]
    label, *shares = job.answers.values()
    types = job.survey.types | {label: {str}} | {name: {float} for name in shares}
    chunks = read_chunks(job.source, job.columns)
    shortened = 0
    with open_writer(ending, target, types, job.source) as write:
        for chunk, answers in label_chunks(worker, chunks, Patience()):
            write(make_records(chunk, answers.scores, given, job.labels))
            advance(len(chunk.examples))
            shortened += answers.shortened
    return shortened
