"""What the ledger knows of one run, read for the screen in a thread of its own."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import NamedTuple

from nlu_arena.errors import ArenaError
from nlu_arena.ledger.queries import Reader
from nlu_arena.ledger.rows import LogRow, PhaseRow, PointRow, RunRow
from nlu_arena.registry import Registry, load_registry
from nlu_arena.tui.curve import Point, smooth, thin
from nlu_arena.tui.repetition import Repetition, name_repetition

LOSS, HELD_OUT = "loss", "held_out_accuracy"
# More points than the widest screen has columns of dots change nothing that can be seen.
MOST_POINTS = 1000


class Curve(NamedTuple):
    """A curve of a run as it was recorded, and what is drawn of it."""

    values: dict[int, float] = {}
    points: list[Point] = []
    smoothed: list[Point] = []


class Details(NamedTuple):
    """A run, its phases, log and curves; `until` is when it was read, in seconds since 1970.

    `last_step` is the newest step of the loss; `right` is the step at which training ends, None where that is
    not known or has come.
    """

    run: RunRow
    phases: list[PhaseRow]
    lines: list[LogRow]
    repetition: Repetition
    loss: Curve
    held_out: Curve
    last_step: int
    right: float | None
    until: float


def read_details(reader: Reader, run_id: int, here: str, before: Details | None = None) -> Details:
    """Read a run; of its curves only what is new since `before`, which is of the same run or of another.

    Args:
        reader: The ledger, opened for this thread.
        run_id: The run.
        here: The results folder as commands must name it, empty where it is the usual one.
        before: What was read last.

    Raises:
        NothingToShowError: There is no such run any more.
    """
    run = reader.run(run_id)
    known = before if before is not None and _is_same(before.run, run) else None
    # The newest known step once more: its accuracy may have come after its loss.
    points = reader.metric_points(run_id, known.last_step - 1 if known else -1)
    losses = [point for point in points if point.name == LOSS]
    repetition = known.repetition if known else _name_repetition(reader, run, here)
    return Details(
        run=run,
        phases=reader.phases(run_id),
        lines=reader.log_lines(run_id),
        repetition=repetition,
        loss=_extend(known.loss if known else None, losses),
        held_out=_extend(known.held_out if known else None, [p for p in points if p.name == HELD_OUT]),
        last_step=losses[-1].step if losses else known.last_step if known else -1,
        right=_find_end(run, losses[-1]) if losses else known.right if known else None,
        until=time.time(),
    )


def _is_same(before: RunRow, now: RunRow) -> bool:
    """Say whether a curve only grows: a run that is continued may go over steps again.

    The same experiment has the same number in another ledger in its place, but it began at another time.
    """
    return _identify(before) == _identify(now)


def _identify(run: RunRow) -> tuple[object, ...]:
    return run.key, run.run_id, run.stretches, run.started_at


def _extend(curve: Curve | None, points: list[PointRow]) -> Curve:
    values = (curve.values if curve else {}) | {point.step: point.value for point in points}
    if curve is not None and values == curve.values:
        return curve
    ordered: list[Point] = [(step, values[step]) for step in sorted(values)]
    # Smoothed before it is thinned: the average is over all steps.
    return Curve(values, thin(ordered, MOST_POINTS), thin(smooth(ordered), MOST_POINTS))


def _find_end(run: RunRow, newest: PointRow) -> float | None:
    """Return the last step of a training under way: the steps of an epoch are all alike."""
    train = run.experiment.train
    if run.state != "running" or train is None or newest.epoch <= 0:
        return None
    return newest.step * train.epochs / newest.epoch


def _name_repetition(reader: Reader, run: RunRow, here: str) -> Repetition:
    return name_repetition(run, reader.sweep(run.sweep_id), _registry(), here)


@lru_cache(maxsize=1)
def _registry() -> Registry:
    """Return the manifests as they were when the first run was shown; none where they cannot be read."""
    try:
        return load_registry()
    except ArenaError:
        # The command then names what the run itself recorded.
        return Registry({}, {})
