from __future__ import annotations

from typing import Any

import pytest

from nlu_arena.errors import NothingToShowError, UsageError
from nlu_arena.metrics import wilson_interval
from nlu_arena.mistakes.review import LABELS_SHOWN, choose_slices
from tests.mistakes.desk import Desk

ENCODER: dict[str, Any] = {"family": "encoder", "mode": "fine-tune"}


def test_the_default_lists_what_all_get_wrong_the_surest_mistakes_first() -> None:
    desk = Desk([0, 0, 0], labels=("a", "b", "c"))
    desk.add("bert", [1, 0, 1], 0.6, **ENCODER)
    desk.add("qwen", [2, 1, 1], 0.9)
    found = desk.review()
    assert found.listed == (0, 2)
    assert found.sets["all-wrong"] == 2


def test_of_texts_that_anybody_gets_wrong_those_come_first_that_most_do() -> None:
    desk = Desk([0, 0, 0, 0])
    desk.add("bert", [0, 1, 0, 1], 0.6, **ENCODER)
    desk.add("qwen", [1, 1, 0, 0], 0.9)
    assert desk.review(of_set="any-wrong").listed == (1, 0, 3)


def test_error_rates_are_means_over_the_seeds_with_the_interval_of_as_many_texts() -> None:
    desk = Desk([0, 1, 0, 1])
    desk.add("a", [0, 1, 0, 0], seed=1)
    desk.add("a", [1, 0, 0, 0], seed=2)
    (rate,) = desk.review().rates
    assert (rate.n, rate.share) == (4, 0.5)
    assert rate.interval == wilson_interval(2, 4)
    desk.add("b", [1, 0, 1, 1], seed=1)
    desk.add("b", [1, 0, 1, 0], seed=2)
    _, rate = desk.review().rates
    assert rate.interval == wilson_interval(3.5, 4)


def test_every_slice_has_the_error_rate_of_every_contender() -> None:
    desk = Desk([0, 1, 0, 1])
    desk.add("a", [0, 0, 0, 0])
    desk.add("b", [1, 1, 0, 1])
    parts = {(part.slice.kind, part.slice.name): part for part in desk.review().slices}
    assert [rate.share for rate in parts["label", "yes"].rates] == [1, 0]
    assert [rate.share for rate in parts["label", "no"].rates] == [0, 0.5]
    assert parts["label", "no"].n == 2


def test_only_the_gold_labels_asked_for_count_anywhere() -> None:
    desk = Desk([0, 1, 0, 1])
    desk.add("a", [0, 0, 1, 1])
    found = desk.review(labels=("NO",))
    assert found.listed == (2,)
    assert found.sets == {"all-wrong": 1, "any-wrong": 1}
    assert [rate.share for rate in found.rates] == [0.5]
    assert found.replies[0].confusions.tolist() == [[1, 1], [0, 0]]
    assert {part.slice.name for part in found.slices if part.slice.kind == "label"} == {"no"}
    assert desk.review(labels=("no", "yes")).listed == desk.review().listed


def test_a_label_that_is_none_or_that_no_text_has_is_refused() -> None:
    desk = Desk([0, 0], labels=("no", "yes", "maybe"))
    desk.add("a", [0, 1])
    with pytest.raises(UsageError) as error:
        desk.review(labels=("mayb",))
    assert "maybe" in error.value.hint
    with pytest.raises(NothingToShowError, match="no text of reviews"):
        desk.review(labels=("maybe",))


def test_a_set_that_needs_an_encoder_and_an_llm_says_so() -> None:
    desk = Desk([0, 0])
    desk.add("a", [0, 1])
    with pytest.raises(NothingToShowError, match="llms-wrong needs an encoder and an LLM"):
        desk.review(of_set="llms-wrong")


def test_of_many_gold_labels_people_are_shown_those_with_the_most_mistakes() -> None:
    count = LABELS_SHOWN + 5
    gold = [place % count for place in range(3 * count)]
    desk = Desk(gold, labels=[f"l{place}" for place in range(count)])
    desk.add("a", [0 if label in (3, 7) else label for label in gold])
    shown = [part.slice.name for part in choose_slices(desk.review().slices) if part.slice.kind == "label"]
    assert len(shown) == LABELS_SHOWN
    assert shown[:2] == ["l3", "l7"]
