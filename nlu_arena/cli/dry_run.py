"""`sweep --dry-run`: the plan in its order, with the expected time of each step."""

from __future__ import annotations

import sys

from nlu_arena.cli.planning import Work
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


def show_plan(work: Work, as_json: bool) -> None:
    """Write a plan to stdout, and the time that the waiting steps will take.

    Args:
        work: the experiments in their order, what is done of them, and their expected times.
        as_json: whether to write one JSON document.
    """
    names = name_experiments(work.plan)
    records = [
        _record(step, e, names[e.key], e.key in work.done, work.expected.get(e.key))
        for step, e in enumerate(work.plan, 1)
    ]
    if as_json:
        print_json({"schema": 1, "plan": records, "expected_seconds": work.expected_total})
        return
    if sys.stdout.isatty():
        open_console(sys.stdout).print(Sheet(COLUMNS, records))
    else:
        print_lines(tsv_lines(KEYS, records))
    done = len(work.plan) - len(work.waiting)
    narrate(f"{done} of {len(work.plan)} done; expected time of the others: {work.expected_text}")


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
