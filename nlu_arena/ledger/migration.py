"""Opening a ledger for writing or reading: what it is, which version, and how an older one is brought up."""

from __future__ import annotations

import shlex
import sqlite3
from pathlib import Path

from nlu_arena.errors import CannotStartError, LedgerError, NothingToShowError, OlderLedgerError
from nlu_arena.ledger import schema
from nlu_arena.ledger.connection import connect, may_write, not_a_ledger, plain_errors, timestamp
from nlu_arena.paths import results_dir


def open_for_writing(path: Path) -> sqlite3.Connection:
    """Open a ledger, make it if there is none, migrate it if it is older.

    Raises:
        CannotStartError: It is newer than this program.
        LedgerError: It is something else, or cannot be written.
    """
    if path.is_dir():
        raise not_a_ledger(path)
    with plain_errors(path):
        connection = connect(path, "mode=rwc")
        try:
            version = read_version(connection, path)
            if 0 < version < len(schema.MIGRATIONS):
                back_up(connection, path, version)
            migrate(connection, version)
            configure(connection, path)
        except BaseException:
            connection.close()
            raise
    return connection


def check_readable(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse a ledger that a reader cannot show.

    Raises:
        NothingToShowError: It is empty.
        OlderLedgerError: It is older than this program.
        CannotStartError: It is newer than this program, or something else.
    """
    version = read_version(connection, path)
    if version == 0:
        raise NothingToShowError(f"the ledger {path} is empty", "`nlu-arena sweep` fills it.")
    if version < len(schema.MIGRATIONS):
        raise OlderLedgerError(
            f"the ledger {path} has version {version}, this program reads version {len(schema.MIGRATIONS)}",
            f"`{_last_command(connection, path)}` migrates it, after a backup copy, and skips what is done.",
        )


def _last_command(connection: sqlite3.Connection, path: Path) -> str:
    """Return the command of the last sweep, whose experiments the ledger has: it does the least.

    A ledger that lies elsewhere than it is looked for is named: the command would begin another one.
    """
    row = connection.execute(
        "SELECT json_extract(details, '$.command') FROM sweeps ORDER BY sweep_id DESC LIMIT 1"
    ).fetchone()
    command = str(row[0]) if row and row[0] else "nlu-arena sweep"
    if "--results" in command or path.parent.resolve() == results_dir().resolve():
        return command
    return f"{command} --results {shlex.quote(str(path.parent))}"


def read_version(connection: sqlite3.Connection, path: Path) -> int:
    """Return the version of a ledger, 0 for an empty file.

    Raises:
        CannotStartError: It is newer than this program.
        LedgerError: It is something else.
    """
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (objects,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if (application, version, objects) == (0, 0, 0):
        return 0
    if application != schema.APPLICATION_ID:
        raise not_a_ledger(path)
    if version > len(schema.MIGRATIONS):
        raise CannotStartError(
            f"the ledger {path} has version {version}, this program knows up to {len(schema.MIGRATIONS)}",
            f"Upgrade nlu-arena{_needed_release(connection, version)}, or use another folder with --results.",
        )
    return int(version)


def back_up(connection: sqlite3.Connection, path: Path, version: int) -> Path:
    """Copy a ledger beside itself before it is migrated; the copy gets its name when it is complete.

    Returns:
        the copy's path.

    Raises:
        LedgerError: There is no room, or no permission.
    """
    target = path.with_name(f"{path.name}.v{version}.bak")
    part = target.with_name(f"{target.name}.part")
    try:
        part.unlink(missing_ok=True)
        copy = sqlite3.connect(part)
        try:
            connection.backup(copy)
        finally:
            copy.close()
        part.replace(target)
    except (OSError, sqlite3.Error) as error:
        raise LedgerError(
            f"the ledger {path} must be migrated, but no backup copy could be written to {target}: {error}",
            "Free space or change the folder's permissions. The ledger was not changed.",
        ) from error
    return target


def migrate(connection: sqlite3.Connection, version: int) -> None:
    """Bring a ledger from a version to the newest, each step in one transaction with its number.

    A new one is made in a single transaction: no reader finds it half made, and takes it for an old one.
    """
    steps = [
        f"{step}\n"
        f"INSERT INTO migrations VALUES ({number}, '{program_release()}', '{timestamp()}');\n"
        f"PRAGMA application_id = {schema.APPLICATION_ID};\n"
        f"PRAGMA user_version = {number};\n"
        for number, step in enumerate(schema.MIGRATIONS[version:], version + 1)
    ]
    for work in steps if version else ["".join(steps)]:
        try:
            connection.executescript(f"BEGIN IMMEDIATE;\n{work}COMMIT;")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def configure(connection: sqlite3.Connection, path: Path) -> None:
    """Set the connection up for writing, and find out whether it can."""
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise LedgerError(
            f"the ledger {path} cannot use a write-ahead log on this file system",
            "Use a folder on a local disk with --results.",
        )
    # What is committed is in the system's hands: a killed process loses nothing. Only a power cut can take
    # the last commits, never the file's soundness, and each commit is spared a wait for the disk.
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("ROLLBACK")


def make_folder(folder: Path) -> None:
    """Make the results folder.

    Raises:
        LedgerError: It cannot be made or written, or a file is in its place.
    """
    hint = "Choose another folder with --results."
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise LedgerError(
            f"the results folder {folder} cannot be made: a file is in its place", hint
        ) from error
    except OSError as error:
        raise LedgerError(f"the results folder {folder} cannot be made: {error.strerror}", hint) from error
    if not may_write(folder):
        raise LedgerError(f"the results folder {folder} cannot be written: no permission", hint)


def program_release() -> str:
    """Return the installed release of this program, an empty text when it is not installed."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("nlu-arena")
    except PackageNotFoundError:
        return ""


def _needed_release(connection: sqlite3.Connection, version: int) -> str:
    """Return " to <release>" for the release that made a version, an empty text where that is unknown."""
    try:
        row = connection.execute("SELECT program FROM migrations WHERE version = ?", (version,)).fetchone()
    except sqlite3.OperationalError:
        # A later version may keep this elsewhere.
        return ""
    return f" to {row['program']} or later" if row and row["program"] else ""
