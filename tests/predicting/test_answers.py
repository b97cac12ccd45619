"""From scores to rows."""

from __future__ import annotations

import math

import pytest

from nlu_arena.datafile import DataRow
from nlu_arena.predicting.answers import make_records, name_answers


def test_new_columns_are_named_after_the_labels() -> None:
    names = name_answers(["text"], ["no", "yes"])
    assert list(names.values()) == ["label", "probability", "p(no)", "p(yes)"]


def test_a_name_that_is_taken_gets_the_next_free_number() -> None:
    names = name_answers(["label", "label_2", "p(no)"], ["no", "yes"])
    assert list(names.values()) == ["label_3", "probability", "p(no)_2", "p(yes)"]


def test_the_label_is_the_most_probable_and_the_first_of_equal_ones() -> None:
    rows = [DataRow(1, {"text": "a", "n": 1}), DataRow(2, {"text": "b"})]
    half = math.log(0.5)
    records = make_records(
        rows, [[math.log(0.25), math.log(0.75)], [half, half]], ["text", "n"], ["no", "yes"]
    )
    assert records[0] == ["a", 1, "yes", *map(pytest.approx, (0.75, 0.25, 0.75))]
    assert records[1] == ["b", None, "no", *map(pytest.approx, (0.5, 0.5, 0.5))]


def test_every_row_needs_its_scores() -> None:
    with pytest.raises(ValueError, match="shorter"):
        make_records([DataRow(1, {}), DataRow(2, {})], [[0.0]], [], ["a"])
