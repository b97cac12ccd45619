from __future__ import annotations

import pytest

from nlu_arena.report.plots.accuracy import SEEDS_NOTE, build_accuracy
from nlu_arena.report.plots.style import ALARM_NOTE
from tests.contest import Contest
from tests.report.plots.pictures import add, marks, rounds_of, words


def test_each_contender_has_its_mark_its_interval_and_its_number() -> None:
    contest = Contest()
    add(contest, "bert", 80, "fine-tune")
    add(contest, "small", 60)
    (page,) = build_accuracy(rounds_of(contest))
    (axes,) = page.figure.axes
    assert [(m.x, m.marker, m.hollow) for m in marks(axes)] == [(80.0, "o", False), (60.0, "D", False)]
    spans = [line.get_xdata() for line in axes.get_lines() if len(line.get_xdata()) == 2]
    expected = [100 * end for end in contest.cells[0].by_split["dev"].interval]
    assert list(spans[0]) == pytest.approx(expected)
    assert {"80.0", "60.0", "bert fine-tune", "small zero-shot"} <= set(words(page.figure))


def test_the_majority_share_is_a_line_through_the_rows_that_were_run() -> None:
    contest = Contest()
    for task in ("sst2", "rte"):
        add(contest, "bert", 80, "fine-tune", task=task, fingerprints={"dev": task})
    add(contest, "small", 60, task="rte", fingerprints={"dev": "rte"})
    (page,) = build_accuracy(rounds_of(contest))
    first, second = page.figure.axes
    assert [len(axes.collections) for axes in (first, second)] == [1, 2]
    assert all(path.vertices[:, 0] == pytest.approx(50) for path in first.collections[0].get_paths())
    assert words(page.figure).count("not run") == 1
    assert [axes.get_title() for axes in (first, second)] == ["sst2 (dev)\nn 100", "rte (dev)\nn 100"]


def test_modes_are_grouped_and_models_keep_their_order() -> None:
    contest = Contest()
    for mode in ("zero-shot", "fine-tune"):
        for model in ("b", "a"):
            add(contest, model, 60, mode)
    (page,) = build_accuracy(rounds_of(contest))
    (axes,) = page.figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        "b fine-tune",
        "a fine-tune",
        "b zero-shot",
        "a zero-shot",
    ]
    heights = list(axes.get_yticks())
    assert heights[2] - heights[1] > heights[1] - heights[0]
    # The first row is the highest.
    assert axes.yaxis_inverted()


def test_alarms_are_hollow_and_explained() -> None:
    contest = Contest()
    add(contest, "sound", 80)
    (page,) = build_accuracy(rounds_of(contest))
    assert ALARM_NOTE not in words(page.figure)
    add(contest, "odd", 50, alarms={"dev": {"one label": "all the same"}})
    (page,) = build_accuracy(rounds_of(contest))
    assert [m.hollow for m in marks(page.figure.axes[0])] == [False, True]
    assert {ALARM_NOTE, "50.0 !"} <= set(words(page.figure))


def test_seeds_are_dots_around_their_mean() -> None:
    contest = Contest()
    for seed, hits in ((1, 70), (2, 80)):
        add(contest, "bert", hits, "fine-tune", seed=seed)
    (page,) = build_accuracy(rounds_of(contest))
    (axes,) = page.figure.axes
    assert [mark.x for mark in marks(axes)] == [75.0]
    dots = [list(line.get_xdata()) for line in axes.get_lines() if line.get_marker() == "."]
    assert dots == [[70.0, 80.0]]
    assert SEEDS_NOTE in words(page.figure)


def test_tasks_without_common_contenders_are_on_different_pages() -> None:
    contest = Contest()
    add(contest, "bert", 80, "fine-tune", task="sst2", fingerprints={"dev": "1"})
    add(contest, "other", 80, "fine-tune", task="mine", fingerprints={"dev": "2"})
    add(contest, "bert", 70, "fine-tune", task="rte", fingerprints={"dev": "3"})
    first, second = build_accuracy(rounds_of(contest))
    assert [axes.get_title().split()[0] for axes in first.figure.axes] == ["sst2", "rte"]
    assert [axes.get_title().split()[0] for axes in second.figure.axes] == ["mine"]
    assert "Accuracy with 95 % intervals (2 of 2)" in words(second.figure)


def test_more_contenders_than_anybody_reads_are_limited_to_the_most_accurate() -> None:
    contest = Contest()
    for place in range(85):
        add(contest, f"m{place}", 60 + (place >= 5))
    pages = list(build_accuracy(rounds_of(contest)))
    shown = [label.get_text() for page in pages for label in page.figure.axes[0].get_yticklabels()]
    assert (
        len(pages) == 2
        and len(shown) == 80
        and not {f"m{place} zero-shot" for place in range(5)} & set(shown)
    )
    assert "Shown: the 80 most accurate of 85, on average over the tasks." in words(pages[0].figure)
