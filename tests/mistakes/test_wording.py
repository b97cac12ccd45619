from __future__ import annotations

import pytest

from nlu_arena.mistakes.wording import find_words, has_negation, has_number, measure_overlap


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("It's 3.5 stars — a well-made film!", ["it's", "3", "5", "stars", "a", "well", "made", "film"]),
        ("He did n't; she don\u2019t.", ["he", "did", "n't", "she", "don't"]),
        ("我喜欢 iPhone15", ["我", "喜", "欢", "iphone15"]),
        ("\U0001f600 … ''", []),
        ("Été à Zürich", ["été", "à", "zürich"]),
    ],
)
def test_words_are_in_small_letters_without_punctuation(text: str, words: list[str]) -> None:
    assert find_words(text) == words


@pytest.mark.parametrize(
    ("text", "is_denied"),
    [
        ("not good", True),
        ("No.", True),
        ("it never works", True),
        ("I can\u2019t log in", True),
        ("i cant log in", True),
        ("they did n't", True),
        ("nobody, without help", True),
        ("notable knots", False),
        ("another one", False),
        ("a cantata", False),
    ],
)
def test_a_negation_is_a_whole_word(text: str, is_denied: bool) -> None:
    assert has_negation(find_words(text)) is is_denied


@pytest.mark.parametrize(
    ("text", "is_number"),
    [
        ("19 bridges", True),
        ("the 1990s", True),
        ("covid19", True),
        ("twenty-one guns", True),
        ("millions of them", True),
        ("one of the best", False),
        ("in a second", False),
        ("often eaten", False),
    ],
)
def test_a_number_is_a_digit_or_a_number_word_but_not_one(text: str, is_number: bool) -> None:
    assert has_number(find_words(text)) is is_number


def test_overlap_is_the_share_of_the_hypothesis_that_the_premise_has() -> None:
    premise = find_words("The theme park was dropped in 2016.")
    assert measure_overlap(premise, find_words("the PARK dropped")) == 1
    assert measure_overlap(premise, find_words("a park, dropped twice")) == 0.5
    assert measure_overlap(premise, find_words("nothing here")) == 0
    assert measure_overlap(premise, []) == 0
