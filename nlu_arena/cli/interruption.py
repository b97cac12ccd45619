"""What a person or the system asks for by signals while a command works."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from nlu_arena.errors import ExitCode
from nlu_arena.notices import Cancel

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

STOPPING = "stopping after this batch; everything so far is kept; Ctrl-C again stops now"
STOPPING_NOW = "stopping now; everything committed so far is kept"
STOPPED = "stopped"


def write_to_stderr(line: str) -> None:
    """Write a line past the streams' buffers, in whose middle a signal may have come."""
    with contextlib.suppress(OSError):  # the terminal may be what has gone
        os.write(2, f"{line}\n".encode())


class Interruption:
    """Signals as a wish to stop: while work is cancellable it is asked to end, otherwise the command ends.

    Ctrl-C ends with 130, SIGTERM and a hang-up with 143. A signal that whoever started the command had
    ignored (nohup) stays ignored.
    """

    def __init__(self) -> None:
        self.cancel = Cancel()
        self.say: Callable[[str], None] = write_to_stderr
        self._signal: int | None = None
        self._is_cancellable = False
        self._before: dict[signal.Signals, Any] = {}

    @property
    def exit_code(self) -> ExitCode:
        """Return what a stopped command exits with."""
        is_other = self._signal not in (None, signal.SIGINT)
        return ExitCode.TERMINATED if is_other else ExitCode.INTERRUPTED

    def __enter__(self) -> Interruption:
        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._heed)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is SystemExit:
            return  # The command is ending: the next signal must not be turned into an exception.
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @contextmanager
    def cancellable(self) -> Iterator[Cancel]:
        """Turn signals into requests to stop for as long as the work inside heeds them."""
        self._is_cancellable = True
        try:
            yield self.cancel
        finally:
            self._is_cancellable = False

    def _heed(self, number: int, _: FrameType | None) -> None:
        self._signal = number
        if not self._is_cancellable or self.cancel.now:
            # The end may wait for a download's threads: the next signal is the system's own and ends at once.
            for other in self._before:
                signal.signal(other, signal.SIG_DFL)
            self.say(STOPPED)
            raise SystemExit(self.exit_code)
        self.cancel.request()
        self.say(STOPPING_NOW if self.cancel.now else STOPPING)
