"""What passes between a sweep and whoever started it: its events, its outcome, the wish to stop."""

from __future__ import annotations

from typing import Any, Literal, Protocol

import msgspec

from nlu_arena.errors import ArenaError, ExitCode

SweepEventName = Literal[
    "sweep_started",
    "run_started",
    "phase",
    "progress",
    "note",
    "run_finished",
    "run_failed",
    "sweep_finished",
]


class SweepEvent(msgspec.Struct, frozen=True):
    """Something that happened in a sweep. Every run_started is followed by one run_finished or run_failed.

    `at` is in seconds since 1970; `key` and `title` are the experiment's, empty for the sweep's own
    events. A note is what is worth knowing while a run goes on (`text`). A run_failed says in its fields
    whether the run "failed" or was "interrupted" (`state`), and whether the experiment is tried again
    (`retry`).
    """

    event: SweepEventName
    at: float
    key: str
    title: str
    fields: dict[str, Any]


class Observer(Protocol):
    """Shows a sweep as it happens: a live table, plain lines or JSON lines."""

    def notify(self, event: SweepEvent) -> None:
        """Take the next event; called in the scheduler's thread, so it must be quick."""


class Failure(msgspec.Struct, frozen=True):
    """An experiment that has no result, or whose result could not be written out, and why."""

    key: str
    title: str
    message: str
    hint: str = ""

    @classmethod
    def of(cls, key: str, title: str, error: BaseException) -> Failure:
        """Return what an error means for an experiment: in its own words where they are for people."""
        if isinstance(error, ArenaError):
            return cls(key, title, error.message, error.hint)
        return cls(key, title, f"{type(error).__name__}: {error}")


class SweepOutcome(msgspec.Struct, frozen=True):
    """How a sweep ended: each experiment of the plan is counted once.

    `waiting` experiments were not begun, because the sweep was stopped. `export_failures` are finished
    runs whose folders could not be written: their results are in the ledger.
    """

    sweep: int
    done: int
    skipped: int
    failed: int
    interrupted: int
    waiting: int
    failures: tuple[Failure, ...] = ()
    export_failures: tuple[Failure, ...] = ()

    @property
    def state(self) -> Literal["done", "failed", "interrupted"]:
        """Return the sweep's state for the ledger."""
        if self.interrupted or self.waiting:
            return "interrupted"
        return "failed" if self.failed else "done"

    @property
    def exit_code(self) -> ExitCode:
        """Return what the command exits with: 130 when stopped, 1 when anything failed, else 0."""
        if self.state == "interrupted":
            return ExitCode.INTERRUPTED
        return ExitCode.FAILED if self.failed or self.export_failures else ExitCode.OK


class Cancel:
    """The wish to stop a sweep: once to stop cleanly, twice to stop now.

    It may be expressed from a signal handler or any thread: appending to a list takes no lock, which a
    handler could find held by the very code that it interrupts.
    """

    def __init__(self) -> None:
        self._requests: list[None] = []

    def request(self) -> None:
        """Ask once more."""
        self._requests.append(None)

    @property
    def requested(self) -> bool:
        """Say whether the sweep shall stop."""
        return bool(self._requests)

    @property
    def now(self) -> bool:
        """Say whether it shall not wait for the current batches."""
        return len(self._requests) > 1
