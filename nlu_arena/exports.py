"""The writing-out of finished runs, in the background of the next experiment."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from nlu_arena.notices import Failure
from nlu_arena.spec import Experiment


class Exports:
    """Calls one function for each finished run, one after the other, and keeps what goes wrong."""

    def __init__(self, export: Callable[[int], None] | None) -> None:
        self._export = export
        self._pending: list[tuple[Experiment, Future[None]]] = []
        # The pool starts its thread with the first export.
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="exports")

    def begin(self, experiment: Experiment, run_id: int) -> None:
        """Export a run as soon as the earlier ones are written."""
        if self._export is not None:
            self._pending.append((experiment, self._pool.submit(self._export, run_id)))

    def join(self) -> tuple[Failure, ...]:
        """Wait for all exports.

        Returns:
            those that failed.
        """
        self._pool.shutdown()
        errors = [(experiment, future.exception()) for experiment, future in self._pending]
        return tuple(
            Failure.of(experiment.key, experiment.title, error)
            for experiment, error in errors
            if error is not None
        )
