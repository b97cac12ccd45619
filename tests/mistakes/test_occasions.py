from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from nlu_arena.contender import Round
from nlu_arena.errors import UsageError
from nlu_arena.metrics import compute_metrics
from nlu_arena.mistakes.occasions import choose_occasions
from tests.mistakes.desk import Desk


def rounds(*fingerprints: dict[str, str]) -> Sequence[Round]:
    """A run for each of the given texts by split, each of another model."""
    desk = Desk([0, 1])
    for number, texts in enumerate(fingerprints):
        measured = compute_metrics([0, 1], [0, 0], [0.5, 0.5], 2)
        fields: dict[str, Any] = {"by_split": dict.fromkeys(texts, measured), "fingerprints": texts}
        desk.add(f"m{number}", [0, 0], **fields)
    return desk.rounds


def chosen(found: Sequence[Round], split: str | None = None, texts: str | None = None) -> list[str]:
    return [occasion.round.fingerprint for occasion in choose_occasions(found, split, texts)]


def test_of_several_texts_those_with_the_most_runs_are_looked_at_and_the_others_named() -> None:
    found = rounds({"dev": "few"}, {"dev": "many"}, {"dev": "many"}, {"dev": "late"})
    (occasion,) = choose_occasions(found, None, None)
    assert occasion.round.fingerprint == "many"
    assert [other.fingerprint for other in occasion.others] == ["few", "late"]


def test_of_equally_many_runs_the_newest_texts_are_looked_at() -> None:
    assert chosen(rounds({"dev": "old"}, {"dev": "new"})) == ["new"]


def test_every_split_is_looked_at_or_the_one_asked_for() -> None:
    found = rounds({"matched": "a", "mismatched": "b"})
    assert chosen(found) == ["a", "b"]
    assert chosen(found, split="mismatched") == ["b"]


def test_texts_are_named_by_the_beginning_of_their_fingerprint() -> None:
    found = rounds({"matched": "abc", "mismatched": "xyz"}, {"matched": "abd"}, {"matched": "abd"})
    assert chosen(found, texts="abc") == ["abc"]
    assert chosen(found, texts="x") == ["xyz"]


def test_a_split_or_texts_that_are_not_there_are_refused_with_those_that_are() -> None:
    found = rounds({"dev": "abc"})
    with pytest.raises(UsageError) as error:
        choose_occasions(found, "matched", None)
    assert "dev" in error.value.hint
    with pytest.raises(UsageError) as error:
        choose_occasions(found, None, "zz")
    assert "abc (dev, 2 texts)" in error.value.hint
