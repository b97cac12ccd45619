from __future__ import annotations

from typing import Any

from nlu_arena.findings import Findings, Headline, find_findings
from tests.contest import Contest
from tests.findings.stage import ALARMS, add_bert, read_examples, scene_of


def find(contest: Contest) -> Findings:
    return find_findings(scene_of(contest), read_examples)


def headline(contest: Contest, key: str) -> Headline:
    (found,) = [h for h in find(contest).headlines if h.key == key]
    return found


def add_llm(contest: Contest, model: str, right: int, mode: str = "lora", **fields: Any) -> None:
    size = {"small": 500_000_000, "large": 2_000_000_000}[model]
    contest.add(model, range(right), mode=mode, size=size, **fields)


def test_there_are_five_questions_and_four_headlines_whatever_the_ledger_has() -> None:
    contest = Contest()
    contest.add("small", range(60))
    findings = find(contest)
    assert [q.key for q in findings.questions] == ["matching", "prompting", "size", "efficiency", "struggles"]
    assert [h.key for h in findings.headlines] == ["lora", "few-shot", "smallest", "trade-off"]
    assert {h.standing for h in findings.headlines} == {"cannot be said yet"}
    assert findings.comparisons == 0


def test_a_headline_says_what_its_question_says() -> None:
    contest = Contest()
    add_bert(contest, range(70))
    add_llm(contest, "small", 100)
    assert headline(contest, "lora").standing == "shown"
    assert headline(contest, "few-shot").standing == "cannot be said yet"


def test_the_smallest_model_is_near_the_best_if_no_other_one_can_be_five_points_better() -> None:
    contest = Contest()
    add_llm(contest, "small", 90)
    add_llm(contest, "large", 85, mode="few-shot")
    add_llm(contest, "large", 80)
    assert headline(contest, "smallest").standing == "shown"
    # The best of the others is what counts, in whichever mode it is.
    add_llm(contest, "large", 99, mode="zero-shot")
    found = headline(contest, "smallest")
    assert found.standing == "not shown"
    assert "against the best of the others, large zero-shot" in found.sentence


def test_the_smallest_model_stands_in_the_mode_that_has_learned_most_even_if_another_scores_better() -> None:
    contest = Contest()
    add_llm(contest, "small", 60)
    add_llm(contest, "small", 95, mode="zero-shot")
    add_llm(contest, "large", 90)
    found = headline(contest, "smallest")
    assert {row.name for row in found.evidence} == {"small lora"}
    assert found.standing == "not shown"


def test_near_the_best_where_nobody_beats_the_majority_is_nothing() -> None:
    contest = Contest()
    add_llm(contest, "small", 52)
    add_llm(contest, "large", 10)
    found = headline(contest, "smallest")
    assert found.standing == "not shown"
    assert "no LLM is shown to beat the majority share" in found.sentence


def test_a_model_with_an_alarm_is_not_among_the_others() -> None:
    contest = Contest()
    add_llm(contest, "small", 90)
    add_llm(contest, "large", 99, **ALARMS)
    assert headline(contest, "smallest").standing == "cannot be said yet"


def test_one_point_on_the_front_is_no_trade_off() -> None:
    contest = Contest()
    add_llm(contest, "small", 90, mode="zero-shot", call_ms={1: 1.0}, peak_rss_bytes=1)
    add_llm(contest, "large", 80, mode="zero-shot", call_ms={1: 2.0}, peak_rss_bytes=2)
    assert headline(contest, "trade-off").standing == "not shown"
    add_bert(contest, range(99), call_ms={1: 1.5}, peak_rss_bytes=1, train_seconds=9.0)
    found = headline(contest, "trade-off")
    assert (found.standing, found.sentence) == ("shown", "On the Pareto front: 2 of 3 on reviews.")
