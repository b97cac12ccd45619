"""`nlu-arena predict`: label a file of texts with a finished run's model."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nlu_arena.cli.options import Device, Results
from nlu_arena.cli.terminal import is_screen, narrate, open_console, survive_closed_streams
from nlu_arena.errors import ExitCode

if TYPE_CHECKING:
    from nlu_arena.predicting.job import Job
    from nlu_arena.workers import Worker

# How often a line says how far it is where there is no terminal, in seconds.
LINE_EVERY = 10.0


def predict(
    run: Annotated[
        str,
        typer.Argument(
            metavar="RUN",
            help="A run's number, its folder, model/task/mode (the newest finished run), or the beginning of"
            " an experiment's key.",
            show_default=False,
        ),
    ],
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="The texts: .csv, .tsv, .jsonl or .parquet.", show_default=False),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            metavar="FILE",
            help="Where the labelled rows go: .csv, .jsonl or .parquet. (default: CSV to stdout, if piped)",
            show_default=False,
        ),
    ] = None,
    text: Annotated[
        str | None,
        typer.Option(
            "--text", metavar="COLUMN", help='The column of the texts. (default: as in the task, or "text")'
        ),
    ] = None,
    text_pair: Annotated[
        str | None,
        typer.Option(
            "--text-pair",
            metavar="COLUMN",
            help='The column of the second texts. (default: as in the task, or "pair")',
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the output if it is there.")] = False,
    device: Device = None,
    results: Results = None,
) -> None:
    """Label a file of texts with a finished run's model.

    Every column is kept; label, probability and p(<label>) for each label are added.
    """
    survive_closed_streams()
    from nlu_arena import paths
    from nlu_arena.cli.devices import choose_devices
    from nlu_arena.cli.interruption import Interruption
    from nlu_arena.predicting.job import prepare_job
    from nlu_arena.predicting.output import check_output

    with Interruption():
        check_output(output, file, force)
        (chosen,) = choose_devices(device, jobs=1)
        job = prepare_job(paths.results_dir(results), run, file, text, text_pair, chosen.kind)
        _announce(job)
        worker = make_worker(chosen.name)
        try:
            _label(job, worker, output)
        except BrokenPipeError:
            # Whoever read the rows has seen enough; flushing notes that the stream leads nowhere now.
            sys.stdout.flush()
            raise typer.Exit(ExitCode.FAILED) from None
        finally:
            # At once: it has nothing to keep, and no worker outlives its command.
            worker.stop(grace=0)


def make_worker(device: str) -> Worker:
    """Return the worker process of a device, not yet started."""
    from nlu_arena.workers import ProcessWorker

    return ProcessWorker(device)


def _announce(job: Job) -> None:
    """Say what will label, what must be known of it, and how long it will take."""
    from nlu_arena.datafile import note_reading
    from nlu_arena.predicting.runs import name_run
    from nlu_arena.views.figures import format_count, format_estimate
    from nlu_arena.views.text import clean

    columns = " and ".join(repr(name) for name in job.columns if name is not None)
    narrate(clean(f"{name_run(job.run)} labels {job.source}, texts from {columns}"))
    alarms = (text for by_name in job.run.alarms.values() for text in by_name.values())
    for warning in (*job.run.warnings, *alarms):
        narrate(f"warning: about this run: {clean(warning)}")
    for name, given in job.answers.items():
        if name != given:
            narrate(clean(f"note: there is a column {name!r} already: the new one is {given!r}"))
    if reading := note_reading(job.source):
        narrate(clean(f"note: {job.source}: {reading}"))
    survey = job.survey
    if survey.empty:
        rows = f"{format_count(survey.empty, 'row')} without a text (the first is row {survey.first_empty:,})"
        narrate(f"warning: {rows}: label and probabilities stay empty there")
    expected = "not known: the run was not timed on this kind of device"
    if job.rate is not None:
        seconds = survey.texts / job.rate
        expected = f"{_describe_rate(job.rate)}, {format_estimate(seconds)} once the model is loaded"
    narrate(f"{format_count(survey.texts, 'text')}; expected: {expected}")


def _label(job: Job, worker: Worker, output: Path | None) -> None:
    """Do the work, show how far it is, and say what was measured."""
    from nlu_arena.lane import Patience
    from nlu_arena.predicting.dialogue import open_model
    from nlu_arena.predicting.job import write_labelled
    from nlu_arena.predicting.output import open_output
    from nlu_arena.views.figures import format_count, format_seconds

    texts, ending = job.survey.texts, output.suffix.lower() if output else ".csv"
    with open_output(output) as target, _open_progress(texts) as advance:
        open_model(worker, job.opening, Patience())
        began = time.perf_counter()
        shortened = write_labelled(job, worker, target, ending, advance)
        seconds = time.perf_counter() - began
    if shortened:
        narrate(f"warning: {format_count(shortened, 'text')} had more than the model reads and lost the end")
    where = f" into {output}" if output else ""
    measured = f"{format_seconds(seconds)}: {_describe_rate(texts / seconds)}"
    narrate(f"labelled {format_count(texts, 'text')}{where} in {measured}")


def _describe_rate(rate: float) -> str:
    return f"{rate:,.0f} texts a second" if rate >= 9.95 else f"{rate:.1f} texts a second"


@contextmanager
def _open_progress(total: int) -> Iterator[Callable[[int], None]]:
    """Give what hears of labelled texts: a bar on a terminal, else a line now and then."""
    if not is_screen(sys.stderr):
        yield _Lines(total).advance
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("labelling"), BarColumn(bar_width=20), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=open_console(sys.stderr), transient=True) as bars:
        bar = bars.add_task("", total=total)
        yield lambda count: bars.advance(bar, count)


class _Lines:
    """One line every ten seconds, from the first answers on."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._done = 0
        self._said_at: float | None = None

    def advance(self, count: int) -> None:
        now = time.monotonic()
        self._done += count
        self._said_at = self._said_at or now
        if self._done < self._total and now - self._said_at >= LINE_EVERY:
            self._said_at = now
            narrate(f"{self._done:,} of {self._total:,} texts")
