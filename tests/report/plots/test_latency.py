from __future__ import annotations

from nlu_arena.report.plots.latency import build_latency, format_ms
from tests.contest import Contest
from tests.report.plots.pictures import Mark, add, marks, rounds_of, words


def test_both_batch_sizes_are_milliseconds_a_text_on_a_log_scale() -> None:
    contest = Contest()
    add(contest, "bert", 80, "fine-tune", call_ms={1: 8.0, 32: 64.0})
    (page,) = build_latency(rounds_of(contest))
    (axes,) = page.figure.axes
    assert axes.get_xscale() == "log" and axes.get_xlabel() == "ms a text"
    assert marks(axes) == [Mark(8.0, 0.0, "o", True), Mark(2.0, 0.0, "s", False)]
    assert "8.0 / 2.0" in words(page.figure)


def test_what_was_not_measured_is_not_available_and_never_zero() -> None:
    contest = Contest()
    add(contest, "bert", 80, "fine-tune", call_ms={1: 8.0})
    add(contest, "small", 60, call_ms={})
    (page,) = build_latency(rounds_of(contest))
    assert [mark.x for mark in marks(page.figure.axes[0])] == [8.0]
    assert {"8.0 / n/a", "n/a"} <= set(words(page.figure))


def test_without_any_latency_there_is_no_picture() -> None:
    contest = Contest()
    add(contest, "bert", 80, "fine-tune", call_ms={})
    assert list(build_latency(rounds_of(contest))) == []


def test_devices_never_share_a_panel() -> None:
    contest = Contest()
    add(contest, "bert", 80, "fine-tune", device="cpu x86_64, 2 threads")
    add(contest, "bert", 80, "lora", device="cuda H100")
    titles = [axes.get_title() for page in build_latency(rounds_of(contest)) for axes in page.figure.axes]
    assert [title.split("\n")[-1] for title in titles] == ["cpu x86_64, 2 threads", "cuda H100"]


def test_the_splits_of_a_task_share_one_panel() -> None:
    contest = Contest()
    add(contest, "bert", 80, "fine-tune")
    (cell,) = contest.cells
    by_split = {"matched": cell.by_split["dev"], "mismatched": cell.by_split["dev"]}
    contest.cells.clear()
    add(contest, "bert", 80, "fine-tune", by_split=by_split, fingerprints={"matched": "1", "mismatched": "2"})
    (page,) = build_latency(rounds_of(contest))
    assert [axes.get_title().split("\n")[0] for axes in page.figure.axes] == ["reviews (matched)"]


def test_milliseconds_have_the_digits_that_count() -> None:
    assert list(map(format_ms, (1234.5, 10.4, 9.96, 9.94, 1.0, 0.034))) == [
        "1,234",
        "10",
        "10",
        "9.9",
        "1.0",
        "0.03",
    ]
