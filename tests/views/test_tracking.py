from __future__ import annotations

import io
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from nlu_arena.notices import SweepEvent, SweepEventName
from nlu_arena.spec import Experiment
from nlu_arena.views.live import LiveTable
from nlu_arena.views.tracking import Tracker
from tests.views.ledgers import quick_plan

METRICS = {"accuracy": 0.725, "interval": (0.639, 0.797), "majority": 0.5, "n": 120}


class Sweep:
    """A sweep that is told what happens, with a clock of its own."""

    def __init__(self, expected: float | None = 10.0, done: int = 0, plan: list[Experiment] | None = None):
        self.now = 0.0
        self.plan = plan or quick_plan()
        times = {e.key: expected for e in self.plan}
        earlier = {e.key for e in self.plan[:done]}
        self.tracker = Tracker(self.plan, times, earlier, clock=lambda: self.now)

    def tell(self, name: SweepEventName, place: int, after: float = 0.0, **fields: Any) -> None:
        self.now += after
        experiment = self.plan[place]
        self.tracker.notify(SweepEvent(name, self.now, experiment.key, experiment.title, fields))

    def finish(self, place: int, after: float) -> None:
        self.tell("run_started", place)
        self.tell("run_finished", place, after, metrics=METRICS, seconds=after)

    def render(self, width: int = 80, height: int = 24) -> str:
        stream = io.StringIO()
        console = Console(file=stream, width=width, height=height, markup=False, highlight=False, emoji=False)
        table = LiveTable(console, "quick", self.tracker)
        console.print(table)
        return stream.getvalue()


def test_the_time_left_is_the_sum_of_what_is_expected_of_the_rest() -> None:
    sweep = Sweep(done=2)
    assert sweep.tracker.seconds_left() == 100
    sweep.tell("run_started", 2)
    sweep.now = 4
    assert sweep.tracker.seconds_left() == 96


def test_the_time_left_learns_from_how_long_finished_runs_took() -> None:
    sweep = Sweep()
    sweep.finish(0, after=20)
    assert sweep.tracker.seconds_left() == 220


def test_a_run_that_takes_longer_than_expected_takes_nothing_from_the_others() -> None:
    sweep = Sweep(done=10)
    sweep.tell("run_started", 10)
    sweep.now = 500
    assert sweep.tracker.seconds_left() == 10


def test_nothing_is_said_about_the_time_left_when_nothing_is_known() -> None:
    sweep = Sweep(expected=None)
    assert sweep.tracker.seconds_left() is None
    assert "left" not in sweep.render()


def test_the_speed_is_that_of_the_phase_under_way() -> None:
    sweep = Sweep()
    sweep.tell("run_started", 0)
    sweep.tell("phase", 0, phase="evaluate", state="started")
    sweep.tell("progress", 0, after=5, phase="evaluate", done=20, total=120)
    assert sweep.tracker.lines[0].speed(sweep.now) is None
    sweep.tell("progress", 0, after=2, phase="evaluate", done=80, total=120)
    assert sweep.tracker.lines[0].speed(sweep.now) == 30
    assert "evaluate 80/120 · 30/s" in sweep.render()


def test_the_table_shows_every_state_in_words_within_80_columns() -> None:
    sweep = Sweep(done=1)
    sweep.finish(1, after=3)
    why: dict[str, Any] = {"error": "X", "message": "the [bold]loss\x1b[2J is not finite", "hint": ""}
    sweep.tell("run_failed", 2, state="failed", retry=False, **why)
    sweep.tell("run_started", 3)
    text = sweep.render()
    assert "done by an earlier sweep" in text
    assert "72.5 %  63.9\u201379.7" in text
    assert "failed: the [bold]loss is not" in text
    assert "waiting" in text
    assert "smollm2-135m Q4_1" in text
    assert "2 of 12 done · 1 failed" in text
    assert all(cell_len(line) <= 80 for line in text.splitlines())


def test_alarms_of_a_result_are_not_cut_at_80_columns() -> None:
    sweep = Sweep(expected=630.0)
    for place, name in ((3, "one label"), (4, "below majority"), (5, "ties")):
        sweep.tell("run_started", place)
        alarms = {"dev": {name: "why"}}
        sweep.tell("run_finished", place, 9, metrics=METRICS | {"majority": 0.7}, alarms=alarms, seconds=9)
    text = sweep.render()
    for sign in ("! one label", "! < majority", "! ties"):
        assert f"72.5 %  63.9\u201379.7 {sign}" in text
    assert all(cell_len(line) <= 80 for line in text.splitlines())
    assert "! ties  ≈ majority" in sweep.render(width=120)


def test_an_experiment_that_is_tried_again_is_waiting() -> None:
    sweep = Sweep()
    sweep.tell("run_started", 0)
    sweep.tell("run_failed", 0, state="failed", retry=True, error="", message="died", hint="")
    assert sweep.tracker.lines[0].state == "waiting"


@pytest.mark.parametrize("finished", [0, 5, 11, 12])
def test_a_low_terminal_shows_the_lines_around_the_one_under_way(finished: int) -> None:
    sweep = Sweep(done=finished)
    text = sweep.render(height=12)
    assert len(text.splitlines()) < 12
    assert f"{finished} of 12 done" in text
    above = int(text.partition("… ")[2].partition(" above")[0]) if "above" in text else 0
    below = int(text.rpartition("… ")[2].partition(" below")[0]) if "below" in text else 0
    assert above + below + 6 == 12
