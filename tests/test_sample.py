"""Subsets and few-shot draws: seeded, stratified, and never from what is asked."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from nlu_arena.errors import RunError
from nlu_arena.sample import draw_shots, stratified_order, take_subset
from nlu_arena.spec import Example

LABELS = [0] * 60 + [1] * 30 + [2] * 10


def example(number: int, label: int) -> Example:
    return Example(text=f"text number {number} of label {label}", label=label)


EXAMPLES = [example(number, label) for number, label in enumerate(LABELS)]


def test_every_prefix_of_the_order_has_nearly_the_labels_own_shares() -> None:
    order = stratified_order(LABELS, seed=4)
    assert sorted(order) == list(range(100))
    for size in (10, 20, 50, 90):
        counts = Counter(LABELS[row] for row in order[:size])
        for label, total in Counter(LABELS).items():
            assert abs(counts[label] - total * size / 100) <= 1


def test_a_smaller_subset_is_the_start_of_a_larger_one_of_the_same_seed() -> None:
    small, large = take_subset(EXAMPLES, 20, seed=1), take_subset(EXAMPLES, 50, seed=1)
    assert large[:20] == small
    assert small != take_subset(EXAMPLES, 20, seed=2)


def test_without_a_limit_the_rows_keep_their_own_order() -> None:
    assert take_subset(EXAMPLES, None, seed=1) == EXAMPLES
    assert take_subset(EXAMPLES, 1000, seed=1) == EXAMPLES


@pytest.mark.parametrize("shots", [0, 1, 3, 5, 7, 9])
def test_a_draw_is_as_balanced_as_its_number_allows(shots: int) -> None:
    drawn = draw_shots(EXAMPLES, 3, shots, seed=11)
    counts = Counter(e.label for e in drawn)
    assert len(drawn) == shots
    assert max(counts.values(), default=0) - min((counts[label] for label in range(3)), default=0) <= 1


def test_the_order_of_a_draw_and_which_label_gets_one_more_are_random() -> None:
    draws = [[e.label for e in draw_shots(EXAMPLES, 3, 5, seed=seed)] for seed in range(40)]
    assert len({tuple(draw) for draw in draws}) > 20
    rarest = Counter(min(Counter(draw).items(), key=lambda item: item[1])[0] for draw in draws)
    assert set(rarest) == {0, 1, 2}
    assert draws == [[e.label for e in draw_shots(EXAMPLES, 3, 5, seed=seed)] for seed in range(40)]


def test_no_example_that_is_asked_is_shown_in_any_spelling() -> None:
    asked = [Example(text=f"  TEXT number {n}   of label 2", label=0) for n in range(90, 97)]
    for seed in range(20):
        shown = {e.text for e in draw_shots(EXAMPLES, 3, 9, seed, exclude=asked) if e.label == 2}
        assert shown == {EXAMPLES[n].text for n in (97, 98, 99)}


def test_a_duplicate_row_is_shown_once() -> None:
    twice = [e for e in EXAMPLES for _ in range(2)]
    random.Random(0).shuffle(twice)
    drawn = draw_shots(twice, 3, 30, seed=0)
    assert len({e.text for e in drawn}) == 30


def test_fragments_are_not_shown() -> None:
    fragments = [Example(text="too short", label=n % 2) for n in range(50)]
    whole = [Example(text=f"this one is a whole sentence {n}", label=n % 2) for n in range(6)]
    assert set(draw_shots(fragments + whole, 2, 6, seed=0, min_words=5)) == set(whole)


def test_too_few_examples_of_a_label_is_an_error() -> None:
    with pytest.raises(RunError, match="too few examples with label 2"):
        draw_shots(EXAMPLES, 3, 60, seed=0)
