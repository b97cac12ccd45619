from __future__ import annotations

from typing import Any

import pytest

from nlu_arena.contender import find_rounds
from nlu_arena.limits import Limits
from nlu_arena.recommendation import Candidate, Recommendation, recommend
from nlu_arena.statistics import LEVEL, mcnemar_exact, paired_interval
from tests.contest import Contest, N

CPU = "cpu x86_64"


def decide(contest: Contest, here: list[str] | None = None, **limits: Any) -> Recommendation:
    (found,) = find_rounds(contest.cells, contest.labels)
    return recommend(found, Limits(**limits), contest.cells, [CPU] if here is None else here)


def costs(latency: float | None, memory: int | None = 1000, seconds: float | None = None) -> dict[str, Any]:
    return {
        "call_ms": {} if latency is None else {1: latency},
        "peak_rss_bytes": memory,
        "train_seconds": seconds,
    }


def standings(found: Recommendation) -> dict[str, str]:
    return {candidate.name: candidate.standing for candidate in found.candidates}


def by_name(found: Recommendation) -> dict[str, Candidate]:
    return {candidate.name: candidate for candidate in found.candidates}


def test_the_most_accurate_of_the_front_is_recommended_and_the_front_is_ordered() -> None:
    contest = Contest()
    contest.add("cheap", range(75), **costs(1.0))
    contest.add("best", range(95), **costs(9.0))
    contest.add("dear", range(85), **costs(20.0))
    found = decide(contest)
    assert (found.task, found.split, found.n, found.recommended) == ("reviews", "dev", N, "best zero-shot")
    assert [candidate.name for candidate in found.front] == ["best zero-shot", "cheap zero-shot"]
    dear = by_name(found)["dear zero-shot"]
    assert (dear.on_front, dear.beaten_by) == (False, "best zero-shot")


def test_training_time_and_memory_are_costs_too_and_prompting_trains_in_no_time() -> None:
    contest = Contest()
    contest.add("trained", range(90), "fine-tune", **costs(1.0, 1000, 60.0))
    contest.add("small", range(80), "lora", **costs(1.0, 900, 60.0))
    contest.add("prompted", range(70), **costs(5.0, 5000))
    contest.add("slow", range(70), "lora", **costs(1.0, 1000, 61.0))
    names = [candidate.name for candidate in decide(contest).front]
    assert names == ["trained fine-tune", "small lora", "prompted zero-shot"]


def test_of_equally_accurate_ones_the_faster_comes_first() -> None:
    contest = Contest()
    contest.add("slow", range(90), **costs(9.0, 900))
    contest.add("fast", range(90), **costs(1.0, 1000))
    found = decide(contest)
    assert (found.recommended, len(found.front)) == ("fast zero-shot", 2)


def test_what_misses_a_limit_is_left_out_and_says_which_and_how() -> None:
    contest = Contest()
    contest.add("best", range(95), **costs(30.0))
    contest.add("quick", range(85), **costs(10.0))
    found = decide(contest, latency_ms=20.0)
    assert standings(found) == {"best zero-shot": "misses a limit", "quick zero-shot": "recommended"}
    best = by_name(found)["best zero-shot"]
    assert [(miss.limit, miss.value, miss.most) for miss in best.misses] == [("latency_ms", 30.0, 20.0)]
    assert (best.lead, best.gap, best.on_front) == (None, None, False)


def test_an_unknown_cost_meets_no_limit_and_counts_as_the_highest_without_one() -> None:
    contest = Contest()
    contest.add("unknown", range(90), **costs(None))
    contest.add("known", range(90), **costs(5.0))
    found = decide(contest)
    assert by_name(found)["unknown zero-shot"].beaten_by == "known zero-shot"
    assert standings(decide(contest, latency_ms=1e6))["unknown zero-shot"] == "misses a limit"


def test_the_others_are_tested_on_the_same_texts_and_adjusted_for_all_pairs_within_the_limits() -> None:
    contest = Contest()
    contest.add("best", range(90), **costs(5.0))
    contest.add("close", [*range(10, 90), 90], **costs(4.0))
    contest.add("third", range(88), **costs(4.5))
    contest.add("slow", range(88), **costs(50.0))
    gap = by_name(decide(contest, latency_ms=10.0))["close zero-shot"].gap
    assert gap is not None
    assert gap.method == "exact"
    assert gap.difference == pytest.approx(-0.09)
    assert gap.interval == paired_interval(N, 1, 10)
    assert gap.p_value == mcnemar_exact(1, 10) < LEVEL
    assert gap.p_adjusted == pytest.approx(3 * gap.p_value)
    without_limits = by_name(decide(contest))["close zero-shot"].gap
    assert without_limits is not None and without_limits.p_adjusted == pytest.approx(6 * gap.p_value)


