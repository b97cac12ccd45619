"""`sweep --dry-run`: the plan in its order, with the expected time of each step."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

from nlu_arena.cli.terminal import narrate, open_console, print_json, print_lines
from nlu_arena.spec import Experiment
from nlu_arena.views.figures import format_estimate
from nlu_arena.views.names import name_experiments
from nlu_arena.views.sheet import Column, Sheet
from nlu_arena.views.tsv import Record, tsv_lines

KEYS = ("step", "state", "experiment", "expected_seconds", "data_source", "key")
COLUMNS = (
    Column("step", right=True),
    Column("state"),
    Column("experiment"),
    Column("expected", right=True),
)


def show_plan(
    plan: Sequence[Experiment],
    done: set[str],
    expected: Mapping[str, float | None],
    workers: int,
    as_json: bool,
) -> None:
    """Write a plan to stdout, and the time that the waiting steps will take.

    Args:
        plan: the experiments in their order.
        done: the keys that need no work.
        expected: seconds by key, None where nothing is known.
        workers: how many of them work at once.
        as_json: whether to write one JSON document.
    """
    names = name_experiments(plan)
    records = [
        _record(step, e, names[e.key], e.key in done, expected.get(e.key)) for step, e in enumerate(plan, 1)
    ]
    waiting = [expected.get(experiment.key) for experiment in plan if experiment.key not in done]
    known = [seconds for seconds in waiting if seconds is not None]
    total = sum(known) / workers if len(known) == len(waiting) else None
    if as_json:
        print_json({"schema": 1, "plan": records, "expected_seconds": total})
        return
    if sys.stdout.isatty():
        open_console(sys.stdout).print(Sheet(COLUMNS, records))
    else:
        print_lines(tsv_lines(KEYS, records))
    time = "not known" if total is None else format_estimate(total)
    narrate(f"{len(plan) - len(waiting)} of {len(plan)} done; expected time of the others: {time}")


def _record(step: int, experiment: Experiment, name: str, is_done: bool, seconds: float | None) -> Record:
    expected = "" if is_done else "?" if seconds is None else format_estimate(seconds)
    return {
        "step": step,
        "state": "done" if is_done else "waiting",
        "experiment": name,
        "expected": expected,
        "expected_seconds": None if is_done or seconds is None else round(seconds, 1),
        "data_source": experiment.data.source,
        "key": experiment.key,
    }
