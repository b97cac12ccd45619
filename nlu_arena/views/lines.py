"""A sweep as plain lines: one for each change, and a sign of life now and then."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from nlu_arena.alarms import Alarms
from nlu_arena.notices import SweepEvent
from nlu_arena.spec import Experiment
from nlu_arena.views.figures import format_count, format_seconds, format_share
from nlu_arena.views.names import name_experiments
from nlu_arena.views.text import clean

HEARTBEAT = 30.0


class PlainLines:
    """Says every start and end of a run, and how far it is at most twice a minute."""

    def __init__(
        self,
        write: Callable[[str], object],
        plan: Sequence[Experiment],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare the lines.

        Args:
            write: takes a line without its end.
            plan: the sweep's experiments in their order.
            clock: gives seconds.
        """
        self._write = write
        self._labels = name_experiments(plan)
        self._width = max(map(len, self._labels.values()), default=0)
        self._places = {experiment.key: place for place, experiment in enumerate(plan, 1)}
        self._published = {e.key: e.task.published.name for e in plan if e.task.published}
        self._clock = clock
        self._said_at = clock()

    def notify(self, event: SweepEvent) -> None:
        """Say what an event means, if it means something to a person."""
        fields = event.fields
        match event.event:
            case "sweep_started":
                skipped = f", {fields['skipped']} done already" if fields["skipped"] else ""
                planned = format_count(fields["total"], "experiment")
                self._write(f"sweep {fields['sweep']}: {fields['name']}, {planned}{skipped}")
            case "run_started":
                self._say(event, "started", describe_start(fields))
            case "note":
                self._say(event, "note", clean(fields["text"]))
            case "progress":
                if self._clock() - self._said_at >= HEARTBEAT:
                    self._say(event, fields["phase"], f"{fields['done']:,}/{fields['total']:,}")
            case "run_finished":
                self._say(event, "done", describe_result(fields, self._published.get(event.key, "")))
            case "run_failed":
                state = "stopped" if fields["state"] == "interrupted" else "failed"
                self._say(event, "died" if fields["retry"] else state, describe_failure(fields))
            case "sweep_finished":
                counts = ("done", "skipped", "failed", "interrupted", "waiting")
                said = ", ".join(f"{fields[name]} {name}" for name in counts if fields[name])
                self._write(f"sweep {fields['sweep']} {fields['state']}: {said}")

    def _say(self, event: SweepEvent, word: str, rest: str) -> None:
        total = len(self._places)
        place = f"{self._places.get(event.key, 0):>{len(str(total))}}"
        at = time.strftime("%H:%M:%S", time.localtime(event.at))
        label = self._labels.get(event.key, event.title)
        self._write(f"[{place}/{total}] {at} {word:<8} {label:<{self._width}}  {rest}".rstrip())
        self._said_at = self._clock()


def describe_start(fields: dict[str, Any]) -> str:
    """Return how a run that has begun goes on, empty for a new one.

    One without answers goes on in its training, or with what it had prepared.
    """
    if not fields["continued"]:
        return ""
    return f"goes on after {format_count(fields['answered'], 'answer')}" if fields["answered"] else "goes on"


def describe_result(fields: dict[str, Any], published: str) -> str:
    """Return a finished run's result: its accuracy, never without its interval and alarms, and its time.

    `published` names the data set whose name the number may not carry where the data differ.
    """
    metrics = fields["metrics"]
    low, high = metrics["interval"]
    near = " ≈ majority" if low <= metrics["majority"] <= high else ""
    flags = "".join(f" ! {name}" for name in first_alarms(fields))
    other = f" not {clean(published)}" if fields.get("data_differences") else ""
    interval = f"{format_share(low)}-{format_share(high)}"
    accuracy = f"accuracy {format_share(metrics['accuracy'])} ({interval}){near}{flags}{other}"
    return f"{accuracy}  {format_seconds(fields['seconds'])}"


def first_alarms(fields: dict[str, Any]) -> list[str]:
    """Return the names of a finished run's alarms on the split whose number is shown."""
    alarms: dict[str, Alarms] = fields.get("alarms", {})
    return list(next(iter(alarms.values()), {}))


def describe_failure(fields: dict[str, Any]) -> str:
    """Return why a run has no result, in one line."""
    again = " It is tried once more." if fields["retry"] else ""
    hint = f" {clean(fields['hint'])}" if fields["hint"] else ""
    message = clean(fields["message"]) or clean(fields["error"])
    return f"{message.removesuffix('.')}.{hint}{again}"
