from __future__ import annotations

import numpy as np

from nlu_arena.mistakes.slices import Slice, find_slices
from nlu_arena.spec import Example

LABELS = ("bad", "good")


def single(*texts: str) -> list[Example]:
    return [Example(text=text, label=place % 2) for place, text in enumerate(texts)]


def named(slices: list[Slice], kind: str) -> dict[str, list[int]]:
    return {part.name: np.flatnonzero(part.members).tolist() for part in slices if part.kind == kind}


def test_lengths_are_in_quarters_named_by_their_shortest_and_longest() -> None:
    slices = find_slices(single(*("w " * count for count in (1, 2, 3, 4, 5, 6, 7, 9))), LABELS)
    assert named(slices, "length") == {
        "1\u20132 words": [0, 1],
        "3\u20134 words": [2, 3],
        "5\u20136 words": [4, 5],
        "7\u20139 words": [6, 7],
    }


def test_equal_lengths_stay_together() -> None:
    slices = find_slices(single("a b", "a c", "a d", "a e", "a f", "a b c"), LABELS)
    assert named(slices, "length") == {"2 words": [0, 1, 2, 3, 4], "3 words": [5]}


def test_negation_and_number_part_the_texts() -> None:
    slices = find_slices(single("not 2", "fine", "never", "two"), LABELS)
    assert named(slices, "negation") == {"with a negation": [0, 2], "no negation": [1, 3]}
    assert named(slices, "number") == {"with a number": [0, 3], "no number": [1, 2]}
    assert named(slices, "overlap") == named(slices, "genre") == {}


def test_of_a_pair_the_side_of_the_negation_counts() -> None:
    pairs = [("It is not so", "It is"), ("It is", "It is not"), ("Never", "No"), ("It is", "It was")]
    slices = find_slices([Example(text=a, label=0, pair=b) for a, b in pairs], LABELS)
    assert named(slices, "negation") == {
        "in the hypothesis": [1, 2],
        "in the premise only": [0],
        "no negation": [3],
    }


def test_overlap_is_in_thirds_and_length_counts_both_texts() -> None:
    hypotheses = ["a b c d", "a b x y", "x y z u", "a b c x", "a x y z", "a b d c"]
    slices = find_slices([Example(text="a b c d", label=0, pair=text) for text in hypotheses], LABELS)
    assert named(slices, "overlap") == {
        "0\u201325 % of the words": [2, 4],
        "50\u201375 % of the words": [1, 3],
        "100 % of the words": [0, 5],
    }
    assert named(slices, "length") == {}


def test_each_gold_label_is_a_slice_in_the_order_of_the_labels() -> None:
    slices = find_slices([Example(text="x", label=label) for label in (2, 0, 2)], ("a", "b", "c"))
    assert named(slices, "label") == {"a": [1], "c": [0, 2]}
    assert [part.name for part in slices] == ["a", "c"]


def test_a_slice_of_all_texts_says_nothing_and_is_left_out() -> None:
    assert find_slices(single("good")[:1], LABELS) == []
