"""What is known of a sweep under way from its events: states, progress, speed, and the time that is left."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nlu_arena.notices import SweepEvent
from nlu_arena.spec import Experiment
from nlu_arena.views.text import clean

# Examples before a speed is worth showing.
ENOUGH = 8
OPEN = ("waiting", "running")


@dataclass
class Line:
    """One experiment as a live screen shows it; times are the clock's, in seconds."""

    experiment: Experiment
    expected: float | None
    state: str = "waiting"
    phase: str = ""
    done: int = 0
    total: int = 0
    began: float = 0.0
    ended: float = 0.0
    result: dict[str, Any] = field(default_factory=dict)
    message: str = ""
    # The first word about this phase's progress: the speed is counted from there.
    mark: tuple[float, int] | None = None

    @property
    def model(self) -> str:
        """Name the model with its quantisation."""
        return f"{self.experiment.model.name} {self.experiment.model.quantisation}".strip()

    def speed(self, now: float) -> float | None:
        """Return the examples per second of this phase, None while too few are done."""
        if self.mark is None or self.done - self.mark[1] < ENOUGH:
            return None
        return (self.done - self.mark[1]) / max(now - self.mark[0], 0.001)


class Tracker:
    """The state of every experiment of a sweep."""

    def __init__(
        self,
        plan: Sequence[Experiment],
        expected: Mapping[str, float | None],
        done: set[str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin with a plan.

        Args:
            plan: the experiments in their order.
            expected: seconds by key, None where nothing is known.
            done: the keys that an earlier sweep has done.
            clock: gives seconds.
        """
        self.clock = clock
        self.began = clock()
        self._lines = {e.key: Line(e, expected.get(e.key)) for e in plan}
        for key in done & self._lines.keys():
            self._lines[key].state = "skipped"

    @property
    def lines(self) -> list[Line]:
        """Return the experiments in their order."""
        return list(self._lines.values())

    def notify(self, event: SweepEvent) -> None:
        """Take the next event of the sweep."""
        line = self._lines.get(event.key)
        if line is None:
            return
        fields, now = event.fields, self.clock()
        # The state comes last: the thread that draws may look in between, and reads what the state promises.
        match event.event:
            case "run_started":
                line.phase, line.began = "load", now
                line.done, line.total, line.mark = 0, 0, None
                line.state = "running"
            case "phase" if fields["state"] == "started":
                line.phase, line.done, line.total, line.mark = fields["phase"], 0, 0, None
            case "progress":
                line.phase, line.done, line.total = fields["phase"], fields["done"], fields["total"]
                line.mark = line.mark or (now, line.done)
            case "run_finished":
                line.ended, line.result = now, fields
                line.state = "done"
            case "run_failed":
                line.ended, line.message = now, clean(fields["message"])
                line.state = "waiting" if fields["retry"] else fields["state"]

    def seconds_left(self) -> float | None:
        """Estimate the rest of the sweep, corrected by how the estimates of its finished runs held.

        Returns:
            seconds, None where nothing is known of an experiment.
        """
        to_do = [line for line in self.lines if line.state in OPEN]
        if any(line.expected is None for line in to_do):
            return None
        now, pace = self.clock(), self._pace()
        # One that takes longer than expected is about to end, as far as anybody knows.
        return sum(max(0.0, pace * (line.expected or 0) - self._spent(line, now)) for line in to_do)

    def _spent(self, line: Line, now: float) -> float:
        return now - line.began if line.state == "running" else 0.0

    def _pace(self) -> float:
        """Return how much longer than expected the finished runs took, as a factor."""
        finished = [line for line in self.lines if line.state == "done" and line.expected]
        expected = sum(line.expected or 0 for line in finished)
        return sum(line.ended - line.began for line in finished) / expected if expected else 1.0
