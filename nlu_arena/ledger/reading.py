"""Opening a ledger for reading, also where its folder cannot be written."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from nlu_arena.errors import LedgerError, NothingToShowError
from nlu_arena.ledger.connection import (
    BUSY_SECONDS,
    connect,
    may_write,
    not_a_ledger,
    plain_errors,
    primary_code,
)
from nlu_arena.ledger.migration import check_readable

if TYPE_CHECKING:
    from tempfile import TemporaryDirectory


class Opened(NamedTuple):
    """A connection for reading; without `live` it shows the ledger as it was when it was opened.

    `snapshot` is the folder of a copy that the connection reads.
    """

    connection: sqlite3.Connection
    live: bool
    snapshot: TemporaryDirectory[str] | None = None

    def close(self) -> None:
        """Close the connection and remove the copy."""
        self.connection.close()
        if self.snapshot is not None:
            self.snapshot.cleanup()


def open_for_reading(path: Path, patience: float = BUSY_SECONDS) -> Opened:
    """Open a ledger for reading; nothing is created, changed or locked.

    Args:
        path: The ledger.
        patience: How many seconds each reading may wait for a lock that another program holds.

    Raises:
        NothingToShowError: There is none, or it is empty or older than this program.
        CannotStartError: It is newer than this program, or something else.
    """
    try:
        exists = path.exists()
    except OSError as error:
        raise LedgerError(f"the ledger {path} cannot be read: {error.strerror}") from error
    if not exists:
        raise NothingToShowError(
            f"there is no ledger {path}",
            "`nlu-arena sweep --profile quick` makes one; --results names another folder.",
        )
    if path.is_dir():
        raise not_a_ledger(path)
    with plain_errors(path):
        opened = _open(path, patience)
        try:
            check_readable(opened.connection, path)
        except BaseException:
            opened.close()
            raise
    return opened


def _open(path: Path, patience: float) -> Opened:
    connection = connect(path, "mode=ro", patience)
    try:
        connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
    except sqlite3.OperationalError as error:
        connection.close()
        # A reader of a write-ahead log shares memory through a file beside it, here impossible.
        lacks_file = primary_code(error) in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)
        if not lacks_file or may_write(path.parent):
            raise
    except BaseException:
        connection.close()
        raise
    else:
        return Opened(connection, live=True)
    log = path.with_name(f"{path.name}-wal")
    if not log.exists() or not log.stat().st_size:
        return Opened(connect(path, "mode=ro&immutable=1"), live=False)
    return _copy(path, log)


def _copy(path: Path, log: Path) -> Opened:
    """Read a copy: the newest answers are in the log alone, where readers of immutable files do not look."""
    import shutil
    from tempfile import TemporaryDirectory

    folder = TemporaryDirectory(prefix="nlu-arena-")
    for file in (path, log):
        shutil.copy(file, folder.name)
    return Opened(connect(Path(folder.name) / path.name, "mode=ro"), live=False, snapshot=folder)
