"""Leaving the screen: on a signal with the terminal restored, and with a word on what goes on."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from nlu_arena.errors import ExitCode
from nlu_arena.tui.starting import name_command, resume_words, with_results
from nlu_arena.views.text import clean

if TYPE_CHECKING:
    from textual.app import App

    from nlu_arena.tui.feed import Frame

# After a hang-up the terminal may take no more output: the process must not wait for it.
SECONDS_TO_LEAVE = 2.0


def obey_signals(app: App[None]) -> None:
    """Let a request to end, or the end of the terminal, leave the screen in order and exit with 143."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, _leave, app)


def _leave(app: App[None]) -> None:
    timer = threading.Timer(SECONDS_TO_LEAVE, os._exit, [ExitCode.TERMINATED])
    timer.daemon = True
    timer.start()
    app.exit(return_code=ExitCode.TERMINATED)


def farewell(frame: Frame | None, results: Path) -> list[str]:
    """Return what to know about a sweep when its screen has gone, empty where there is none."""
    if frame is None or frame.sweep is None:
        return []
    sweep, totals = frame.sweep, frame.totals
    counts = f"{totals.done} of {totals.total} done"
    if totals.failed:
        counts += f", {totals.failed} failed"
    name = f"sweep {sweep.id} ({clean(sweep.name)})"
    if frame.is_at_work:
        again = name_command(with_results(["tui"], results))
        return [f"{name} goes on without this screen: {counts}", f"see it again: {again}"]
    if totals.done + totals.failed < totals.total:
        again = name_command(resume_words(sweep, results))
        return [f"{name} has stopped: {counts}", f"go on with it: {again}"]
    return [f"{name}: {counts}", f"all results: {name_command(with_results(['status'], results))}"]
