"""What can go wrong, said to a person: what, why and what to do next; and the exit codes."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """The exit codes of every command; scripts rely on them."""

    OK = 0
    FAILED = 1
    USAGE = 2
    CANNOT_START = 3
    NOTHING_TO_SHOW = 4
    PENDING = 8
    INTERRUPTED = 130
    TERMINATED = 143


class ArenaError(Exception):
    """An error that a person can act on: shown without a traceback, ends with its exit code."""

    exit_code = ExitCode.FAILED

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(ArenaError):
    """What was asked for does not exist or does not fit together."""

    exit_code = ExitCode.USAGE


class CannotStartError(ArenaError):
    """The work is well defined, but this machine cannot begin it: weights, disk, lock, ledger."""

    exit_code = ExitCode.CANNOT_START


class LedgerError(CannotStartError):
    """The ledger cannot be opened or written: a full disk, a folder without permission, damage."""


class NothingToShowError(ArenaError):
    """A reading command found no ledger, no sweep or no run to show."""

    exit_code = ExitCode.NOTHING_TO_SHOW


class OlderLedgerError(NothingToShowError):
    """The ledger has results of an earlier version, which are not seen before it is migrated."""


class RunError(ArenaError):
    """One run failed for a reason in its own work: a non-finite loss, data that do not fit, no memory."""
