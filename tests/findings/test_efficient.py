from __future__ import annotations

from typing import Any

import pytest

from nlu_arena.findings.efficient import answer_efficiency
from nlu_arena.findings.records import Front
from tests.contest import Contest
from tests.findings.stage import ALARMS, add_bert, scene_of


def costs(ms: float, mib: int = 100, seconds: float | None = None) -> dict[str, Any]:
    return {"call_ms": {1: ms}, "peak_rss_bytes": mib * 2**20, "train_seconds": seconds}


def front_of(contest: Contest) -> Front:
    (front,) = answer_efficiency(scene_of(contest)).evidence
    assert isinstance(front, Front)
    return front


def test_a_costlier_and_more_accurate_one_is_a_trade_off() -> None:
    contest = Contest()
    add_bert(contest, range(90), **costs(2.0, seconds=60.0))
    contest.add("qwen", range(70), **costs(9.0))
    contest.add("gemma", range(69), **costs(12.0, mib=200))
    finding = answer_efficiency(scene_of(contest))
    assert finding.answer == "no: none is the best in everything, a trade-off on reviews"
    front = front_of(contest)
    assert [(p.name, p.on_front) for p in front.points] == [
        ("bert-base fine-tune", True),
        ("qwen zero-shot", True),
        ("gemma zero-shot", False),
    ]
    # Nothing is trained: that is no unknown cost.
    assert [p.train_seconds for p in front.points] == [60.0, 0.0, 0.0]


def test_one_that_is_best_at_everything_is_the_answer() -> None:
    contest = Contest()
    contest.add("qwen", range(90), **costs(2.0))
    contest.add("gemma", range(70), **costs(9.0, mib=200))
    assert answer_efficiency(scene_of(contest)).answer == "yes: qwen zero-shot on reviews"


def test_what_does_not_beat_the_majority_share_is_on_no_front_however_cheap() -> None:
    contest = Contest()
    contest.add("qwen", range(90), **costs(20.0))
    contest.add("tiny", range(52), **costs(0.1, mib=1))
    assert answer_efficiency(scene_of(contest)).verdict == "cannot be said yet"
    front = front_of(contest)
    assert [point.name for point in front.points] == ["qwen zero-shot"]
    assert front.weak == ("tiny zero-shot",)


def test_an_unknown_cost_cannot_put_anything_on_the_front() -> None:
    contest = Contest()
    contest.add("qwen", range(90), **costs(2.0))
    contest.add("gemma", range(80), call_ms={1: 5.0})
    points = {point.name: point.on_front for point in front_of(contest).points}
    assert points == {"qwen zero-shot": True, "gemma zero-shot": False}


def test_what_was_timed_on_another_device_is_named_and_left_out() -> None:
    contest = Contest()
    for model in ("a", "b"):
        contest.add(model, range(80), **costs(5.0))
    contest.add("c", range(95), device="cuda H100", **costs(0.1))
    front = front_of(contest)
    assert front.device == "cpu x86_64, 2 threads"
    assert front.elsewhere == ("c zero-shot",)
    assert any("on another device: c zero-shot" in s for s in answer_efficiency(scene_of(contest)).sentences)


def test_what_has_an_alarm_takes_no_part() -> None:
    contest = Contest()
    contest.add("qwen", range(90), **costs(2.0), **ALARMS)
    contest.add("gemma", range(80), **costs(5.0))
    assert [point.name for point in front_of(contest).points] == ["gemma zero-shot"]


def test_the_gain_of_the_most_accurate_over_the_fastest_accounts_for_all_pairs() -> None:
    contest = Contest()
    contest.add("slow", range(84), **costs(9.0))
    contest.add("fast", range(70), **costs(1.0))
    alone = front_of(contest)
    assert alone.fastest == "fast zero-shot"
    assert alone.gap == 0.14
    contest.add("other", range(72), **costs(10.0))
    third = front_of(contest)
    assert alone.gap_p is not None
    assert third.gap_p is not None
    assert third.gap_p == 3 * alone.gap_p
    # One more that does not beat the majority share could have been on the front all the same.
    contest.add("weak", range(52), **costs(0.1))
    assert front_of(contest).gap_p == pytest.approx(6 * alone.gap_p)


def test_without_times_it_cannot_be_said() -> None:
    contest = Contest()
    contest.add("qwen", range(90), data_source="starter")
    finding = answer_efficiency(scene_of(contest))
    assert finding.answer == "cannot be said yet: nothing was timed"
    # It was alone, too.
    assert finding.commands == (
        "nlu-arena run --model minilm --task reviews --mode fine-tune --data starter",
    )
