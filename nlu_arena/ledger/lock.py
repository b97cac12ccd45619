"""The lock that makes a second writer of one ledger impossible; the system frees it when its holder dies."""

from __future__ import annotations

import fcntl
import os
import shlex
import socket
import sys
import time
from pathlib import Path

import msgspec

from nlu_arena.errors import CannotStartError, LedgerError
from nlu_arena.ledger.connection import timestamp

# A reader that asks whether the lock is held takes it for an instant, so a writer asks more than once.
TRIES = 10
PAUSE = 0.05


class Holder(msgspec.Struct, frozen=True):
    """Who holds the lock, and since when (ISO 8601, UTC)."""

    pid: int
    host: str
    command: str
    since: str


class WriterLock:
    """The lock on one ledger, held from `acquire` until `release` or the end of the process."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def acquire(cls, ledger: Path) -> WriterLock:
        """Take the lock of a ledger and write down who holds it.

        Raises:
            CannotStartError: Another process holds it.
            LedgerError: The lock file cannot be written.
        """
        path = lock_path(ledger)
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise unusable(path, error) from error
        lock = cls(descriptor)
        try:
            if not lock._try_to_take():
                raise held_by_another(ledger)
            lock._sign()
        except OSError as error:
            lock.release()
            raise unusable(path, error) from error
        except CannotStartError:
            lock.release()
            raise
        return lock

    def release(self) -> None:
        """Let go of the lock; may be repeated."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _try_to_take(self) -> bool:
        for turn in range(TRIES):
            if turn:
                time.sleep(PAUSE)
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            return True
        return False

    def _sign(self) -> None:
        command = shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])
        holder = Holder(os.getpid(), socket.gethostname(), command, timestamp())
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, msgspec.json.encode(holder), 0)


def lock_path(ledger: Path) -> Path:
    """Return the lock file beside a ledger."""
    return ledger.with_suffix(".lock")


def is_held(ledger: Path) -> bool:
    """Say whether a living process writes the ledger, without creating or changing anything.

    A lock that is missing, or that the file system does not have, holds nobody up: it counts as free.
    """
    try:
        descriptor = os.open(lock_path(ledger), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        # Shared, so that readers do not hinder each other.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return False


def read_holder(ledger: Path) -> Holder | None:
    """Return who holds, or last held, the lock; None where that cannot be read."""
    try:
        return msgspec.json.decode(lock_path(ledger).read_bytes(), type=Holder)
    except (OSError, msgspec.DecodeError):
        return None


def held_by_another(ledger: Path) -> CannotStartError:
    """Return the error for a ledger that another process writes."""
    holder = read_holder(ledger)
    who = "another process"
    if holder is not None:
        who = f"process {holder.pid} on {holder.host} since {holder.since} ({holder.command})"
    return CannotStartError(
        f"a sweep is already writing {ledger}: {who}",
        "Wait for it, follow it with `nlu-arena status --watch`, or use another folder with --results.",
    )


def unusable(path: Path, error: OSError) -> LedgerError:
    """Return the error for a lock file that cannot be made, written or locked."""
    return LedgerError(
        f"cannot write in the results folder {path.parent}: {error.strerror} ({path.name})",
        "Choose another folder with --results, or change its permissions or free space.",
    )
