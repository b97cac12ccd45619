"""The line that is there only when something is: trouble with the ledger, a dead sweep, a request."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from textual.content import Content
from textual.widgets import Static

from nlu_arena.tui.starting import name_command, resume_words
from nlu_arena.views.commands import name_folder
from nlu_arena.views.figures import format_short_seconds
from nlu_arena.views.text import clean

if TYPE_CHECKING:
    from pathlib import Path

    from nlu_arena.ledger.rows import Tile
    from nlu_arena.tui.app import ArenaApp
    from nlu_arena.tui.feed import Frame, Trouble

# Troubles in which somebody only has to wait or begin.
CALM = ("absent", "empty", "locked")


class Banner(Static):
    """One line under the header, wrapped where the screen is narrow; without a text it takes no place."""

    DEFAULT_CSS = """
    Banner {
        height: auto; max-height: 4; padding: 0 1; display: none;
        background: $warning-muted; color: $text-warning;
        &.-error { background: $error-muted; color: $text-error; }
        &.-shown { display: block; }
    }
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        """Prepare an empty banner; the clock gives seconds since 1970."""
        super().__init__(markup=False)
        self._clock = clock
        self._request = ""
        self._while_live = False
        self._is_at_work = False
        self._frame: Frame | None = None
        self._trouble: Trouble | None = None
        self._line = ("", False)

    def show(self, frame: Frame | None, trouble: Trouble | None) -> None:
        """Say what is wrong with the ledger now, or with the sweep in its newest frame, if anything is."""
        self._frame, self._trouble = frame, trouble
        was_at_work, self._is_at_work = self._is_at_work, frame is not None and frame.is_at_work
        if self._is_at_work and not was_at_work:
            # What was said of a start, or why there was none, is over.
            self._request = ""
        self._write()

    def tell(self, request: str, *, while_live: bool = False) -> None:
        """Say what was asked of the sweep and what it answered; empty: no more.

        It stays until the next word, or until a sweep begins. With `while_live` only as long as the sweep is
        alive: its answer may come after its end.
        """
        self._request, self._while_live = clean(request), while_live
        self._write()

    def _write(self) -> None:
        arena = cast("ArenaApp", self.app)
        line, is_error = "", False
        if self._trouble is not None:
            line = trouble_line(self._trouble, self._frame, self._clock(), arena.here)
            is_error = self._trouble.kind not in CALM
        elif self._frame is not None and is_dead(self._frame):
            line = death_line(self._frame, self._clock(), arena.ledger.parent)
            is_error = True
        if self._while_live and self._frame is not None and not self._frame.is_live:
            self._request = ""
        # While a sweep is started the old trouble says nothing new.
        line, is_error = (self._request, False) if self._request else (line, is_error)
        if (line, is_error) == self._line:
            return
        self._line = (line, is_error)
        self.set_class(bool(line), "-shown")
        self.set_class(is_error, "-error")
        self.update(Content(line))


def trouble_line(trouble: Trouble, last: Frame | None, now: float, here: str) -> str:
    """Return what is wrong with the ledger, what to do, and how old what is still shown is.

    Args:
        trouble: What the feed found.
        last: The last good frame, which stays on the screen.
        now: Seconds since 1970.
        here: The results folder as commands must name it, empty where it is the usual one.
    """
    parts = [f"! {clean(trouble.message)}."]
    if trouble.hint:
        parts.append(name_folder(clean(trouble.hint), here))
    if trouble.kind in ("absent", "empty"):
        parts.append("R starts one. Waiting…")
    if last is not None and last.last_write is not None:
        parts.append(f"Shown: the state of {format_age(now - last.last_write)} ago.")
    return " ".join(parts)


def is_dead(frame: Frame) -> bool:
    """Say whether a sweep's process has gone without a word: it has no end, and nobody writes."""
    sweep = frame.sweep
    return sweep is not None and not frame.is_live and sweep.finished_at is None


def death_line(frame: Frame, now: float, results: Path) -> str:
    """Return since when a sweep is dead, at which experiment it died, and how to go on.

    Args:
        frame: A frame whose sweep is dead.
        now: Seconds since 1970.
        results: The ledger's folder.
    """
    sweep, at = frame.sweep, frame.last_write
    assert sweep is not None
    assert at is not None
    # Those under way when it died; a run that an earlier sweep left unfinished is older.
    open_tiles = [tile for tile in frame.tiles if tile.state == "interrupted" and tile.updated_at]
    last = max(open_tiles, key=lambda tile: tile.updated_at, default=None)
    place = f" at {name_tile(last)}" if last is not None else ""
    command = name_command(resume_words(sweep, results))
    return (
        f"! sweep {sweep.id} died {format_age(now - at)} ago{place}: its process has ended without a word."
        f" R goes on, or: {command}"
    )


def name_tile(tile: Tile) -> str:
    """Return an experiment as commands name it, and what else sets it apart."""
    variant = f" ({tile.variant})" if tile.variant else ""
    return clean(f"{tile.model}/{tile.task}/{tile.mode}{variant}")


def format_age(seconds: float) -> str:
    """Return how long ago something was, in one unit without fractions of a second."""
    return f"{max(0, round(seconds))} s" if seconds < 59.5 else format_short_seconds(seconds)
