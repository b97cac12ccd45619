from __future__ import annotations

import pytest

from nlu_arena.report.plots.pages import split_evenly
from nlu_arena.report.plots.style import letter_names


@pytest.mark.parametrize(
    ("count", "sizes"), [(0, []), (1, [1]), (40, [40]), (41, [20, 21]), (100, [33, 34, 33])]
)
def test_parts_are_nearly_equal_and_none_is_too_long(count: int, sizes: list[int]) -> None:
    parts = split_evenly(range(count), 40)
    assert [len(part) for part in parts] == sizes
    assert [item for part in parts for item in part] == list(range(count))


def test_names_that_are_equal_when_shortened_are_told_apart() -> None:
    names = ["a" * 30 + str(place) + "b" * 30 for place in range(2)]
    first, second = letter_names([*names, "short"])[:2]
    assert first.startswith("#1 a") and second.startswith("#2 a") and len(first) == len(second) <= 52
    assert letter_names(["short", "other"]) == ["short", "other"]
