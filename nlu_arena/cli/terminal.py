"""The streams: who is a terminal, who gets colour, what happens when one is closed."""

from __future__ import annotations

import json
import os
import signal
import sys
import textwrap
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TextIO, cast

from nlu_arena.errors import ArenaError
from nlu_arena.views.text import clean

if TYPE_CHECKING:
    from rich.console import Console

COMMAND = "nlu-arena "


class LastingStream:
    """A stream whose reader may go away: what is written then goes nowhere, and nobody is disturbed.

    A sweep must not end because `| head` has seen enough, or because its terminal was closed.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write a text, or drop it."""
        try:
            return self._stream.write(text)
        except OSError:
            self._abandon()
            return len(text)

    def flush(self) -> None:
        """Pass on what was written, or drop it."""
        try:
            self._stream.flush()
        except OSError:
            self._abandon()

    def _abandon(self) -> None:
        _lead_nowhere(self._stream)


def prepare_streams() -> None:
    """Make both output streams usable, also those that the caller has closed."""
    # In this order: a ledger or a file that is opened must not get the number of a stream.
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8"))
        # A terminal without UTF-8 shows "?" for a sign that it does not have.
        getattr(sys, name).reconfigure(errors="replace")


def _lead_nowhere(stream: TextIO) -> None:
    """Let a stream's descriptor lead nowhere: the interpreter still flushes it when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def survive_closed_streams() -> None:
    """Keep a command that computes alive when nobody reads its output any more."""
    sys.stdout = cast(TextIO, LastingStream(sys.stdout))
    sys.stderr = cast(TextIO, LastingStream(sys.stderr))


def end_with_the_pipe() -> None:
    """Let a reading command end quietly, like other tools, when the reader of its output has gone."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)


def is_screen(stream: TextIO) -> bool:
    """Say whether a stream is a terminal that can move its cursor."""
    return stream.isatty() and os.environ.get("TERM", "") not in ("", "dumb")


def open_console(stream: TextIO) -> Console:
    """Return a console that decides on colour for this stream alone and takes no text for markup."""
    from rich.console import Console

    has_colour = is_screen(stream) and not os.environ.get("NO_COLOR")
    return Console(
        file=stream,
        force_terminal=stream.isatty(),
        no_color=not has_colour,
        color_system="auto" if has_colour else None,
        markup=False,
        highlight=False,
        emoji=False,
    )


def show_error(error: ArenaError) -> None:
    """Say what went wrong and what to do next, on stderr."""
    narrate(f"error: {clean(error.message)}")
    if error.hint:
        narrate(f"hint: {clean(error.hint)}")


def narrate(line: str) -> None:
    """Write a line for people to stderr; a terminal gets it broken between words, anything else as it is."""
    for piece in _break_line(line, sys.stderr):
        print(piece, file=sys.stderr, flush=True)


def _break_line(line: str, stream: TextIO) -> list[str]:
    """Return a line in pieces that fit the width of a terminal; the second and later ones are indented."""
    # A command is for copying: the terminal folds it, and joins it again.
    if COMMAND in line or not stream.isatty():
        return [line]
    try:
        width = os.get_terminal_size(stream.fileno()).columns
    except OSError:
        width = 0
    # Some terminals do not know their width.
    if not width or len(line) <= width:
        return [line]
    indent = " " * (len(line) - len(line.lstrip()) + 2)
    pieces = textwrap.wrap(
        line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
    return pieces or [line]


def print_lines(lines: Iterable[str]) -> None:
    """Write lines of data to stdout.

    Raises:
        ArenaError: They cannot be written: the disk is full, say.
    """
    for line in lines:
        _print(line)
    _print("", end="")


def print_json(document: Mapping[str, Any]) -> None:
    """Write one JSON document to stdout; a number that JSON does not have is a fault of the program.

    Raises:
        ArenaError: It cannot be written: the disk is full, say.
    """
    print_lines([json.dumps(document, allow_nan=False, ensure_ascii=False, indent=2)])


def _print(text: str, end: str = "\n") -> None:
    """Write to stdout; the last piece, without an end, is seen to arrive."""
    try:
        print(text, end=end, flush=not end)
    except OSError as error:
        _lead_nowhere(sys.stdout)
        raise ArenaError(
            f"the output cannot be written: {error.strerror}", "Free space, or write it to another place."
        ) from error
