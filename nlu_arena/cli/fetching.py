"""Weights and data come to this machine, or are found whole on it, with a word about it on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

from nlu_arena.cli.terminal import is_screen, narrate, open_console
from nlu_arena.dataref import data_table
from nlu_arena.errors import CannotStartError
from nlu_arena.plan import Subject
from nlu_arena.sources import FetchProgress, Report, fetch_weights, hub_data, verify_weights, weights_dir
from nlu_arena.spec import DataRef, Experiment, HubData, ModelSpec, TaskSpec
from nlu_arena.views.figures import format_bytes
from nlu_arena.views.text import clean

# How often a slow download says a line where there is no terminal, in seconds.
LINE_EVERY = 10.0


class Parcel(NamedTuple):
    """What one model or task needs to have on this machine: how it is found, checked and fetched.

    `terms` are shown before it is fetched for the first time.
    """

    subject: Subject
    title: str
    find: Callable[[], Path | None]
    verify: Callable[[], Path]
    fetch: Callable[[Report], Path]
    terms: str = ""


def weights_of(model: ModelSpec) -> Parcel:
    """Return the weights of a model, named with the quantisation that they came in."""
    title = f"{model.name} ({model.quantisation})" if model.quantisation else model.name
    terms = f"{model.name}: {model.licence_note}" if model.licence_note else ""
    return Parcel(
        Subject("model", model.name),
        title,
        lambda: weights_dir(model),
        lambda: verify_weights(model),
        lambda report: fetch_weights(model, report),
        terms,
    )


def data_of(task: TaskSpec, table: HubData) -> Parcel:
    """Return the data of a task on the hub."""
    return Parcel(
        Subject("task", task.name),
        task.name,
        partial(hub_data.data_dir, task, table),
        partial(hub_data.verify_data, task, table),
        partial(hub_data.fetch_data, task, table),
    )


def data_from_hub(tasks: Iterable[tuple[TaskSpec, DataRef]]) -> list[Parcel]:
    """Return the data of those tasks that are read from the hub."""
    tables = [(task, data_table(task, ref.source)) for task, ref in tasks]
    return [data_of(task, table) for task, table in tables if isinstance(table, HubData)]


def parcels_of(plan: Iterable[Experiment]) -> list[Parcel]:
    """Return what experiments need, the small things first: data, then weights."""
    experiments = list(plan)
    tasks = {e.task.name: (e.task, e.data) for e in experiments}
    models = {e.model.name: e.model for e in experiments}
    return [*data_from_hub(tasks.values()), *map(weights_of, models.values())]


def fetch_all(parcels: Sequence[Parcel]) -> list[CannotStartError]:
    """Fetch everything, or repair it; what fails does not keep the others away.

    Returns:
        what went wrong.
    """
    return [error for parcel in parcels if (error := _try(_fetch, parcel)) is not None]


def ensure(parcels: Sequence[Parcel]) -> dict[Subject, CannotStartError]:
    """Fetch what is not here and check every byte of what is.

    Returns:
        what is missing or damaged.
    """
    absent = [parcel for parcel in parcels if parcel.find() is None]
    present = [parcel for parcel in parcels if parcel not in absent]
    found = [(parcel, _try(lambda parcel, _: parcel.verify(), parcel)) for parcel in present]
    found += [(parcel, _try(_fetch, parcel)) for parcel in absent]
    return {parcel.subject: error for parcel, error in found if error is not None}


def _try(get: Callable[[Parcel, Report], object], parcel: Parcel) -> CannotStartError | None:
    try:
        with open_report() as report:
            get(parcel, report)
    except CannotStartError as error:
        return error
    return None


def _fetch(parcel: Parcel, report: Report) -> None:
    was_here = parcel.find() is not None
    heard: list[str] = []

    def listen(progress: FetchProgress) -> None:
        heard.append(progress.what)
        report(progress)

    if parcel.terms and not was_here:
        narrate(clean(parcel.terms))
    folder = parcel.fetch(listen)
    # Without a word about progress nothing was done.
    narrate(f"{parcel.title}: {'was here already' if was_here and not heard else 'ready'}, in {folder}")


@contextmanager
def open_report() -> Iterator[Report]:
    """Give the listener to the progress of one fetch: bars on a terminal, else a line now and then."""
    if not is_screen(sys.stderr):
        yield _Lines().report
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        DownloadColumn(binary_units=True),
        TimeRemainingColumn(compact=True),
    )
    with Progress(*columns, console=open_console(sys.stderr), transient=True) as bars:
        tasks: dict[str, int] = {}

        def report(progress: FetchProgress) -> None:
            what = f"{progress.owner}: {clean(progress.what)}"
            if what not in tasks:
                tasks[what] = int(bars.add_task(what, total=progress.total))
            bars.update(tasks[what], total=progress.total, completed=progress.done)  # type: ignore[arg-type]

        yield report


class _Lines:
    """One line for each new step, and one every ten seconds of a long one."""

    def __init__(self) -> None:
        self._what = ""
        self._said_at = 0.0

    def report(self, progress: FetchProgress) -> None:
        now = time.monotonic()
        is_new = progress.what != self._what
        if not is_new and now - self._said_at < LINE_EVERY:
            return
        self._what, self._said_at = progress.what, now
        size = format_bytes(progress.total) if progress.total else ""
        if not is_new and progress.done:
            size = f"{format_bytes(progress.done)} of {size}" if size else format_bytes(progress.done)
        narrate(f"{progress.owner}: {clean(progress.what)} {size}".rstrip())
