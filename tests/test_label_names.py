"""Labels by name, whatever their case, or by their number; never by a guess."""

from __future__ import annotations

import msgspec
import pytest

from nlu_arena.errors import RunError
from nlu_arena.label_names import LabelNames, parse_label
from nlu_arena.spec import TaskSpec


def test_labels_are_mapped_by_name_whatever_their_case_or_by_their_number(opinion_task: TaskSpec) -> None:
    assert parse_label("Positive", opinion_task, "here") == 1
    assert parse_label(0, opinion_task, "here") == 0
    assert parse_label(" 1 ", opinion_task, "here") == 1
    with pytest.raises(RunError, match="here: label '2' is none of negative, positive"):
        parse_label(2, opinion_task, "here")


def test_names_that_differ_in_their_case_must_be_given_exactly() -> None:
    names = LabelNames(["us", "US", "uk"])
    assert [names.find(name) for name in ("us", "US", "Us", "UK")] == [0, 1, None, 2]


def test_a_name_is_never_a_place() -> None:
    assert [LabelNames(["no", "yes"]).find(name) for name in ("0", "1", "YES")] == [None, None, 1]


def test_where_names_are_numbers_a_number_is_a_name(opinion_task: TaskSpec) -> None:
    task = msgspec.structs.replace(opinion_task, labels=("1", "2", "other"))
    assert [parse_label(name, task, "here") for name in ("1", "2", "OTHER")] == [0, 1, 2]
    with pytest.raises(RunError, match="label '0' is none of"):
        parse_label("0", task, "here")


def test_a_number_of_thousands_of_digits_is_no_label(opinion_task: TaskSpec) -> None:
    with pytest.raises(RunError, match="is none of"):
        parse_label("1" * 5000, opinion_task, "here")
