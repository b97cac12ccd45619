"""What happened in a run, line by line: its start, phases, notes, warnings, and how it ended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from nlu_arena.ledger.rows import LogRow, PhaseRow, RunRow
from nlu_arena.views.figures import format_count, format_seconds
from nlu_arena.views.text import clean

Level = Literal["plain", "warning", "error"]


class Entry(NamedTuple):
    """One line; `at` is ISO 8601, empty for what belongs to the line before it."""

    at: str
    text: str
    level: Level = "plain"

    @property
    def line(self) -> str:
        """Return it with its time of day here."""
        at = f"{datetime.fromisoformat(self.at).astimezone():%H:%M:%S}" if self.at else " " * 8
        return f"{at} {self.text}"


def write_log(run: RunRow, phases: Sequence[PhaseRow], lines: Sequence[LogRow]) -> list[Entry]:
    """Return the log of a run in the order of time; all texts are clean."""
    entries = [Entry(run.started_at, f"began on {clean(_device(run))}")]
    entries += [
        Entry(row.finished_at, f"{clean(row.phase)} took {format_seconds(row.seconds)}") for row in phases
    ]
    entries += [
        Entry(row.at, clean(row.text), "warning" if row.level == "warning" else "plain") for row in lines
    ]
    # Times have one form, so their texts sort as they do.
    entries.sort(key=lambda entry: entry.at)
    logged = {row.text for row in lines}
    entries += [Entry("", f"! {clean(text)}", "warning") for text in run.warnings if text not in logged]
    return [*entries, *_say_end(run)]


def _device(run: RunRow) -> str:
    title = run.environment.get("device_title") or ""
    threads = f", {format_count(run.threads, 'thread')}" if run.device_kind == "cpu" else ""
    again = f", attempt {run.attempt}" if run.attempt > 1 else ""
    return f"{run.environment.get('device') or run.device_kind} {title}".strip() + threads + again


def _say_end(run: RunRow) -> Iterator[Entry]:
    at = run.finished_at or run.updated_at
    if run.state == "done":
        yield Entry(at, "done")
    elif run.state != "running":
        level: Level = "error" if run.state == "failed" else "warning"
        word = "failed" if run.state == "failed" else "stopped"
        said = clean(run.message or run.error) or "its sweep ended without a word"
        yield Entry(at, f"{word}: {said}", level)
        if run.hint:
            yield Entry("", clean(run.hint), level)
        for line in run.traceback.splitlines():
            yield Entry("", clean(line.expandtabs(4)))
