"""Connections to a ledger's file, transactions on it, and SQLite's errors in plain words."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from nlu_arena.errors import LedgerError

# How long a write waits for a screen that adds its row to the control table, in seconds.
BUSY_SECONDS = 30.0

KEPT = "Everything committed so far is kept; the next sweep continues there."
# What SQLite's result codes mean, and what to do.
MEANINGS = {
    sqlite3.SQLITE_FULL: ("cannot be written: the disk is full", f"Free space. {KEPT}"),
    sqlite3.SQLITE_READONLY: (
        "cannot be written: it is read-only",
        "Make the file and its folder writable, or use another folder with --results.",
    ),
    sqlite3.SQLITE_BUSY: (
        f"has been locked by another program for more than {BUSY_SECONDS:.0f} s",
        f"Close what has it open for writing, such as an SQL shell. {KEPT}",
    ),
    sqlite3.SQLITE_IOERR: (
        "cannot be read or written: {error}",
        f"Check the disk and its free space. {KEPT}",
    ),
    sqlite3.SQLITE_CANTOPEN: (
        "cannot be opened: {error}",
        "Check that it is a file and that you may read and write it, or use another folder with --results.",
    ),
    sqlite3.SQLITE_CORRUPT: (
        "is damaged: {error}",
        "Move it away and start again; `sqlite3 FILE .recover` saves what can be read.",
    ),
}


def timestamp() -> str:
    """Return the time now as ISO 8601 text in UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def may_write(folder: Path) -> bool:
    """Say whether this process may create files in a folder."""
    return os.access(folder, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids)


def connect(path: Path, parameters: str, patience: float = BUSY_SECONDS) -> sqlite3.Connection:
    """Open a connection in autocommit mode with rows that know their column names.

    Args:
        path: The ledger's file.
        parameters: SQLite's URI parameters, as in "mode=ro".
        patience: How many seconds to wait for a lock that another program holds.
    """
    uri = f"{path.absolute().as_uri()}?{parameters}"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=patience)
    connection.row_factory = sqlite3.Row
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection, path: Path) -> Iterator[sqlite3.Connection]:
    """Commit what is written inside, all or nothing.

    Raises:
        LedgerError: The file could not be written; nothing of the transaction is kept.
    """
    with plain_errors(path):
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            # SQLite has already rolled back after some errors, such as a full disk.
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


@contextmanager
def plain_errors(path: Path) -> Iterator[None]:
    """Turn errors of the file into LedgerError; what is wrong in a statement stays SQLite's error."""
    try:
        yield
    except sqlite3.Error as error:
        explained = explain(error, path)
        if explained is None:
            raise
        raise explained from error


def explain(error: sqlite3.Error, path: Path) -> LedgerError | None:
    """Return what an error of SQLite means for a person, None when it is an error of the program."""
    code = primary_code(error)
    if code == sqlite3.SQLITE_NOTADB:
        return not_a_ledger(path)
    if code not in MEANINGS:
        return None
    what, hint = MEANINGS[code]
    return LedgerError(f"the ledger {path} {what.format(error=error)}", hint)


def primary_code(error: sqlite3.Error) -> int | None:
    """Return SQLite's primary result code, None for an error of the Python module."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def not_a_ledger(path: Path) -> LedgerError:
    """Return the error for a file that is something else."""
    return LedgerError(
        f"{path} is not a ledger of nlu-arena",
        "Nothing in it was changed. Move it away, or use another folder with --results.",
    )
