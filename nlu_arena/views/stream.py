"""A sweep as JSON lines, for other programs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from nlu_arena.notices import SweepEvent
from nlu_arena.spec import Experiment


class JsonStream:
    """Writes one JSON object a line: `event`, `at`, `key`, and the event's own fields."""

    def __init__(self, write: Callable[[str], object], experiments: Mapping[str, Experiment]) -> None:
        """Prepare the stream.

        Args:
            write: takes a line without its end and passes it on at once.
            experiments: the plan's, by key.
        """
        self._write = write
        self._experiments = experiments

    def notify(self, event: SweepEvent) -> None:
        """Write one event."""
        at = datetime.fromtimestamp(event.at, UTC).isoformat(timespec="milliseconds")
        head: dict[str, Any] = {"event": event.event, "at": at, "key": event.key or None}
        experiment = self._experiments.get(event.key)
        if experiment is not None:
            head |= {"model": experiment.model.name, "task": experiment.task.name}
            head |= {"mode": experiment.mode, "seed": experiment.seed}
        # msgspec writes null where JSON has no number (NaN, infinity).
        self._write(msgspec.json.encode(head | event.fields).decode())
