from __future__ import annotations

import pytest

from nlu_arena.report.plots.fronts import build_fronts
from nlu_arena.report.plots.pages import Page
from tests.contest import Contest
from tests.report.plots.pictures import add, marks, rounds_of, texts, words


def contest_of_costs() -> Contest:
    """An accurate slow one, a quick one, one that both beat, and one that is no better than the majority."""
    contest = Contest()
    add(contest, "best", 90, "lora", call_ms={1: 100.0}, peak_rss_bytes=4 * 2**30, train_seconds=300.0)
    add(contest, "quick", 80, "fine-tune", call_ms={1: 10.0}, peak_rss_bytes=2**30, train_seconds=30.0)
    add(contest, "beaten", 70, "fine-tune", call_ms={1: 20.0}, peak_rss_bytes=2**31, train_seconds=50.0)
    add(contest, "weak", 55, call_ms={1: 1.0}, peak_rss_bytes=2**29, train_seconds=None)
    return contest


def front_of(page: Page, panel: int) -> list[tuple[float, float]]:
    """The corners of the line of the front, less its end at the edge."""
    (line,) = [line for line in page.figure.axes[panel].get_lines() if line.get_drawstyle() == "steps-post"]
    return list(zip(line.get_xdata(), line.get_ydata(), strict=True))[:-1]


def test_each_cost_has_its_panel_and_its_front() -> None:
    (page,) = build_fronts(rounds_of(contest_of_costs()))
    latency, memory, training, _ = page.figure.axes
    assert [axes.get_xlabel() for axes in (latency, memory, training)] == [
        "latency of one text (ms)",
        "peak memory of the host (GiB)",
        "training time (s)",
    ]
    assert latency.get_ylabel() == "accuracy (%)" and latency.get_xscale() == "log"
    assert front_of(page, 0) == [(10.0, 80.0), (100.0, 90.0)]
    assert front_of(page, 1) == [(1.0, 80.0), (4.0, 90.0)]
    assert front_of(page, 2) == [(30.0, 80.0), (300.0, 90.0)]
    assert sorted(mark.x for mark in marks(latency)) == [1.0, 10.0, 20.0, 100.0]


def test_prompting_stands_apart_from_all_training_times() -> None:
    contest = contest_of_costs()
    add(contest, "prompted", 85, "few-shot", call_ms={1: 50.0}, train_seconds=None)
    (page,) = build_fronts(rounds_of(contest))
    axes = page.figure.axes[2]
    untrained = {mark.x for mark in marks(axes) if mark.marker in "D^"}
    assert len(untrained) == 1 and max(untrained) < 30 / 2
    # No training and 85 % leave nothing to the quick one.
    assert front_of(page, 2) == [(pytest.approx(max(untrained)), 85.0), (300.0, 90.0)]
    labels = [label.get_text() for label in axes.get_xticklabels()]
    assert labels and min(float(label) for label in labels) > max(untrained)
    assert "none" in words(page.figure)


def test_alarms_are_drawn_and_take_no_part_in_a_front() -> None:
    contest = contest_of_costs()
    add(contest, "odd", 95, call_ms={1: 0.5}, alarms={"dev": {"ties": "many"}})
    (page,) = build_fronts(rounds_of(contest))
    assert front_of(page, 0) == [(10.0, 80.0), (100.0, 90.0)]
    assert [mark.hollow for mark in marks(page.figure.axes[0]) if mark.x == 0.5] == [True]


def test_numbers_in_the_marks_are_those_of_the_key_and_the_front_is_bold() -> None:
    (page,) = build_fronts(rounds_of(contest_of_costs()))
    key = page.figure.axes[3]
    entries = {text.get_text(): text.get_fontweight() for text in key.texts}
    assert list(entries)[::2] == ["1", "2", "3", "4"]
    assert [
        entries[name] for name in ("best lora", "quick fine-tune", "beaten fine-tune", "weak zero-shot")
    ] == [
        "bold",
        "bold",
        "normal",
        "normal",
    ]
    drawn = {text.xy: text.get_text() for text in page.figure.axes[0].texts}
    assert drawn[(10.0, 80.0)] == "2" and drawn[(100.0, 90.0)] == "1"


def test_unknown_costs_are_listed() -> None:
    contest = contest_of_costs()
    add(contest, "untimed", 85, "fine-tune", call_ms={}, peak_rss_bytes=None, train_seconds=40.0)
    (page,) = build_fronts(rounds_of(contest))
    assert "untimed fine-tune (latency, memory: n/a)" in words(page.figure)
    assert [len(marks(axes)) for axes in page.figure.axes[:3]] == [4, 4, 5]


def test_a_cost_that_nothing_has_says_so() -> None:
    contest = Contest()
    add(contest, "bert", 80, "fine-tune", call_ms={})
    (page,) = build_fronts(rounds_of(contest))
    assert "n/a" in words(page.figure)
    contest = Contest()
    add(contest, "bert", 80, "fine-tune", call_ms={}, peak_rss_bytes=None, train_seconds=None)
    assert list(build_fronts(rounds_of(contest))) == []


def test_each_device_has_its_own_picture_and_kind_of_memory() -> None:
    contest = contest_of_costs()
    add(contest, "quick", 80, "lora", device="cuda H100", device_peak_bytes=3 * 2**30)
    cpu, cuda = build_fronts(rounds_of(contest))
    assert cpu.figure.axes[1].get_xlabel() == "peak memory of the host (GiB)"
    assert cuda.figure.axes[1].get_xlabel() == "peak memory of the device (GiB)"
    assert [mark.x for mark in marks(cuda.figure.axes[1])] == [3.0]
    assert any("on cuda H100." in text.get_text() for text in texts(cuda.figure))


def test_of_many_contenders_only_what_is_on_a_front_has_a_number() -> None:
    contest = contest_of_costs()
    for place in range(40):
        add(contest, f"m{place}", 65, "fine-tune", call_ms={1: 30.0 + place})
    (page,) = build_fronts(rounds_of(contest))
    assert [text.get_text() for text in page.figure.axes[3].texts] == [
        "1",
        "best lora",
        "2",
        "quick fine-tune",
    ]
    assert any("Small marks without a number: 42 others" in word for word in words(page.figure))
