"""Where the labelled rows go: a file that appears when it is whole, or standard output."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from nlu_arena.errors import CannotStartError, RunError, UsageError
from nlu_arena.replacement import replacing

FORMATS = (".csv", ".jsonl", ".parquet")


def check_output(output: Path | None, source: Path, force: bool) -> None:
    """Refuse, before any work, an output that will not be possible or that nobody can have meant.

    Args:
        output: The file to write, None for standard output.
        source: The file that is read.
        force: Whether a file that is there may be replaced.

    Raises:
        UsageError: Its ending names no format, it is there already, it is the file to read, or standard
            output is a terminal.
        CannotStartError: Its folder is not there or cannot be written to.
    """
    if output is None:
        if sys.stdout.isatty():
            hint = (
                "Give --output FILE (.csv, .jsonl or .parquet), or lead standard output into a file or pipe."
            )
            raise UsageError("there is no place for the labelled rows", hint)
        return
    if output.suffix.lower() not in FORMATS:
        raise UsageError(
            f"{output}: {output.suffix or 'a name without an ending'} is no format that can be written",
            f"Give it one of the endings {', '.join(FORMATS)}.",
        )
    if output.exists() and source.exists() and output.samefile(source):
        raise UsageError(f"{output} is the file to be labelled", "Give --output another name.")
    if output.is_dir() or (output.exists() and not force):
        hint = "Give another name." if output.is_dir() else "Give another name, or --force to replace it."
        raise UsageError(f"{output} is there already", hint)
    if not output.parent.is_dir():
        raise CannotStartError(
            f"there is no folder {output.parent}", "Create it, or give --output another one."
        )
    if not os.access(output.parent, os.W_OK):
        raise CannotStartError(
            f"the folder {output.parent} cannot be written to", "Give --output another one."
        )


@contextmanager
def open_output(output: Path | None) -> Iterator[BinaryIO]:
    """Give what takes the labelled rows; a file gets its name at the end, and only without an error.

    Raises:
        RunError: It cannot be written.
        BrokenPipeError: Nobody reads standard output any more.
    """
    try:
        if output is None:
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
        else:
            with replacing(output) as part, part.open("wb") as file:
                yield file
    except BrokenPipeError:
        raise
    except OSError as error:
        where = output or "standard output"
        hint = "Free space, or give --output another folder. No part of the file was kept." if output else ""
        raise RunError(f"{where} cannot be written: {error.strerror or error}", hint) from error
