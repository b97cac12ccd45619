from __future__ import annotations

import math
from array import array

import pytest

from nlu_arena.calibration import find_calibrations
from nlu_arena.ledger.codec import Columns
from nlu_arena.report.plots.reliability import build_reliability
from tests.contest import GOLD, Contest, N
from tests.report.plots.pictures import add, marks, read_columns, rounds_of, words


def test_right_answers_stand_over_confidence_raw_and_calibrated() -> None:
    contest = Contest()
    add(contest, "small", 50)
    (page,) = build_reliability(find_calibrations(rounds_of(contest)[0], read_columns))
    above, below = page.figure.axes
    points = [(pytest.approx(mark.x), mark.y, mark.marker, mark.hollow) for mark in marks(above)]
    assert points == [(70, 50.0, "o", False), (60, 50.0, "s", False)]
    # All answers are in the bin from 66.7 to 73.3 %, calibrated in that from 53.3 to 60 %.
    raw, calibrated = (patch.get_data().values for patch in below.patches)
    assert [list(values).index(100) for values in (raw, calibrated)] == [10, 8]
    assert above.get_title() == "small zero-shot\nECE .200, Brier .580\ncalibrated: ECE .100, Brier .520"


def test_without_calibrated_scores_there_is_one_line_and_no_word_of_them() -> None:
    contest = Contest()
    add(contest, "bert", 50, "fine-tune")
    found = rounds_of(contest)[0]
    calibrations = find_calibrations(
        found, lambda run, split: read_columns(run, split)._replace(calibrated=None)
    )
    (page,) = build_reliability(calibrations)
    assert len(marks(page.figure.axes[0])) == 1
    assert not any("calibrated" in word for word in words(page.figure))


def test_shares_of_few_answers_are_small_and_hollow() -> None:
    contest = Contest()
    add(contest, "small", 50)
    scores = [math.log(0.7), math.log(0.3)] * (N - 5) + [math.log(0.9), math.log(0.1)] * 5
    answers = Columns(array("H", GOLD), array("H", [0] * N), array("B", [0] * N), array("d", scores), None, 2)
    (page,) = build_reliability(find_calibrations(rounds_of(contest)[0], lambda run, split: answers))
    assert [(pytest.approx(m.x), m.hollow) for m in marks(page.figure.axes[0])] == [(70, False), (90, True)]


def test_each_split_has_its_picture_with_the_most_accurate_contenders() -> None:
    contest = Contest()
    for task, count in (("sst2", 14), ("rte", 1)):
        for place in range(count):
            alarms = {"dev": {"ties": "many"}} if place == 13 else {}
            add(contest, f"m{place}", 50, task=task, fingerprints={"dev": task}, alarms=alarms)
    found = [c for r in rounds_of(contest) for c in find_calibrations(r, read_columns)]
    many, one = build_reliability(found)
    assert len(many.figure.axes) == 2 * 12 and len(one.figure.axes) == 2
    assert "Shown are the 12 most accurate of 14." in words(many.figure)
    assert not any("m13 " in word for word in words(many.figure))
