from __future__ import annotations

from collections.abc import Sequence

import pytest

from nlu_arena.findings.records import Finding, SliceTest
from nlu_arena.findings.struggles import answer_struggles
from nlu_arena.statistics import mcnemar_exact
from tests.contest import Contest
from tests.findings.stage import add_bert, on, read_examples, scene_of

# The texts with a negation are the first half; of those after it BERT misses one in five.
NEGATED = list(range(50))
OTHERS = [i for i in range(50, 100) if i % 5]


def ask(llms: dict[str, Sequence[int]], bert: Sequence[int] = (*NEGATED, *OTHERS)) -> Finding:
    contest = Contest()
    add_bert(contest, bert)
    for model, right in llms.items():
        contest.add(model, right)
    return answer_struggles(scene_of(contest), read_examples)


def find_tests(finding: Finding, model: str, kind: str) -> list[SliceTest]:
    found = [test for test in finding.evidence if isinstance(test, SliceTest)]
    return [test for test in found if test.name.startswith(model) and test.kind == kind]


def test_a_kind_of_texts_on_which_the_best_model_fails_is_found() -> None:
    finding = ask({"qwen": [*range(20), *range(50, 100)]})
    assert finding.verdict == "yes"
    assert "negation" in finding.summary
    negated, plain = find_tests(finding, "qwen", "negation")
    assert (negated.n, negated.value, negated.reference_value) == (50, 0.4, 1.0)
    assert (negated.difference, negated.elsewhere) == (pytest.approx(-0.6), pytest.approx(0.2))
    assert negated.is_worse
    # There it is better, on ten texts that BERT misses.
    assert plain.p_adjusted < 0.05
    assert (negated.shown, plain.shown) == ("worse", "better")


def test_p_values_account_for_every_model_and_kind() -> None:
    finding = ask({"qwen": [*range(20), *range(50, 100)], "gemma": range(100)})
    smallest = min((t for t in finding.evidence if isinstance(t, SliceTest)), key=lambda t: t.p_value)
    assert smallest.p_value == pytest.approx(mcnemar_exact(0, 30))
    assert smallest.p_adjusted == pytest.approx(len(finding.evidence) * smallest.p_value)
    assert f"{len(finding.evidence)} tests" in " ".join(finding.sentences)


def test_where_the_best_model_does_not_fail_the_failures_of_others_are_a_part() -> None:
    finding = ask({"qwen": [*range(20), *range(50, 100)], "gemma": range(100)})
    assert finding.verdict == "in part"
    (sentence,) = [s for s in finding.sentences if s.startswith("reviews:")]
    assert "gemma zero-shot, the best of 2 LLMs, is not shown to be worse" in sentence


def test_no_difference_is_not_shown() -> None:
    assert ask({"qwen": [*NEGATED, *OTHERS]}).verdict == "not shown"


def test_a_bert_that_does_not_beat_the_majority_is_no_yardstick() -> None:
    finding = ask({"qwen": range(50, 75)}, bert=range(52))
    assert any(test.is_worse for test in finding.evidence if isinstance(test, SliceTest))
    assert finding.verdict == "not shown"
    assert "BERT itself is not shown" in finding.summary


def test_kinds_of_few_texts_are_left_out() -> None:
    finding = ask({"qwen": range(100)})
    assert [test.slice for test in find_tests(finding, "qwen", "number")] == ["no number"]


def test_several_seeds_count_together() -> None:
    contest = Contest()
    add_bert(contest, range(90))
    for seed in (1, 2, 3):
        contest.add("qwen", range(seed, 100), mode="lora", seed=seed)
    finding = answer_struggles(scene_of(contest), read_examples)
    negated = find_tests(finding, "qwen", "negation")[0]
    assert negated.value == pytest.approx(0.96)
    low, high = negated.interval
    assert low < negated.difference < high


def test_without_common_texts_it_cannot_be_said() -> None:
    contest = Contest()
    add_bert(contest, range(80), **on("rte"))
    contest.add("qwen", range(80), **on("sst2"))
    finding = answer_struggles(scene_of(contest), read_examples)
    assert finding.verdict == "cannot be said yet"
    assert finding.commands
