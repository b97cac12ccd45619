from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from nlu_arena.errors import UsageError
from nlu_arena.mistakes.replies import Reply, read_reply
from nlu_arena.mistakes.sets import find_difference, find_sets
from tests.mistakes.desk import Desk

if TYPE_CHECKING:
    from nlu_arena.mistakes.slices import Members

ENCODER: dict[str, Any] = {"family": "encoder", "mode": "fine-tune"}


def replies(desk: Desk) -> list[Reply]:
    (met,) = desk.rounds
    return [read_reply(contender, met, desk.columns) for contender in met.contenders]


def places(members: Members) -> list[int]:
    return np.flatnonzero(members).tolist()


def four(desk: Desk, sure: float = 0.95) -> None:
    """Two encoders and two LLMs; all texts are 0."""
    desk.add("bert", [0, 1, 0, 1, 0, 0], sure, **ENCODER)
    desk.add("minilm", [0, 1, 0, 1, 1, 0], sure, **ENCODER)
    desk.add("qwen", [0, 1, 1, 0, 0, 0], sure)
    desk.add("gemma", [0, 1, 1, 0, 0, 1], sure)


def test_sets_say_who_is_wrong() -> None:
    desk = Desk([0] * 6)
    four(desk)
    sets = {name: places(members) for name, members in find_sets(replies(desk)).items()}
    assert sets == {
        "all-wrong": [1],
        "llms-wrong": [2],
        "encoders-wrong": [3],
        "any-wrong": [1, 2, 3, 4, 5],
        "suspects": [1],
    }


def test_sets_that_need_both_kinds_are_left_out_where_one_is_missing() -> None:
    desk = Desk([0, 1])
    desk.add("qwen", [0, 0])
    desk.add("gemma", [1, 0])
    assert set(find_sets(replies(desk))) == {"all-wrong", "any-wrong"}


def test_a_gold_label_is_suspect_only_where_everybody_is_sure_of_the_same_other_label() -> None:
    for labels, sure, suspects in (([1, 1], 0.901, [0, 1]), ([1, 1], 0.899, []), ([1, 2], 0.95, [0])):
        desk = Desk([0, 0], labels=("a", "b", "c"))
        desk.add("bert", [1, 1], 0.99, **ENCODER)
        desk.add("qwen", labels, sure)
        assert places(find_sets(replies(desk))["suspects"]) == suspects


def test_who_gives_one_label_throughout_is_no_witness_against_a_gold_label() -> None:
    desk = Desk([0, 0, 1])
    desk.add("bert", [1, 0, 1], 0.95, **ENCODER)
    desk.add("qwen", [1, 0, 1], 0.95)
    desk.add("gemma", [0, 0, 0], 0.5, alarms={"dev": {"one label": "every answer is 'no'"}})
    assert places(find_sets(replies(desk))["suspects"]) == [0]
    desk.cells.pop(1)
    assert "suspects" not in find_sets(replies(desk))


def test_one_is_wrong_and_the_other_right() -> None:
    desk = Desk([0] * 6)
    four(desk)
    said = replies(desk)
    assert places(find_difference(said, "qwen", "bert")) == [2]
    assert places(find_difference(said, "Minilm:Fine-Tune", "bert")) == [4]
    assert places(find_difference(said, "gemma zero-shot", None)) == [5]


def test_all_contenders_of_a_model_are_meant_by_its_name_or_alias() -> None:
    desk = Desk([0, 0, 0])
    desk.add("bert", [0, 0, 0], **ENCODER)
    desk.add("qwen", [1, 1, 0], aliases=("q",))
    desk.add("qwen", [1, 0, 0], mode="lora", aliases=("q",))
    said = replies(desk)
    assert places(find_difference(said, "q", "bert")) == [0]
    assert places(find_difference(said, "q:zero-shot", "q:lora")) == [1]


@pytest.mark.parametrize(
    ("only", "other", "message", "hint"),
    [
        ("brt", None, "no run here is of 'brt'", "bert"),
        ("qwen", "nobody", "no run here is of 'nobody'", "bert:fine-tune"),
        ("qwen", "qwen:zero-shot", "both --only and --not mean it", "MODEL:MODE"),
    ],
)
def test_a_word_that_means_nobody_or_both_is_refused(
    only: str, other: str | None, message: str, hint: str
) -> None:
    desk = Desk([0] * 6)
    four(desk)
    with pytest.raises(UsageError) as error:
        find_difference(replies(desk), only, other)
    assert message in error.value.message
    assert hint in error.value.hint


def test_the_only_contender_has_nobody_to_differ_from() -> None:
    desk = Desk([0, 0])
    desk.add("qwen", [0, 1])
    with pytest.raises(UsageError, match="nobody but qwen"):
        find_difference(replies(desk), "qwen", None)
