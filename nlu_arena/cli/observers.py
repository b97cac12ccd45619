"""Who hears a sweep: a table, lines or nothing on stderr, JSON lines on stdout, and always the log."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from nlu_arena.cli.interruption import Interruption
from nlu_arena.cli.options import Display
from nlu_arena.cli.terminal import is_screen, narrate, open_console
from nlu_arena.notices import Observer, SweepEvent
from nlu_arena.spec import Experiment
from nlu_arena.views.lines import PlainLines
from nlu_arena.views.stream import JsonStream


class Several:
    """Passes each event on to all."""

    def __init__(self, observers: Sequence[Observer]) -> None:
        self._observers = observers

    def notify(self, event: SweepEvent) -> None:
        """Tell everyone."""
        for observer in self._observers:
            observer.notify(event)


class LogFile:
    """The sweep's log; lines that cannot be written are missed there, the results are in the ledger."""

    def __init__(self, path: Path) -> None:
        self._path: Path | None = path

    def write(self, line: str) -> None:
        """Add a line, at once: workers add theirs to the same file."""
        if self._path is None:
            return
        try:
            with self._path.open("a", encoding="utf-8", errors="replace") as file:
                file.write(f"{line}\n")
        except OSError as error:
            narrate(f"warning: the log {self._path} cannot be written: {error.strerror}")
            self._path = None


def choose_display(wanted: Display, as_json: bool) -> Display:
    """Return how a sweep is shown: automatically a table where only people read the terminal."""
    if wanted is not Display.AUTO:
        return wanted
    if not is_screen(sys.stderr):
        return Display.PLAIN
    return Display.NONE if as_json and sys.stdout.isatty() else Display.RICH


@contextmanager
def open_observers(
    plan: Sequence[Experiment],
    *,
    display: Display,
    as_json: bool,
    log: Path | None,
    name: str,
    expected: Mapping[str, float | None],
    done: set[str],
    interruption: Interruption,
) -> Iterator[Observer]:
    """Give the observer of a sweep.

    Args:
        plan: its experiments.
        display: what stderr shows; not "auto".
        as_json: whether stdout gets JSON lines.
        log: the file that gets plain lines; none when nothing is to be done.
        name: the sweep's, shown with the table.
        expected: seconds by key.
        done: the keys that are done already.
        interruption: says that the sweep is stopping; a table shows it itself.
    """
    observers: list[Observer] = []
    with ExitStack() as stack:
        if log is not None:
            observers.append(PlainLines(LogFile(log).write, plan))
        if as_json:
            observers.append(JsonStream(_print_line, {e.key: e for e in plan}))
        if display is Display.PLAIN:
            observers.append(PlainLines(narrate, plan))
        if display is Display.RICH and log is not None:
            from nlu_arena.views.live import LiveTable
            from nlu_arena.views.tracking import Tracker

            live = LiveTable(open_console(sys.stderr), name, Tracker(plan, expected, done))
            observers.append(stack.enter_context(live))
            said, interruption.say = interruption.say, live.say
            stack.callback(setattr, interruption, "say", said)
        yield Several(observers)


def _print_line(line: str) -> None:
    print(line, flush=True)
