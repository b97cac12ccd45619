from __future__ import annotations

import time
from pathlib import Path

import msgspec
import pytest
from textual.app import App, ComposeResult

from nlu_arena.ledger.rows import SweepRow, Tile
from nlu_arena.tui.feed import Frame, Trouble
from nlu_arena.tui.header import Header
from nlu_arena.tui.tally import Totals
from tests.tui.screen import screen_lines

SWEEP = SweepRow(
    id=7, name="quick", state="running", started_at="2026-01-01T00:00:00+00:00", finished_at=None, details={}
)
TOTALS = Totals(total=30, done=14, failed=1, running=1, waiting=14, interrupted=0, seconds_left=2460.0)


def frame(silent: float = 0.0, *, is_live: bool = True, sweep: SweepRow = SWEEP) -> Frame:
    return Frame(
        sweep=sweep,
        tiles=(),
        running=(),
        totals=TOTALS,
        rev=1,
        is_live=is_live,
        last_write=time.time() - silent,
        number=1,
        changed=frozenset(),
        results=1,
    )


class Bar(App[None]):
    """The header alone."""

    def compose(self) -> ComposeResult:
        yield Header(Path("results/arena.db"))


async def first_line(width: int, frame: Frame | None, trouble: Trouble | None = None) -> str:
    app = Bar()
    async with app.run_test(size=(width, 3)) as pilot:
        app.query_one(Header).show(frame, trouble)
        await pilot.pause()
        return screen_lines(app)[0]


async def test_it_says_what_is_shown_and_how_far_it_is() -> None:
    line = await first_line(100, frame())
    assert line.split() == (
        [
            "nlu-arena",
            "results/arena.db",
            "sweep",
            "7",
            "quick",
            "●",
            "live",
            "1",
            "failed",
            "14/30",
            "~41.0",
            "min",
            "left",
        ]
    )


@pytest.mark.parametrize(("width", "gone"), [(76, "results/arena.db"), (60, "nlu-arena")])
async def test_where_there_is_no_room_the_numbers_stay(width: int, gone: str) -> None:
    line = await first_line(width, frame())
    assert gone not in line
    assert "14/30" in line and line.endswith("left") and "● live" in line


@pytest.mark.parametrize(
    ("silent", "is_live", "said"),
    [(3, True, "● live  "), (42, True, "● live, silent ~40 s"), (3, False, "not live")],
)
async def test_it_says_whether_anybody_writes(silent: float, is_live: bool, said: str) -> None:
    assert said in await first_line(120, frame(silent, is_live=is_live))


async def test_nobody_writes_a_sweep_that_is_over() -> None:
    over = frame(is_live=True, sweep=msgspec.structs.replace(SWEEP, state="interrupted"))
    assert "stopped" in await first_line(120, over)
    assert "left" not in await first_line(120, frame(is_live=False))


async def test_a_ledger_out_of_sight_is_not_called_live() -> None:
    line = await first_line(120, frame(), Trouble("absent", "gone", ""))
    assert "out of sight" in line and "live" not in line


async def test_before_the_first_sweep_it_names_the_ledger() -> None:
    assert (await first_line(80, None)).strip() == "nlu-arena  results/arena.db"


RUN = Tile(
    0, "k", "minilm", "MiniLM", "encoder", "", "sst2", "fine-tune", "", 1, "running", done=42, total=100
)


@pytest.mark.parametrize(
    ("width", "said"), [(120, "▸ minilm/sst2/fine-tune 42 %"), (80, "▸ minilm…ine-tune 42 %"), (60, "")]
)
async def test_it_says_where_it_runs_where_there_is_room(width: int, said: str) -> None:
    line = await first_line(width, frame()._replace(running=(RUN,)))
    assert said in line and ("▸" in line) == bool(said)
    assert line.endswith("~41.0 min left") and "1 failed  14/30" in line


async def test_it_says_how_many_more_run() -> None:
    several = frame()._replace(running=(RUN, RUN._replace(total=0)))
    assert "▸ minilm/sst2/fine-tune 42 % +1 " in await first_line(140, several)


async def test_nothing_runs_where_nobody_writes() -> None:
    assert "▸" not in await first_line(140, frame(is_live=False)._replace(running=(RUN,)))


async def test_a_time_left_that_is_unknown_is_said_and_makes_room_for_what_runs() -> None:
    unknown = frame()._replace(totals=TOTALS._replace(seconds_left=None))
    assert (await first_line(80, unknown)).rstrip().endswith("14/30  time left unknown")
    line = await first_line(80, unknown._replace(running=(RUN,)))
    assert "▸" in line and line.rstrip().endswith("14/30")


async def test_a_sweep_that_was_stopped_says_how_it_goes_on() -> None:
    stopped = frame(is_live=False, sweep=msgspec.structs.replace(SWEEP, state="interrupted"))
    assert "stopped, R goes on" in await first_line(80, stopped)
