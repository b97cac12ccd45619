"""The worker as the scheduler knows it, and the real one: a process that speaks JSON lines."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Protocol

import msgspec

from nlu_arena.events import Command, Event, decode_event, encode

# The driver's order, in which devices were found: CUDA's own is the fastest first. And a workspace with which
# its matrix products are the same in every run.
ENVIRONMENT = {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUBLAS_WORKSPACE_CONFIG": ":4096:8"}
# How much of a dead worker's last words is kept for the error report, in bytes.
STDERR_TAIL = 8 * 1024


class WorkerDied(Exception):  # noqa: N818 - it reports an event, which may be put right by a new worker
    """A worker's process has ended, or broke the protocol and was ended.

    `reason` says it in words; `exit_code` is the process's own, negative for a signal, None when it never
    started; `stderr` is the end of what it wrote there.
    """

    def __init__(self, reason: str, exit_code: int | None = None, stderr: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.exit_code = exit_code
        self.stderr = stderr

    @property
    def last_words(self) -> str:
        """Return the last line of its standard error, for a hint; empty when it wrote nothing."""
        lines = self.stderr.splitlines()
        return f"Its last words: {lines[-1].strip()}" if lines else ""


class Worker(Protocol):
    """Does one experiment at a time on one device; all that the scheduler knows of it."""

    @property
    def pid(self) -> int:
        """Return the process that does the work, whose memory is sampled."""

    @property
    def stderr(self) -> str:
        """Return its last words on standard error."""

    def start(self) -> None:
        """Start the worker without waiting: its first event is Ready.

        Raises:
            WorkerDied: there could be no process.
        """

    def send(self, command: Command) -> None:
        """Give the worker a command; that it is dead is said by `receive`."""

    def receive(self, timeout: float) -> Event | None:
        """Return the next event, or None when none came within `timeout` seconds.

        Raises:
            WorkerDied: after the last event of a worker that has ended.
        """

    def stop(self, grace: float = 5.0) -> None:
        """End the worker within about `grace` seconds; with 0, at once. Never fails, may be repeated."""


class ProcessWorker:
    """A worker in a process of its own; it ends by itself when its standard input closes."""

    def __init__(self, device: str, *, log: Path | None = None, command: Sequence[str] = ()) -> None:
        """Prepare a worker.

        Args:
            device: the device's name, as in "cuda:0".
            log: the file that the worker's standard error is added to.
            command: what to run instead of the worker's entry; the device is added to it.
        """
        self._command = [*(command or (sys.executable, "-m", "nlu_arena.worker")), "--device", device]
        self._log = log
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._tail = b""
        self._log_error = ""
        self._threads: list[threading.Thread] = []
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Return the process's id, 0 before the start."""
        return self._process.pid if self._process else 0

    def start(self) -> None:
        """Start the process in its own session, so that a terminal's Ctrl-C does not reach it."""
        pipe = subprocess.PIPE
        try:
            process = subprocess.Popen(
                self._command,
                stdin=pipe,
                stdout=pipe,
                stderr=pipe,
                start_new_session=True,
                env={**os.environ, **ENVIRONMENT},
            )
        except OSError as error:
            raise WorkerDied(f"could not be started: {error}") from error
        assert process.stdout is not None
        assert process.stderr is not None
        self._process = process
        self._threads = [
            threading.Thread(target=self._read_lines, args=(process.stdout,), daemon=True),
            threading.Thread(target=self._drain_stderr, args=(process.stderr,), daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def send(self, command: Command) -> None:
        """Write one line to the process."""
        stdin = self._started().stdin
        assert stdin is not None
        # A closed pipe means a dead process: `receive` says so, after the events that came before.
        with contextlib.suppress(OSError, ValueError):
            stdin.write(encode(command) + b"\n")
            stdin.flush()

    def receive(self, timeout: float) -> Event | None:
        """Return the next event, or None when none came in time; raises WorkerDied at the end."""
        try:
            line = self._lines.get(timeout=timeout) if timeout > 0 else self._lines.get_nowait()
        except queue.Empty:
            return None
        if line is None:
            self._lines.put(None)
            raise self._death()
        try:
            event: Event = decode_event(line)
        except msgspec.DecodeError as error:
            self.stop(grace=0)
            shown = line[:200].decode(errors="replace").strip()
            raise WorkerDied(
                f"wrote a line that is not an event ({error}): {shown!r}", None, self.stderr
            ) from error
        return event

    def stop(self, grace: float = 5.0) -> None:
        """Close the process's input, wait, then terminate, then kill."""
        process = self._process
        if process is None:
            return
        if process.stdin is not None:
            with contextlib.suppress(OSError):  # what is still buffered for a dead process
                process.stdin.close()
        if grace > 0 and not _ends_within(process, grace):
            process.terminate()
            _ends_within(process, 1.0)
        if process.poll() is None:
            # The whole session: a library may have started processes of its own.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        for thread in self._threads:
            thread.join(timeout=1.0)

    @property
    def stderr(self) -> str:
        """Return the end of what the process wrote to standard error."""
        return f"{self._log_error}{self._tail.decode(errors='replace').strip()}"

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError("the worker has not been started")
        return self._process

    def _death(self) -> WorkerDied:
        """Say how the process ended; one that only closed its output is ended."""
        process = self._started()
        closed_only = not _ends_within(process, 5.0)
        self.stop(grace=0)
        code = process.returncode
        reason = "closed its output without ending" if closed_only else describe_exit(code)
        return WorkerDied(reason, code, self.stderr)

    def _read_lines(self, stdout: IO[bytes]) -> None:
        with stdout:
            for line in stdout:
                self._lines.put(line)
        self._lines.put(None)

    def _drain_stderr(self, stderr: IO[bytes]) -> None:
        """Keep the pipe empty: a worker that cannot write its warnings would stand still."""
        log: IO[bytes] | None = None
        with stderr, contextlib.ExitStack() as files:
            for piece in iter(lambda: os.read(stderr.fileno(), 65536), b""):
                self._tail = (self._tail + piece)[-STDERR_TAIL:]
                if self._log is None:
                    continue
                try:
                    log = log or files.enter_context(self._log.open("ab", buffering=0))
                    log.write(piece)
                except OSError as error:
                    self._log = None
                    self._log_error = f"(the log cannot be written: {error})\n"


def describe_exit(code: int) -> str:
    """Say how a process ended, from its exit code: negative for a signal."""
    if code >= 0:
        return f"ended by itself (exit code {code})"
    if -code == signal.SIGKILL:
        return "was killed (signal 9), most likely for lack of memory"
    try:
        return f"was ended by {signal.Signals(-code).name} (signal {-code})"
    except ValueError:
        return f"was ended by signal {-code}"


def _ends_within(process: subprocess.Popen[bytes], seconds: float) -> bool:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True
