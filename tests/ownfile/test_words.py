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


@pytest.mark.parametrize("label", ["_", "--", "?!", "\U0001f600"])
def test_a_name_without_a_letter_or_digit_is_refused(label: str) -> None:
    with pytest.raises(UsageError, match="has neither a letter nor a digit"):
        derive_words(["good", label])
