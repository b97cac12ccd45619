"""A ledger followed from one thread: what has changed since the last look, or what is wrong with the file."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Literal, NamedTuple

from nlu_arena.errors import ArenaError, LedgerError, NothingToShowError, OlderLedgerError
from nlu_arena.ledger.connection import primary_code
from nlu_arena.ledger.lock import is_held
from nlu_arena.ledger.queries import Reader
from nlu_arena.ledger.rows import SweepRow, Tile
from nlu_arena.tui.tally import Tally, Totals

# How long a look may wait for another program's lock, in seconds: the screen stands still meanwhile.
PATIENCE = 0.02

TroubleKind = Literal["absent", "empty", "older", "newer", "corrupt", "locked", "unreadable"]


class Trouble(NamedTuple):
    """Why a ledger cannot be shown, and what to do."""

    kind: TroubleKind
    message: str
    hint: str


class Frame(NamedTuple):
    """A sweep at one moment.

    `tiles` are in the order of the plan, and so are those that are `running`. `changed` has the positions of
    those that are not as in the frame whose `number` is one less: all in the first, none when something else
    was written, such as memory. `results` is another number when a run has begun or ended. `sweep` is None
    before the first one. `is_live` says that a scheduler holds the ledger's lock; `last_write` is the time of
    the sweep's newest change in seconds since 1970.
    """

    sweep: SweepRow | None
    tiles: tuple[Tile, ...]
    running: tuple[Tile, ...]
    totals: Totals
    rev: int
    is_live: bool
    last_write: float | None
    number: int
    changed: frozenset[int]
    results: int

    @property
    def is_at_work(self) -> bool:
        """Say whether the sweep is being worked on, and not only another one that is getting ready."""
        return self.is_live and self.sweep is not None and self.sweep.state == "running"


class Feed:
    """A ledger that is followed, whatever happens to its file; used by one thread."""

    def __init__(self, ledger: Path, sweep: int | None = None) -> None:
        self._ledger = ledger
        # The sweep to follow, without a number always the newest.
        self._wanted = sweep
        self._reader: Reader | None = None
        self._trouble: Trouble | None = None
        self._file: tuple[int, ...] = ()
        self._seen: tuple[object, ...] = ()
        self._book: Book | None = None
        self._number = 0
        self._results = 0

    def poll(self) -> Frame | Trouble | None:
        """Return what the ledger shows now, None when that is the same as at the last look.

        A trouble is told once; a frame follows as soon as it is over.
        """
        try:
            frame = self._look()
        except (ArenaError, sqlite3.Error, OSError) as error:
            self.close()
            trouble = explain(error, self._ledger)
            is_news, self._trouble = trouble != self._trouble, trouble
            return trouble if is_news else None
        self._trouble = None
        return frame

    def close(self) -> None:
        """Close the ledger; the next look opens it again."""
        if self._reader is not None:
            self._reader.close()
        self._reader, self._book, self._seen = None, None, ()

    def _look(self) -> Frame | None:
        reader = self._open()
        # First the lock, then the data: what a writer that is gone has written is all there.
        is_live = is_held(self._ledger)
        seen = (is_live, *reader.versions())
        if seen == self._seen:
            return None
        if self._seen and seen[-1] != self._seen[-1]:
            # The ledger was migrated: opening it again says whether this program still knows it.
            self.close()
            return self._look()
        frame = self._read(reader, is_live)
        self._seen = seen
        return frame

    def _open(self) -> Reader:
        """Return a reader of the file as it is now.

        Who has a file open does not see another one in its place.
        """
        file = identify(self._ledger)
        # Whose folder is read-only is read as it was when it was opened.
        shown = 2 if self._reader is not None and self._reader.live else 4
        if self._reader is None or file[:shown] != self._file[:shown]:
            self.close()
            self._reader, self._file = Reader.open(self._ledger, PATIENCE), file
        return self._reader

    def _read(self, reader: Reader, is_live: bool) -> Frame:
        sweep = reader.last_sweep() if self._wanted is None else reader.sweep(self._wanted)
        # Before the tiles: what is written in between is read again.
        rev = reader.revision()
        book = self._book
        if sweep is None:
            changed, book = frozenset[int](), Book(None, [])
        elif book is None or book.sweep != (sweep.id, sweep.started_at) or rev < book.rev:
            # Another sweep, another ledger, or an earlier state of this one.
            book = Book((sweep.id, sweep.started_at), reader.tiles(sweep.id))
            book.update([], is_live)
            changed = frozenset(range(len(book.tiles)))
            self._results += 1
        else:
            before = book.turns
            changed = book.update(reader.changed_tiles(sweep.id, book.rev), is_live)
            self._results += book.turns - before
        book.rev, self._book = rev, book
        self._number += 1
        lanes = len(sweep.details.get("devices", ())) or 1 if sweep else 1
        return Frame(
            sweep=sweep,
            tiles=tuple(book.tiles),
            running=tuple(book.tally.running),
            totals=book.tally.totals(lanes if is_live else None),
            rev=rev,
            is_live=is_live,
            last_write=find_last_write(sweep, book.last_update),
            number=self._number,
            changed=changed,
            results=self._results,
        )


class Book:
    """The tiles of one sweep as they were last read; a run that nobody works on any more is interrupted.

    `turns` counts how often a tile got another run or another state.
    """

    def __init__(self, sweep: tuple[int, str] | None, tiles: list[Tile]) -> None:
        self.sweep = sweep
        self.rev = 0
        self.turns = 0
        self.tiles = tiles
        self.tally = Tally()
        self.last_update = max((tile.updated_at for tile in tiles), default="")
        # As the ledger has them, by position.
        self._running = {tile.position: tile for tile in tiles if tile.state == "running"}
        for tile in tiles:
            self.tally.put(tile)

    def update(self, fresh: Sequence[Tile], is_live: bool) -> frozenset[int]:
        """Take in what was read anew, and return the positions of the tiles that are not as before."""
        for tile in fresh:
            self._running.pop(tile.position, None)
            if tile.state == "running":
                self._running[tile.position] = tile
            self.last_update = max(self.last_update, tile.updated_at)
        found = {tile.position: tile for tile in fresh} | {
            position: tile if is_live else tile._replace(state="interrupted")
            for position, tile in self._running.items()
        }
        changed = {position for position, tile in found.items() if tile != self.tiles[position]}
        for position in changed:
            old, new = self.tiles[position], found[position]
            self.turns += (old.run_id, old.state) != (new.run_id, new.state)
            self.tally.take(old)
            self.tiles[position] = new
            self.tally.put(new)
        return frozenset(changed)


def identify(ledger: Path) -> tuple[int, ...]:
    """Return two numbers that are others when the file is another one, and two more for its content.

    There are none where the file cannot be seen: opening it says why.
    """
    try:
        status = ledger.stat()
    except OSError:
        return ()
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def find_last_write(sweep: SweepRow | None, last_update: str) -> float | None:
    """Return the time of a sweep's newest change in seconds since 1970."""
    if sweep is None:
        return None
    # ISO 8601 in UTC: the order of the texts is that of the times.
    newest = max(last_update, sweep.started_at, sweep.finished_at or "")
    return datetime.fromisoformat(newest).timestamp()


def explain(error: Exception, ledger: Path) -> Trouble:
    """Return what an error says about the ledger."""
    cause = error if isinstance(error, sqlite3.Error) else error.__cause__
    code = primary_code(cause) if isinstance(cause, sqlite3.Error) else None
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        hint = "Close what has it open for writing, such as an SQL shell; this screen goes on by itself."
        return Trouble("locked", f"the ledger {ledger} is locked by another program", hint)
    message, hint = (error.message, error.hint) if isinstance(error, ArenaError) else (str(error), "")
    return Trouble(_name_kind(error, code, ledger), message, hint)


def _name_kind(error: Exception, code: int | None, ledger: Path) -> TroubleKind:
    if isinstance(error, FileNotFoundError) or not ledger.exists():
        return "absent"
    if isinstance(error, OlderLedgerError):
        return "older"
    if isinstance(error, NothingToShowError):
        return "empty"
    if isinstance(error, LedgerError):
        is_file = code in (None, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)
        return "corrupt" if is_file and not isinstance(error.__cause__, OSError) else "unreadable"
    if isinstance(error, ArenaError):
        return "newer"
    return "corrupt" if isinstance(error, sqlite3.Error) else "unreadable"