def test_only_what_is_shown_to_be_worse_is_called_so() -> None:
    contest = Contest()
    contest.add("best", range(90), **costs(9.0))
    contest.add("near", range(5, 92), **costs(8.0))
    contest.add("far", range(65), **costs(7.0))
    assert standings(decide(contest)) == {
        "best zero-shot": "recommended",
        "near zero-shot": "not shown to be worse",
        "far zero-shot": "worse",
    }


def test_several_seeds_are_compared_by_their_means() -> None:
    contest = Contest()
    for seed in (1, 2, 3):
        contest.add("a", range(88 + seed), "lora", seed=seed, **costs(2.0))
        contest.add("b", range(60 + seed), "lora", seed=seed, **costs(1.0))
    found = by_name(decide(contest))
    gap = found["b lora"].gap
    assert gap is not None and gap.method == "bootstrap"
    assert gap.difference == pytest.approx(-0.28)
    assert found["b lora"].standing == "worse"
    assert found["a lora"].seeds == (1, 2, 3)


def test_what_does_not_beat_the_majority_share_is_never_on_the_front() -> None:
    contest = Contest()
    contest.add("good", range(80), **costs(9.0))
    contest.add("coin", range(52), **costs(1.0))
    found = decide(contest)
    assert standings(found)["coin zero-shot"] == "not shown to beat the majority"
    assert [candidate.name for candidate in found.front] == ["good zero-shot"]
    coins = decide(contest, latency_ms=5.0)
    assert (coins.recommended, coins.front, coins.faster) == (None, [], None)
    assert coins.majority_label == "bad"


def test_what_has_an_alarm_is_set_aside_however_good_it_looks() -> None:
    contest = Contest()
    contest.add("suspect", range(95), alarms={"dev": {"ties": "many"}}, **costs(1.0))
    contest.add("sound", range(80), **costs(5.0))
    found = decide(contest)
    assert standings(found) == {"suspect zero-shot": "set aside", "sound zero-shot": "recommended"}


@pytest.mark.parametrize(
    ("latency", "right", "expected"),
    [(7.0, 88, "other zero-shot"), (8.0, 88, None), (4.0, 60, "other zero-shot"), (5.0, 60, None)],
    ids=["as good", "as good and hardly faster", "worse but far faster", "worse and little faster"],
)
def test_a_faster_one_is_named_where_it_is_worth_it(latency: float, right: int, expected: str | None) -> None:
    contest = Contest()
    contest.add("best", range(90), **costs(9.0))
    contest.add("other", range(right), **costs(latency, 900))
    assert decide(contest).faster == expected


def test_costs_of_different_devices_do_not_compare() -> None:
    contest = Contest()
    contest.add("here", range(90), **costs(5.0))
    contest.add("there", range(80), device="cuda H100", **costs(50.0))
    contest.add("quick", range(79), device="cuda H100", **costs(1.0))
    found = decide(contest)
    assert [candidate.name for candidate in found.front] == [
        "here zero-shot",
        "there zero-shot",
        "quick zero-shot",
    ]
    assert found.faster is None
    assert [candidate.is_timed_here for candidate in found.candidates] == [True, False, False]
    assert all(candidate.is_timed_here for candidate in decide(contest, ["cuda H100", CPU]).candidates)
    assert not decide(contest, ["cpu x86"]).candidates[0].is_timed_here


def test_a_run_is_named_by_its_title_unless_that_means_a_newer_one_of_another_contender() -> None:
    contest = Contest()
    for rows in (32, 128):
        contest.add(
            "a",
            range(rows // 2 + 30),
            "fine-tune",
            setting=f"{rows}",
            train_rows=rows,
            folder=f"folder-{rows}",
        )
    contest.add("b", range(70))
    runs = {candidate.accuracy: candidate.run for candidate in decide(contest).candidates}
    assert runs == {0.94: "a/reviews/fine-tune", 0.46: "folder-32", 0.7: "b/reviews/zero-shot"}


def test_the_nearest_is_the_one_that_misses_the_fewest_limits_by_the_least() -> None:
    contest = Contest()
    contest.add("suspect", range(90), alarms={"dev": {"ties": "many"}}, **costs(5.1))
    contest.add("far", range(90), **costs(50.0))
    contest.add("near", range(70), **costs(6.0))
    contest.add("both", range(80), **costs(5.5, 9000))
    nearest = decide(contest, latency_ms=5.0, memory_bytes=2000).nearest()
    assert nearest is not None and nearest.name == "near zero-shot"
    nearest = decide(contest, memory_bytes=0).nearest()
    assert nearest is not None and nearest.needs.memory_bytes == min(
        candidate.needs.memory_bytes or 0 for candidate in decide(contest).candidates
    )
    assert decide(contest).nearest() is None


def test_one_number_from_other_splits_than_the_published_marks_the_whole() -> None:
    contest = Contest()
    contest.add("a", range(90), published="GLUE")
    contest.add("b", range(80), published="GLUE", data_differences={"dev": "100 rows"})
    found = decide(contest)
    assert (found.published, found.published_name) == (False, "GLUE")
    contest.cells.pop()
    assert decide(contest).published is True
