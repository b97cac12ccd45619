"""From scores to rows."""

from __future__ import annotations

import math

import pytest

from nlu_arena.datafile import DataRow
from nlu_arena.predicting.answers import make_records, name_answers
from nlu_arena.predicting.texts import Chunk
from nlu_arena.spec import Example

TEXT = Example("a", 0)


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
        Chunk(rows, [TEXT, TEXT]),
        [[math.log(0.25), math.log(0.75)], [half, half]],
        ["text", "n"],
        ["no", "yes"],
    )
    assert records[0] == ["a", 1, "yes", *map(pytest.approx, (0.75, 0.25, 0.75))]
    assert records[1] == ["b", None, "no", *map(pytest.approx, (0.5, 0.5, 0.5))]


def test_every_row_needs_its_scores() -> None:
    with pytest.raises(ValueError, match="shorter"):
        make_records(Chunk([DataRow(1, {}), DataRow(2, {})], [TEXT, TEXT]), [[0.0]], [], ["a"])


def test_a_row_without_a_text_has_no_answer_and_takes_none_from_the_others() -> None:
    rows = [DataRow(number, {"n": number}) for number in (1, 2, 3)]
    chunk = Chunk(rows, [None, TEXT, None])
    assert make_records(chunk, [[-math.inf, 0.0]], ["n"], ["no", "yes"]) == [
        [1, None, None, None, None],
        [2, "yes", 1.0, 0.0, 1.0],
        [3, None, None, None, None],
    ]
