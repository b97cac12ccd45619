from __future__ import annotations

from datetime import UTC, datetime

import pytest

from nlu_arena.ledger.rows import PhaseRow, RunState
from nlu_arena.tui.timeline import Span, draw_timeline, share_out, spans_of

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
START = NOON.isoformat(timespec="milliseconds")
ENDED = [PhaseRow("load", 0.4, START), PhaseRow("prepare", 2.6, START)]
ALL = [
    Span("load", 0.4),
    Span("prepare", 2.6),
    Span("train", 220.0),
    Span("save", 0.3),
    Span("evaluate", 12.0),
]


def test_the_phases_of_a_run_that_is_done_are_those_that_ended() -> None:
    spans = spans_of(ENDED, state="done", phase="", ahead=["train"])
    assert spans == [Span("load", 0.4), Span("prepare", 2.6)]


def test_a_phase_of_a_continued_run_counts_once_with_its_sum() -> None:
    spans = spans_of([*ENDED, PhaseRow("load", 0.5, START)], state="done")
    assert spans == [Span("load", pytest.approx(0.9)), Span("prepare", 2.6)]


def test_the_phase_under_way_counts_from_the_end_of_the_one_before() -> None:
    spans = spans_of(
        ENDED,
        state="running",
        phase="train",
        done=30,
        total=120,
        since=START,
        until=NOON.timestamp() + 50,
        ahead=["load", "prepare", "train", "save"],
    )
    assert spans[2:] == [Span("train", 50.0, "running", 0.25), Span("save", state="ahead")]
    assert spans[2].expected == 200.0


def test_the_first_phase_counts_from_the_start_of_the_run() -> None:
    spans = spans_of([], state="running", phase="load", since=START, until=NOON.timestamp() + 3)
    assert spans == [Span("load", 3.0, "running")]


def test_nobody_knows_when_a_continued_run_began_again() -> None:
    (_, _, span) = spans_of(ENDED, state="running", phase="train", done=1, total=4, until=NOON.timestamp())
    assert (span.seconds, span.share) == (None, 0.25)


@pytest.mark.parametrize(("state", "sign"), [("failed", "✗"), ("interrupted", "‖"), ("running", "▸")])
def test_the_sign_of_a_phase_says_how_it_stands(state: RunState, sign: str) -> None:
    spans = spans_of([], state=state, phase="train", done=1, total=2, since=START, until=NOON.timestamp() + 9)
    assert draw_timeline(spans, 40) == f"train 50% 9.0 s ▕{'█' * 11}{sign}{' ' * 10}▏"


def test_a_run_that_ended_without_a_result_has_no_phases_ahead() -> None:
    assert [s.state for s in spans_of(ENDED, state="failed", phase="train", ahead=["save"])][-1] == "failed"


def test_bars_are_as_long_as_their_share_of_the_time() -> None:
    line = draw_timeline([Span("load", 10.0), Span("train", 30.0)], 68)
    assert line == "load 10 s ▕" + "█" * 11 + "▏ train 30 s ▕" + "█" * 31 + "▏"


@pytest.mark.parametrize("width", range(10, 250, 7))
def test_a_line_is_never_wider_than_there_is_room(width: int) -> None:
    assert len(draw_timeline(ALL, width)) <= width
    ahead = [Span("load", 0.4), Span("train", 30.0, "running", 0.3), Span("save", state="ahead")]
    assert len(draw_timeline(ahead, width)) <= width


def test_what_does_not_fit_is_named_together_and_its_seconds_are_kept() -> None:
    assert draw_timeline(ALL, 200).startswith("load 0.4 s ▕█▏ prepare 2.6 s ▕")
    assert draw_timeline(ALL, 60).startswith("other 3.3 s ▕█▏ train 3.7 min ▕")
    assert "train 3.7 min" in draw_timeline(ALL, 40)


def test_phases_ahead_go_first() -> None:
    spans = [Span("load", 0.4), Span("train", 30.0, "running", 0.5), *(Span(n, state="ahead") for n in "abc")]
    assert draw_timeline(spans, 80).endswith("a - b - c -")
    narrow = draw_timeline(spans, 40)
    assert "load" in narrow and "train 50%" in narrow and "b -" not in narrow


def test_a_run_without_a_phase_has_no_line() -> None:
    assert draw_timeline([], 80) == ""


def test_a_name_cannot_steer_the_terminal() -> None:
    assert "\x1b" not in draw_timeline([Span("lo\x1b[31mad", 1.0)], 60)


@pytest.mark.parametrize("weights", [[1.0], [0.0, 0.0, 0.0], [1e-9, 1.0], [3.0, 1.0, 2.0, 0.5]])
@pytest.mark.parametrize("cells", [4, 5, 17, 100])
def test_all_cells_are_shared_out_and_nobody_gets_none(weights: list[float], cells: int) -> None:
    lengths = share_out(weights, cells)
    assert sum(lengths) == cells and min(lengths) >= 1
    assert sorted(lengths) == [length for _, length in sorted(zip(weights, lengths, strict=True))]
