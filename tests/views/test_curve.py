from __future__ import annotations

from typing import Any

import pytest

from nlu_arena.contender import Contender, find_rounds
from nlu_arena.learning_curve import Crossing, Curve, Point
from nlu_arena.views.curve import curve_document, curve_lines
from tests.contest import Contest


def make_curve() -> Curve:
    contest = Contest()
    contest.add("small", range(51), "fine-tune", setting="32", alarms={"dev": {"one label": "why"}})
    contest.add("small", range(80), "fine-tune", setting="1000")
    (found,) = find_rounds(contest.cells, contest.labels)
    first, second = (as_point(c, rows) for c, rows in zip(found.contenders, (32, 1000), strict=True))
    return Curve("small fine-tune", "small", "fine-tune", (first, second))


def as_point(contender: Contender, rows: int) -> Point:
    return Point(rows, contender)


def crossing(**fields: Any) -> Crossing:
    given: dict[str, Any] = {
        "curve": "small fine-tune",
        "level": "llm few-shot",
        "level_accuracy": 0.7,
        "level_interval": (0.6, 0.78),
        "outcome": "from",
        "rows": 173.4,
        "low": 61.6,
        "high": 514.9,
        "share_already": 0.01,
        "share_not": 0.02,
        "smallest": 32,
        "largest": 1000,
    }
    return Crossing(**given | fields)


def say(*crossings: Crossing) -> str:
    _, line = curve_lines([make_curve()], crossings, 0.5)
    return line.strip()


def test_the_points_are_told_with_their_alarms() -> None:
    assert curve_lines([make_curve()], [], 0.5) == [
        "small fine-tune by labelled examples: 32: 51.0 % ! one label, 1,000: 80.0 %"
    ]


def test_a_crossing_is_told_in_numbers_no_finer_than_they_are_known() -> None:
    assert say(crossing()) == "beats prompting (llm few-shot, 70.0 %) from about 170 on (95 %: 62 to 510)"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"high": None, "share_not": 0.12}, "(95 %: 62 or more; in 12 % of resamples not up to 1,000)"),
        ({"low": None, "share_already": 0.3}, "(95 %: up to 510; in 30 % of resamples fewer than 32)"),
        (
            {"low": None, "high": None, "share_already": 0.3, "share_not": 0.12},
            "(95 %: any number; in 30 % of resamples fewer than 32; in 12 % of resamples not up to 1,000)",
        ),
        (
            {"outcome": "already", "rows": None, "low": None, "high": 60.0},
            " 70.0 %) already with 32, the fewest that were tried (95 %: up to 60)",
        ),
        (
            {"outcome": "not", "rows": None, "low": 700.0, "high": None},
            "does not beat prompting (llm few-shot, 70.0 %) with up to 1,000 (95 %: 700 or more)",
        ),
    ],
)
def test_an_interval_that_is_open_says_so(fields: dict[str, Any], said: str) -> None:
    assert say(crossing(**fields)).endswith(said)


def test_of_several_prompted_ones_the_best_is_told_and_that_it_was_picked() -> None:
    told = say(crossing(), crossing(level="llm zero-shot", level_accuracy=0.6))
    assert told.startswith("beats the best of 2 prompted ones (llm few-shot, 70.0 %) from about 170 on")


def test_a_prompted_one_that_may_be_no_better_than_the_majority_is_marked() -> None:
    assert "(llm few-shot, 70.0 %, itself ≈ majority)" in say(crossing(level_interval=(0.45, 0.8)))


def test_the_document_has_every_point_and_every_crossing() -> None:
    document = curve_document([make_curve()], [crossing(), crossing(level="other")])
    (curve,) = document["curves"]
    assert curve["points"][0] == {
        "name": "small fine-tune #1",
        "train_rows": 32,
        "accuracy": 0.51,
        "interval": list(make_curve().points[0].interval),
        "seeds": [42],
        "alarms": ["one label"],
    }
    assert [each["level"] for each in document["crossings"]] == ["llm few-shot", "other"]
