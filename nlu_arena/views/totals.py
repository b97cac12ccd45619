"""A sweep in one line: how many are done, how long it took, how much memory it needed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from nlu_arena.ledger.rows import Cell, SweepRow
from nlu_arena.views.figures import format_bytes, format_seconds


class Totals(NamedTuple):
    """The sums over a sweep; the peak is that of the largest worker.

    `earlier` of those done were done by earlier sweeps; `wall_seconds` is this sweep's time, `run_seconds`
    that of all runs that stand in it.
    """

    total: int
    done: int
    earlier: int
    failed: int
    running: int
    interrupted: int
    waiting: int
    wall_seconds: float
    run_seconds: float
    peak_rss_bytes: int | None

    @property
    def pending(self) -> int:
        """Return how many experiments have no end yet."""
        return self.running + self.interrupted + self.waiting

    @property
    def line(self) -> str:
        """Say it for people."""
        earlier = f" ({self.earlier} by earlier sweeps)" if self.earlier else ""
        counts = [f"{self.done} of {self.total} done{earlier}"]
        named = {"failed": self.failed, "running": self.running, "stopped": self.interrupted}
        named["waiting"] = self.waiting
        counts += [f"{count} {name}" for name, count in named.items() if count]
        peak = [] if self.peak_rss_bytes is None else [f"peak memory {format_bytes(self.peak_rss_bytes)}"]
        return " · ".join([*counts, format_seconds(self.wall_seconds), *peak])


def sum_up(sweep: SweepRow, cells: Sequence[Cell], now: datetime) -> Totals:
    """Return the totals of a sweep; one that is under way is counted up to now."""
    states = Counter(cell.state for cell in cells)
    started = datetime.fromisoformat(sweep.started_at)
    peaks = [cell.peak_rss_bytes for cell in cells if cell.peak_rss_bytes is not None]
    changes = [datetime.fromisoformat(cell.updated_at) for cell in cells if cell.updated_at]
    earlier = [cell for cell in cells if cell.state == "done" and _is_before(cell, started)]
    if sweep.finished_at:
        end = datetime.fromisoformat(sweep.finished_at)
    else:
        # One that was killed has ended with its last word.
        end = now if sweep.state == "running" else max(changes, default=started)
    return Totals(
        total=len(cells),
        done=states["done"],
        earlier=len(earlier),
        failed=states["failed"],
        running=states["running"],
        interrupted=states["interrupted"],
        waiting=states["waiting"],
        wall_seconds=max(0.0, (end - started).total_seconds()),
        run_seconds=sum(cell.seconds or 0.0 for cell in cells),
        peak_rss_bytes=max(peaks, default=None),
    )


def _is_before(cell: Cell, moment: datetime) -> bool:
    return cell.updated_at is not None and datetime.fromisoformat(cell.updated_at) < moment
