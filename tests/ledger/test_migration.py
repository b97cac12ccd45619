from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from nlu_arena.errors import CannotStartError, ExitCode, LedgerError, NothingToShowError, OlderLedgerError
from nlu_arena.ledger import migration, schema
from nlu_arena.ledger.queries import Reader
from nlu_arena.ledger.store import Store
from tests.ledger.sweeps import complete, example_set, make_experiment

SECOND = "ALTER TABLE runs ADD COLUMN energy_joules REAL; CREATE TABLE notes (text TEXT);"


def ask(path: Path, statement: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(path)
    rows = connection.execute(statement).fetchall()
    connection.close()
    return rows


# The program writes what the newest version has: from there a ledger is taken back to the first one.
BACK = """
ALTER TABLE examples DROP COLUMN genre;
DELETE FROM migrations WHERE version > 1;
PRAGMA user_version = 1;
"""


@pytest.fixture
def old_ledger(ledger: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A ledger of version 1 with one finished run."""
    with Store.open(ledger) as store:
        complete(store)
    connection = sqlite3.connect(ledger)
    connection.executescript(BACK)
    connection.close()
    monkeypatch.setattr(schema, "MIGRATIONS", (schema.FIRST,))
    return ledger


@pytest.fixture
def version_2(old_ledger: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same, when the program has come to version 2."""
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, SECOND))
    return old_ledger


