"""A disk, a folder or a file that cannot be used: one clear error each, and nothing is lost."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from nlu_arena.errors import CannotStartError, ExitCode, LedgerError
from nlu_arena.ledger import connection as ledger_connection
from nlu_arena.ledger.lock import is_held
from nlu_arena.ledger.queries import Reader
from nlu_arena.ledger.store import Store
from tests.ledger.sweeps import answers, complete, example_set, make_experiment, start, without_privileges


def fill_the_disk(store: Store) -> None:
    """Let the file grow no further: SQLite then says what it says on a full disk."""
    store._connection.execute("PRAGMA max_page_count = 1")


def free_the_disk(store: Store) -> None:
    store._connection.execute("PRAGMA max_page_count = 1000000")


def test_a_full_disk_stops_the_writing_and_keeps_what_is_committed(ledger: Path) -> None:
    with Store.open(ledger) as store, Reader.open(ledger) as reader:
        done = complete(store, make_experiment("done"))
        run = start(store)
        store.record(run.run_id, example_set(2000))
        store.record(run.run_id, answers(*range(5)))
        fill_the_disk(store)
        with pytest.raises(LedgerError) as caught:
            store.record(run.run_id, answers(*range(5, 2000)))
        assert caught.value.exit_code == ExitCode.CANNOT_START
        assert "the disk is full" in caught.value.message
        assert "Free space" in caught.value.hint
        assert len(reader.predictions(run.run_id, "dev")) == 5
        assert len(reader.predictions(done.run_id, "dev")) == 4
        free_the_disk(store)
        assert store.finish_run(run.run_id, [answers(*range(5, 2000))]).metrics.n == 2000


def test_a_run_that_cannot_be_finished_on_a_full_disk_stays_as_it_was(ledger: Path) -> None:
    with Store.open(ledger) as store:
        run = start(store)
        store.record(run.run_id, example_set(2000))
        store.record(run.run_id, answers(*range(1999)))
        fill_the_disk(store)
        with pytest.raises(LedgerError, match="the disk is full"):
            store.finish_run(run.run_id, [answers(1999)])
    with Store.open(ledger) as store:
        assert start(store).answered == {"dev": list(range(1999))}


def test_a_file_in_place_of_the_results_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("notes")
    for folder in (tmp_path / "results", tmp_path / "results" / "deeper"):
        with pytest.raises(CannotStartError, match="a file is in its place") as caught:
            Store.open(folder / "arena.db")
        assert "--results" in caught.value.hint
    assert (tmp_path / "results").read_text() == "notes"


def test_a_folder_in_place_of_the_ledger_is_said(ledger: Path) -> None:
    ledger.mkdir(parents=True)
    for open_ledger in (Store.open, Reader.open):
        with pytest.raises(CannotStartError, match="is not a ledger"):
            open_ledger(ledger)
    assert not is_held(ledger)


def test_a_results_folder_without_permission_to_write_is_said(open_folder: Path) -> None:
    open_folder.chmod(0o555)
    with without_privileges():
        for folder in (open_folder, open_folder / "results"):
            with pytest.raises(LedgerError) as caught:
                Store.open(folder / "arena.db")
            assert str(folder) in caught.value.message
            assert "--results" in caught.value.hint
    assert list(open_folder.iterdir()) == []


def test_a_ledger_that_is_read_only_is_said_and_left_alone(open_folder: Path) -> None:
    path = open_folder / "arena.db"
    with Store.open(path) as store:
        complete(store)
    with without_privileges(open_folder):
        path.chmod(0o444)
        with pytest.raises(LedgerError, match="it is read-only"):
            Store.open(path)
        assert not is_held(path)
        with Reader.open(path) as reader:
            assert reader.cells(1)[0].state == "done"


def test_a_lock_file_that_cannot_be_written_is_said(open_folder: Path) -> None:
    path = open_folder / "arena.db"
    Store.open(path).close()
    with without_privileges(open_folder):
        path.with_name("arena.lock").chmod(0o444)
        with pytest.raises(LedgerError, match=r"arena\.lock"):
            Store.open(path)


def test_a_folder_that_cannot_be_entered_is_said_to_readers(open_folder: Path) -> None:
    folder = open_folder / "closed"
    folder.mkdir(mode=0o700)
    with without_privileges(), pytest.raises(LedgerError, match="cannot be read"):
        Reader.open(folder / "arena.db")


def test_another_program_that_keeps_the_ledger_locked_is_said(
    ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_connection, "BUSY_SECONDS", 0.05)
    with Store.open(ledger) as store:
        run = start(store)
        shell = sqlite3.connect(ledger, isolation_level=None)
        shell.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerError, match="locked by another program"):
            store.record(run.run_id, example_set(3))
        shell.execute("ROLLBACK")
        shell.close()
        store.record(run.run_id, example_set(3))


def test_a_damaged_ledger_is_said(ledger: Path) -> None:
    with Store.open(ledger) as store:
        complete(store)
    content = bytearray(ledger.read_bytes())
    content[200:] = b"\xff" * (len(content) - 200)
    ledger.write_bytes(content)
    for open_ledger in (Store.open, Reader.open):
        with pytest.raises(CannotStartError, match="is damaged"):
            open_ledger(ledger)
    assert ledger.read_bytes() == content


def test_a_mistake_in_a_statement_is_not_blamed_on_the_disk(ledger: Path) -> None:
    Store.open(ledger).close()
    with Reader.open(ledger) as reader, pytest.raises(sqlite3.OperationalError, match="no such table"):
        reader._fetch("SELECT * FROM nowhere")
