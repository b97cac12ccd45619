"""The one thing a screen may write: a request to the sweep that is running."""

from __future__ import annotations

from pathlib import Path

from nlu_arena.errors import NothingToShowError
from nlu_arena.ledger.connection import connect, timestamp, transaction
from nlu_arena.ledger.lock import is_held
from nlu_arena.ledger.migration import check_readable
from nlu_arena.ledger.rows import ControlAction


def request(path: Path, action: ControlAction, key: str = "") -> int:
    """Ask the running sweep to stop, or to try a failed experiment again.

    Args:
        path: The ledger.
        action: "stop" or "retry".
        key: The experiment's, for "retry".

    Returns:
        the number of the request, under which Reader.answer finds the answer.

    Raises:
        NothingToShowError: No sweep is running.
        LedgerError: The ledger cannot be written.
    """
    if not path.exists() or not is_held(path):
        raise NothingToShowError(f"no sweep is writing {path}", "Start one with `nlu-arena sweep`.")
    connection = connect(path, "mode=rw")
    try:
        check_readable(connection, path)
        with transaction(connection, path):
            number = connection.execute(
                "INSERT INTO control_requests (at, action, key) VALUES (?, ?, ?)", (timestamp(), action, key)
            ).lastrowid
    finally:
        connection.close()
    assert number is not None
    return number
