"""Run one child process of a fetch: watched while it runs, ended when we are, its last words kept."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

_POLL_SECONDS = 0.2
_STOP_SECONDS = 5.0
_CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+@")


class Ended(NamedTuple):
    """How a child ended: its exit code (negative: the signal) and all it said, cleaned."""

    code: int
    text: str

    @property
    def last_line(self) -> str:
        """Return the last thing it said that is not empty."""
        lines = [line.strip() for line in self.text.splitlines() if line.strip()]
        return lines[-1] if lines else f"exit code {self.code}"

    @property
    def is_out_of_space(self) -> bool:
        """Say whether it failed because a disk or a file limit was full."""
        return any(words in self.text for words in ("No space left", "Disk quota exceeded", "File too large"))


def clean_text(text: str) -> str:
    """Remove control sequences, and the credentials that an index address may carry."""
    return _CREDENTIALS.sub("", _CONTROL.sub("", text))


def folder_size(folder: Path) -> int:
    """Return the bytes of all files below a folder that others are writing to."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(Path(parent, name)).st_size
            except FileNotFoundError:  # a temporary file of the child that is gone again
                continue
    return total


def run_child(
    command: Sequence[str], *, log: Path, lock: int, env: dict[str, str], watch: Callable[[str], None]
) -> Ended:
    """Run a command to its end and call `watch` several times a second with what it said so far.

    Args:
        command: program and arguments.
        log: the file that receives its output and errors.
        lock: a descriptor it inherits, so that the lock outlives us as long as it still writes.
        env: added to our environment.
        watch: reports progress.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=os.environ | env,
            pass_fds=(lock,),
        )
        try:
            while True:
                try:
                    process.wait(_POLL_SECONDS)
                    break
                except subprocess.TimeoutExpired:
                    watch(_read(log))
        except BaseException:
            _stop(process)
            raise
    return Ended(process.returncode, _read(log))


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _read(log: Path) -> str:
    return clean_text(log.read_text(encoding="utf-8", errors="replace"))
