"""The screen on a pseudo-terminal, timed from outside."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Nothing for this long after a key's last paint: it has had its effect.
QUIET = 0.25
TICKS = os.sysconf("SC_CLK_TCK")


class Terminal:
    """The screen on a pseudo-terminal; every byte it writes comes with the time at which it came."""

    def __init__(self, folder: Path, columns: int = 120, rows: int = 40) -> None:
        self._side, other = pty.openpty()
        fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.began = time.monotonic()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "nlu_arena", "tui", "--results", str(folder)],
            **dict.fromkeys(("stdin", "stdout", "stderr"), other),  # type: ignore[call-overload]
            env={**os.environ, "TERM": "xterm-256color"},
            start_new_session=True,
        )
        os.close(other)
        self.pid: int = self._process.pid

    def read(self, seconds: float) -> Iterator[tuple[float, bytes]]:
        """Yield what it writes within a time."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if select.select([self._side], [], [], left)[0]:
                yield time.monotonic(), os.read(self._side, 1 << 16)

    def wait_for(self, pattern: re.Pattern[bytes], seconds: float = 20.0) -> float:
        """Return when a pattern had come."""
        text = b""
        for at, chunk in self.read(seconds):
            text += chunk
            if pattern.search(text):
                return at
        raise SystemExit(f"{pattern.pattern!r} never came: {text[-2000:]!r}")

    def rest(self, seconds: float = 1.0) -> None:
        """Let it come to rest."""
        while any(True for _ in self.read(seconds)):
            pass

    def press(self, key: bytes) -> tuple[float, float]:
        """Press a key; return the seconds until its first paint, and until nothing was painted any more."""
        began = time.monotonic()
        os.write(self._side, key)
        first, last, waits = 0.0, began, 3.0
        while chunk := next(self.read(waits), None):
            last, waits = chunk[0], QUIET
            first = first or last - began
        return first, last - began

    def processor_seconds(self) -> float:
        """Return the processor time that it has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory(self) -> float:
        """Return its resident memory in MiB."""
        text = Path(f"/proc/{self.pid}/status").read_text()
        return int(text.partition("VmRSS:")[2].split()[0]) / 1024

    def close(self) -> None:
        """End it."""
        self._process.send_signal(signal.SIGTERM)
        while self._process.poll() is None:
            try:
                any(self.read(0.05))
            except OSError:
                # The other side is closed.
                self._process.wait()
        os.close(self._side)


@contextmanager
def terminal(folder: Path, columns: int = 120, rows: int = 40) -> Iterator[Terminal]:
    """Open the screen, wait until it is at rest, and end it at last."""
    opened = Terminal(folder, columns, rows)
    try:
        yield opened
    finally:
        opened.close()
