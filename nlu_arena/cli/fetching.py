"""Weights come to this machine, or are found whole on it, with a word about it on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from nlu_arena.cli.terminal import is_screen, narrate, open_console
from nlu_arena.errors import CannotStartError
from nlu_arena.sources import FetchProgress, Report, fetch_weights, verify_weights, weights_dir
from nlu_arena.spec import ModelSpec
from nlu_arena.views.figures import format_bytes
from nlu_arena.views.text import clean

# How often a slow download says a line where there is no terminal, in seconds.
LINE_EVERY = 10.0


def fetch_all(models: Sequence[ModelSpec]) -> list[CannotStartError]:
    """Fetch the weights of every model, or repair them; one that fails does not keep the others away.

    Returns:
        what went wrong.
    """
    return _try_each(models, _fetch)


def ensure_weights(models: Sequence[ModelSpec]) -> list[CannotStartError]:
    """Fetch the weights that are not here and check every byte of those that are.

    Returns:
        what is missing or damaged.
    """
    absent = [model for model in models if weights_dir(model) is None]
    present = [model for model in models if model not in absent]
    problems = _try_each(present, lambda model, _: verify_weights(model))
    return problems + fetch_all(absent)


def title_of(model: ModelSpec) -> str:
    """Name a model with the quantisation that its weights came in."""
    return f"{model.name} ({model.quantisation})" if model.quantisation else model.name


def _try_each(
    models: Sequence[ModelSpec], get: Callable[[ModelSpec, Report], object]
) -> list[CannotStartError]:
    problems = []
    for model in models:
        try:
            with open_report() as report:
                get(model, report)
        except CannotStartError as error:
            problems.append(error)
    return problems


def _fetch(model: ModelSpec, report: Report) -> None:
    was_here = weights_dir(model) is not None
    heard: list[str] = []

    def listen(progress: FetchProgress) -> None:
        heard.append(progress.what)
        report(progress)

    if model.licence_note and not was_here:
        narrate(f"{model.name}: {clean(model.licence_note)}")
    folder = fetch_weights(model, listen)
    # Without a word about progress nothing was done.
    narrate(f"{title_of(model)}: {'was here already' if was_here and not heard else 'ready'}, in {folder}")


@contextmanager
def open_report() -> Iterator[Report]:
    """Give the listener to the progress of one model: bars on a terminal, else a line now and then."""
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
            what = f"{progress.model}: {clean(progress.what)}"
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
        narrate(f"{progress.model}: {clean(progress.what)} {size}".rstrip())