def test_version_2_takes_the_sizes_of_the_dev_splits_out_of_stored_tasks(
    old_ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = sqlite3.connect(old_ledger)
    add = "json_set(definition, '$.task.dev_rows', json_object('dev', 872))"
    connection.execute(f"UPDATE experiments SET definition = {add}")
    connection.commit()
    connection.close()
    monkeypatch.setattr(schema, "MIGRATIONS", (schema.FIRST, schema.SECOND))
    Store.open(old_ledger).close()
    with Reader.open(old_ledger) as reader:
        assert reader.cells(1)[0].state == "done"
        assert reader.run(1).experiment == make_experiment()


def test_version_3_has_genres_that_older_examples_lack(
    old_ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "MIGRATIONS", (schema.FIRST, schema.SECOND, schema.THIRD))
    Store.open(old_ledger).close()
    with Reader.open(old_ledger) as reader:
        assert reader.examples("first-4", "dev") == example_set(4).examples
    assert ask(old_ledger, "SELECT count(*), count(genre) FROM examples") == [(4, 0)]


def test_a_new_ledger_has_the_newest_version_and_says_what_it_is(ledger: Path) -> None:
    Store.open(ledger).close()
    assert ask(ledger, "PRAGMA user_version") == [(len(schema.MIGRATIONS),)]
    assert ask(ledger, "PRAGMA application_id") == [(schema.APPLICATION_ID,)]
    assert ask(ledger, "PRAGMA journal_mode") == [("wal",)]
    assert list(ledger.parent.glob("*.bak*")) == []


def test_the_writer_migrates_an_older_ledger_after_a_backup_copy(version_2: Path) -> None:
    Store.open(version_2).close()
    assert ask(version_2, "PRAGMA user_version") == [(2,)]
    assert ask(version_2, "SELECT energy_joules, accuracy FROM runs") == [(None, 1.0)]
    assert [version for (version,) in ask(version_2, "SELECT version FROM migrations")] == [1, 2]
    backup = version_2.with_name("arena.db.v1.bak")
    assert ask(backup, "PRAGMA user_version") == [(1,)]
    assert ask(backup, "SELECT accuracy FROM runs") == [(1.0,)]
    assert list(version_2.parent.glob("*.part")) == []


@pytest.mark.parametrize("command", ["nlu-arena sweep --profile quick", None])
def test_a_reader_names_the_command_that_migrates_and_changes_nothing(
    version_2: Path, command: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NLU_ARENA_RESULTS", str(version_2.parent))
    connection = sqlite3.connect(version_2)
    connection.execute("UPDATE sweeps SET details = json_object('command', ?)", (command,))
    connection.commit()
    connection.close()
    with pytest.raises(OlderLedgerError) as caught:
        Reader.open(version_2)
    assert caught.value.exit_code is ExitCode.NOTHING_TO_SHOW
    assert "version 1" in caught.value.message
    assert caught.value.hint.startswith(f"`{command or 'nlu-arena sweep'}` migrates it")
    assert ask(version_2, "PRAGMA user_version") == [(1,)]


def test_the_command_that_migrates_is_told_where_the_ledger_is(version_2: Path) -> None:
    with pytest.raises(OlderLedgerError) as caught:
        Reader.open(version_2)
    assert caught.value.hint.startswith(f"`nlu-arena sweep --results {version_2.parent}` migrates it")
    connection = sqlite3.connect(version_2)
    own = "nlu-arena sweep --profile quick --results here"
    connection.execute("UPDATE sweeps SET details = json_object('command', ?)", (own,))
    connection.commit()
    connection.close()
    with pytest.raises(OlderLedgerError) as caught:
        Reader.open(version_2)
    assert caught.value.hint.startswith(f"`{own}` migrates it")


def test_a_migration_that_fails_changes_nothing(version_2: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = f"{SECOND} INSERT INTO no_such_table VALUES (1);"
    monkeypatch.setattr(schema, "MIGRATIONS", (schema.MIGRATIONS[0], broken))
    with pytest.raises(sqlite3.OperationalError, match="no_such_table"):
        Store.open(version_2)
    assert ask(version_2, "PRAGMA user_version") == [(1,)]
    assert ask(version_2, "SELECT name FROM sqlite_master WHERE name = 'notes'") == []
    monkeypatch.setattr(schema, "MIGRATIONS", (schema.MIGRATIONS[0], SECOND))
    Store.open(version_2).close()
    assert ask(version_2, "PRAGMA user_version") == [(2,)]


def test_without_a_backup_copy_nothing_is_migrated(version_2: Path) -> None:
    version_2.with_name("arena.db.v1.bak.part").mkdir()
    with pytest.raises(LedgerError, match="no backup copy"):
        Store.open(version_2)
    assert ask(version_2, "PRAGMA user_version") == [(1,)]


def test_a_newer_ledger_is_refused_and_names_the_release_it_needs(
    version_2: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migration, "program_release", lambda: "7.1.0")
    Store.open(version_2).close()
    monkeypatch.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:1])
    for open_ledger in (Store.open, Reader.open):
        with pytest.raises(CannotStartError) as caught:
            open_ledger(version_2)
        assert caught.value.exit_code == ExitCode.CANNOT_START
        assert "version 2" in caught.value.message
        assert "7.1.0 or later" in caught.value.hint
    assert ask(version_2, "SELECT count(*) FROM runs") == [(1,)]


def test_a_newer_ledger_that_keeps_its_history_elsewhere_is_refused_too(version_2: Path) -> None:
    Store.open(version_2).close()
    connection = sqlite3.connect(version_2)
    connection.executescript("DROP TABLE migrations; PRAGMA user_version = 9;")
    connection.close()
    with pytest.raises(CannotStartError, match="version 9") as caught:
        Reader.open(version_2)
    assert caught.value.hint.startswith("Upgrade nlu-arena, or")


@pytest.mark.parametrize("statement", ["CREATE TABLE songs (title)", "PRAGMA user_version = 1"])
def test_a_sqlite_file_of_something_else_is_not_a_ledger(tmp_path: Path, statement: str) -> None:
    path = tmp_path / "arena.db"
    ask(path, statement)
    before = path.read_bytes()
    for open_ledger in (Store.open, Reader.open):
        with pytest.raises(CannotStartError, match="is not a ledger") as caught:
            open_ledger(path)
        assert "--results" in caught.value.hint
    assert path.read_bytes() == before


def test_a_file_that_is_not_sqlite_is_not_a_ledger(tmp_path: Path) -> None:
    path = tmp_path / "arena.db"
    path.write_text("Dear diary,\n" * 500)
    for open_ledger in (Store.open, Reader.open):
        with pytest.raises(CannotStartError, match="is not a ledger"):
            open_ledger(path)
    assert path.read_text() == "Dear diary,\n" * 500


def test_an_empty_file_becomes_a_ledger_when_it_is_written_and_shows_nothing_before(tmp_path: Path) -> None:
    path = tmp_path / "arena.db"
    path.touch()
    with pytest.raises(NothingToShowError):
        Reader.open(path)
    Store.open(path).close()
    assert Reader.open(path).last_sweep() is None
