"""A sweep that a screen starts: a process of its own, which goes on when the screen is closed."""

from __future__ import annotations

import contextlib
import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from nlu_arena.errors import CannotStartError
from nlu_arena.ledger.migration import make_folder
from nlu_arena.ledger.rows import SweepRow
from nlu_arena.paths import results_dir
from nlu_arena.views.text import clean

PROGRAM = (sys.executable, "-m", "nlu_arena")
# The two commands that make a sweep, and the first one for a folder without any.
COMMANDS = ("sweep", "run")
FIRST = ("sweep", "--profile", "quick")
# What the new process must not take from the recorded command: where the ledger lay, how it was shown.
REPLACED = ("--results", "--display")
# How much of the output is looked at for the reason of an early end, in bytes and in lines.
TAIL = 4096
LAST_LINES = 3


class Started(NamedTuple):
    """A sweep's process and the file that takes all it writes."""

    process: subprocess.Popen[bytes]
    output: Path

    @property
    def last_words(self) -> str:
        """Return what failed, its error and hint, or else the last lines it has written, on one line."""
        try:
            with self.output.open("rb") as file:
                file.seek(max(0, self.output.stat().st_size - TAIL))
                text = file.read().decode(errors="replace")
        except OSError as error:
            return f"{self.output} cannot be read: {error.strerror}"
        lines = [clean(line) for line in text.splitlines() if line.strip()]
        # The hint of a single check is indented; all of them are too much for a line.
        reasons = [line for line in lines if line.startswith(("failure:", "error:", "hint:"))]
        return " · ".join(line.strip() for line in (reasons or lines)[-LAST_LINES:])


def start_sweep(words: Sequence[str], results: Path) -> Started:
    """Start a sweep in its own session: neither a closed terminal nor Ctrl-C on the screen reaches it.

    Args:
        words: The command line after `nlu-arena`, as from `resume_words`.
        results: The folder that takes its output file.

    Raises:
        CannotStartError: The folder cannot be used (LedgerError), or there can be no process.
    """
    make_folder(results)
    output = results / time.strftime("sweep_%Y%m%d_%H%M%S.out")
    try:
        with output.open("ab") as file:
            process = subprocess.Popen(
                [*PROGRAM, *words],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
    except OSError as error:
        raise CannotStartError(
            f"the sweep cannot be started: {error.strerror}", f"In another terminal: {name_command(words)}"
        ) from error
    return Started(process, output)


def resume_words(sweep: SweepRow | None, results: Path) -> list[str]:
    """Return the words after `nlu-arena` that go on with a sweep; without one, those of a first sweep.

    The recorded command names the folder of its time: a ledger that was moved is continued where it is. A
    ledger is only a file: a command in it that makes no sweep is not repeated.
    """
    words: list[str] = []
    if sweep is not None:
        with contextlib.suppress(ValueError):
            words = shlex.split(clean(str(sweep.details.get("command", ""))))
        words = words[1:] if words[:1] == ["nlu-arena"] and words[1:2] and words[1] in COMMANDS else []
        words = words or ["sweep", "--profile", clean(sweep.name)]
    return with_results(_without(words or FIRST, REPLACED), results)


def with_results(words: Sequence[str], results: Path) -> list[str]:
    """Return a command's words with the results folder named where it is not the usual one."""
    if results.resolve() == results_dir().resolve():
        return list(words)
    return [*words, "--results", str(results)]


def name_command(words: Sequence[str]) -> str:
    """Return a command as it is typed."""
    return shlex.join(["nlu-arena", *words])


def _without(words: Sequence[str], options: Sequence[str]) -> list[str]:
    """Return words without these options and their values."""
    kept: list[str] = []
    skip = False
    for word in words:
        name, has_value, _ = word.partition("=")
        if not skip and name in options:
            skip = not has_value
        elif skip:
            skip = False
        else:
            kept.append(word)
    return kept
