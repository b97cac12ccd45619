from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest

from nlu_arena.alarms import Alarms, find_alarms, recorded_alarms
from nlu_arena.metrics import Metrics, compute_metrics
from nlu_arena.spec import Prediction

LABELS = ("no", "yes")


def answer(gold: Sequence[int], predicted: Sequence[int], ties: int = 0) -> list[Prediction]:
    pairs = zip(gold, predicted, strict=True)
    return [Prediction(i, g, p, (-0.7, -0.7), tied=i < ties) for i, (g, p) in enumerate(pairs)]


def measure(answers: Sequence[Prediction]) -> Metrics:
    return compute_metrics([a.gold for a in answers], [a.predicted for a in answers], [0.5] * len(answers), 2)


def alarms(answers: Sequence[Prediction]) -> Alarms:
    return find_alarms(answers, measure(answers), LABELS, "dev")


def right(n: int) -> tuple[list[int], list[int]]:
    labels = [i % 2 for i in range(n)]
    return labels, labels


def test_good_answers_have_no_alarm() -> None:
    assert alarms(answer(*right(200))) == {}


def test_answers_that_are_all_one_label_are_an_alarm_that_names_it() -> None:
    assert alarms(answer([0, 1] * 100, [1] * 200)) == {"one label": "every answer of dev is 'yes'"}


def test_one_label_is_no_alarm_where_there_is_only_one_to_find() -> None:
    assert alarms(answer([1] * 50, [1] * 50)) == {}


@pytest.mark.parametrize(("hits", "names"), [(86, ["below majority"]), (87, []), (100, [])])
def test_below_majority_is_where_the_whole_interval_is(hits: int, names: list[str]) -> None:
    # Of 200 at a majority share of one half, 86 hits have an interval up to 0.4993, 87 up to 0.504.
    gold = [i % 2 for i in range(200)]
    found = alarms(answer(gold, [g if i < hits else 1 - g for i, g in enumerate(gold)]))
    assert list(found) == names


def test_below_majority_says_what_the_usual_causes_are() -> None:
    text = alarms(answer([0, 1] * 100, [1, 0] * 100))["below majority"]
    assert "wrong label map" in text
    assert "too little training" in text


@pytest.mark.parametrize(
    ("n", "ties", "is_alarm"), [(20, 1, False), (20, 2, True), (200, 2, False), (200, 3, True)]
)
def test_ties_are_an_alarm_from_two_and_above_one_percent(n: int, ties: int, is_alarm: bool) -> None:
    found = alarms(answer(*right(n), ties=ties))
    assert list(found) == (["ties"] if is_alarm else [])
    if is_alarm:
        assert found["ties"].startswith(f"{ties} of {n} answers of dev")


def test_an_older_run_that_recorded_nothing_has_what_its_metrics_tell() -> None:
    metrics = measure(answer([0, 1] * 100, [1, 0] * 100))
    good = msgspec.structs.replace(metrics, accuracy=0.9, interval=(0.8, 0.95))
    found = recorded_alarms({"ties": 9}, {"matched": metrics, "mismatched": good})
    assert {split: list(names) for split, names in found.items()} == {
        "matched": ["below majority"],
        "mismatched": [],
    }
    assert recorded_alarms({"alarms": {"dev": {}}}, {"dev": metrics}) == {"dev": {}}
