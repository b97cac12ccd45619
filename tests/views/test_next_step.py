from __future__ import annotations

from typing import Any

import pytest

from nlu_arena.ledger.rows import SweepRow, SweepState
from nlu_arena.views.next_step import choose_command
from nlu_arena.views.totals import Totals

COMMAND = "nlu-arena sweep --profile mine"


def choose(name: str = "mine", state: SweepState = "done", seeds: int = 1, **counts: int) -> str:
    details: dict[str, Any] = {"command": COMMAND, "seeds": seeds}
    sweep = SweepRow(id=1, name=name, state=state, started_at="", finished_at=None, details=details)
    known: dict[str, int] = dict.fromkeys(
        ("total", "done", "earlier", "failed", "running", "interrupted", "waiting"), 0
    )
    totals = Totals(**(known | counts), wall_seconds=1, run_seconds=1, peak_rss_bytes=None)
    return choose_command(sweep, totals)[0]


@pytest.mark.parametrize("counts", [{"failed": 2}, {"waiting": 1}, {"interrupted": 1, "failed": 1}])
def test_what_is_not_done_is_done_by_the_same_command(counts: Any) -> None:
    assert choose(state="failed", **counts) == COMMAND


def test_a_sweep_under_way_is_followed() -> None:
    assert choose(state="running", running=1) == "nlu-arena status --watch"


def test_after_the_quick_profile_comes_glue() -> None:
    assert choose(name="quick", done=12) == "nlu-arena doctor --profile full"


def test_one_seed_is_not_the_end() -> None:
    assert choose(done=3) == f"{COMMAND} --seed 1 --seed 2 --seed 3"
    assert choose(done=3, seeds=3) == choose(done=3, seeds=0) == "nlu-arena status --json"
