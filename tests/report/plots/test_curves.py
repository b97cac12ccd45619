from __future__ import annotations

import pytest

from nlu_arena.report.plots.curves import build_curves
from nlu_arena.report.plots.style import HOLLOW_NOTE
from tests.contest import Contest
from tests.report.plots.pictures import add, add_curve, marks, rounds_of, words


def test_accuracy_stands_over_training_rows_with_its_intervals() -> None:
    contest = Contest()
    add_curve(contest, "bert", {32: 60, 128: 75, 512: 85})
    (page,) = build_curves(rounds_of(contest))
    (axes,) = page.figure.axes
    assert axes.get_xscale() == "log"
    assert [(mark.x, mark.y) for mark in marks(axes)] == [(32.0, 60.0), (128.0, 75.0), (512.0, 85.0)]
    (band,) = axes.collections
    low, high = contest.cells[0].by_split["dev"].interval
    ends = [y for x, y in band.get_paths()[0].vertices if x == 32]
    assert (min(ends), max(ends)) == (pytest.approx(100 * low), pytest.approx(100 * high))
    assert [label.get_text() for label in axes.get_xticklabels()] == ["32", "128", "512"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("training rows", "accuracy (%)")


def test_what_is_prompted_is_a_level_with_its_interval_beyond_the_last_rows() -> None:
    contest = Contest()
    add_curve(contest, "bert", {32: 60, 512: 85})
    add(contest, "small", 70)
    add(contest, "small", 65, "few-shot")
    (page,) = build_curves(rounds_of(contest))
    (axes,) = page.figure.axes
    levels = marks(axes)[2:]
    assert [mark.y for mark in levels] == [70.0, 65.0]
    assert 512 < levels[0].x < levels[1].x
    across = [line.get_ydata()[0] for line in axes.get_lines() if line.get_linestyle() == "--"]
    assert across == [70.0, 65.0]
    assert {"bert fine-tune", "small zero-shot", "small few-shot"} <= set(words(page.figure))


def test_one_number_of_rows_is_no_curve() -> None:
    contest = Contest()
    add_curve(contest, "bert", {32: 60})
    add(contest, "small", 70)
    assert list(build_curves(rounds_of(contest))) == []


def test_more_than_can_be_told_apart_is_limited_to_the_best() -> None:
    contest = Contest()
    for place in range(5):
        add_curve(contest, f"bert{place}", {32: 55, 512: 80 + place})
        add(contest, f"small{place}", 60 + place)
    add(contest, "odd", 90, alarms={"dev": {"ties": "many"}})
    (page,) = build_curves(rounds_of(contest))
    written = words(page.figure)
    assert "bert4 fine-tune" in written and "bert0 fine-tune" not in written
    # The levels have what looks are left, and one with an alarm does not crowd out another.
    assert "small2 zero-shot" in written and not {"small1 zero-shot", "odd zero-shot"} & set(written)
    notes = "\n".join(written)
    assert "the best 4 of 5 curves." in notes and "the best 3 of 6 that are prompted." in notes
    looks = {(mark.marker, mark.y) for mark in marks(page.figure.axes[0]) if mark.x != 32}
    assert len({marker for marker, _ in looks}) == 7


def test_rows_that_are_close_are_not_all_numbered() -> None:
    contest = Contest()
    add_curve(contest, "bert", {32: 60, 500: 80, 512: 81, 520: 81})
    (page,) = build_curves(rounds_of(contest))
    assert [label.get_text() for label in page.figure.axes[0].get_xticklabels()] == ["32", "500"]


def test_points_with_an_alarm_stay_and_are_hollow() -> None:
    contest = Contest()
    add_curve(contest, "bert", {32: 50}, alarms={"dev": {"one label": "all the same"}})
    add_curve(contest, "bert", {512: 85})
    (page,) = build_curves(rounds_of(contest))
    assert [mark.hollow for mark in marks(page.figure.axes[0])] == [True, False]
    assert any(HOLLOW_NOTE in word for word in words(page.figure))
