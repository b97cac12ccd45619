"""Label words from label names: readable, all different, numbers untouched."""

from __future__ import annotations

import pytest

from nlu_arena.errors import UsageError
from nlu_arena.ownfile.words import derive_words


@pytest.mark.parametrize(
    ("label", "word"),
    [
        ("card_arrival", "card arrival"),
        ("top-up_failed", "top up failed"),
        ("topUpFailed", "top up failed"),
        ("HTTPError", "http error"),
        ("Refund not  showing_up?", "refund not showing up?"),
        ("LABEL_0", "label 0"),
        ("4", "4"),
        ("-1", "-1"),
        ("4.5", "4.5"),
        ("\u597d\u8bc4", "\u597d\u8bc4"),
        ("\u00dcberraschung", "\u00fcberraschung"),
    ],
)
def test_a_name_becomes_plain_words(label: str, word: str) -> None:
    assert derive_words(["other", label])[label] == word


def test_names_that_would_become_the_same_keep_what_tells_them_apart() -> None:
    assert derive_words(["us", "US", "UK"]) == {"us": "us", "US": "US", "UK": "uk"}
    assert derive_words(["a_b", "a-b", "A b"]) == {"a_b": "a_b", "a-b": "a-b", "A b": "A b"}
    assert len(set(derive_words(["a_b", "a b", "A_b", "aB", "AB", "a-B"]).values())) == 6


@pytest.mark.parametrize("label", ["_", "--", "+", "?!", "\U0001f600"])
def test_a_name_of_signs_alone_is_its_word(label: str) -> None:
    assert derive_words(["good", label])[label] == label


def test_signs_that_only_join_words_elsewhere_stay_different() -> None:
    assert derive_words(["+", "-", "_"]) == {"+": "+", "-": "-", "_": "_"}


def test_what_a_terminal_obeys_is_no_part_of_a_word() -> None:
    labels = ["\x1b[31mred\x1b[0m", "\u202edoog", "c\x9b1md", "tab\there"]
    assert list(derive_words(labels).values()) == ["red", "doog", "cd", "tab here"]


@pytest.mark.parametrize("label", ["\x1b[0m", "\u200f", "\x07"])
def test_a_name_that_shows_nothing_is_refused(label: str) -> None:
    with pytest.raises(UsageError, match="nothing but control characters"):
        derive_words(["good", label])


def test_names_that_look_the_same_are_refused() -> None:
    with pytest.raises(UsageError, match=r"'a', 'a\\x07' differ in control characters"):
        derive_words(["a", "b", "a\x07"])
