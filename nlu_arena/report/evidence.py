"""The evidence of the findings as tables."""

from __future__ import annotations

from collections.abc import Sequence

from nlu_arena.comparing import Row
from nlu_arena.findings import Front, Scene, SliceTest
from nlu_arena.findings.struggles import name_slice
from nlu_arena.findings.wording import say_range, say_signed, say_verdicts
from nlu_arena.report.document import Table
from nlu_arena.views.figures import format_bytes, format_milliseconds, format_percent, format_short_seconds

MISSING = "n/a"


def tabulate_rows(scene: Scene, rows: Sequence[Row]) -> Table:
    """Return comparisons: differences in points with intervals, p-values adjusted for the family."""
    head = ("task", "contender", "against", "n", "%", "its %", "points", "95 %", "p", "p match", "shown")
    return Table(head, tuple(_tabulate_row(scene, row) for row in rows), names=3)


def _tabulate_row(scene: Scene, row: Row) -> tuple[str, ...]:
    return (
        scene.name(row.task, row.split),
        row.name,
        row.baseline,
        f"{row.n:,}",
        format_percent(row.value),
        format_percent(row.baseline_value),
        say_signed(row.difference),
        say_range(row.interval),
        show_p(row.p_adjusted),
        show_p(row.p_matches),
        say_verdicts(row),
    )


def tabulate_front(front: Front) -> Table:
    """Return what is shown to beat the majority share on a task, with its costs; the front is marked."""
    head = ("contender", "front", "%", "points over majority", "ms/text", "points/ms", "memory", "training")
    return Table(head, tuple(_tabulate_points(front)), names=2)


def _tabulate_points(front: Front) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for point in front.points:
        gain = 100 * (point.accuracy - front.majority)
        latency = point.latency_ms
        rows.append(
            (
                point.name,
                "front" if point.on_front else "",
                format_percent(point.accuracy),
                f"{gain:.1f}",
                MISSING if latency is None else format_milliseconds(latency).removesuffix(" ms"),
                MISSING if latency is None else f"{gain / latency:.2g}",
                MISSING if point.memory_bytes is None else format_bytes(point.memory_bytes),
                _show_training(point.train_seconds),
            )
        )
    return rows


def _show_training(seconds: float | None) -> str:
    if seconds is None:
        return MISSING
    return format_short_seconds(seconds) if seconds else "none"


def tabulate_slices(scene: Scene, tests: Sequence[SliceTest]) -> Table:
    """Return the tests of each task's best language model, the largest losses of each task first."""
    head = ("task", "kind of texts", "n", "LLM %", "BERT %", "points", "95 %", "elsewhere", "p", "shown")
    places = list(dict.fromkeys((test.task, test.split) for test in tests))
    mine = [test for test in tests if test.is_best]
    mine.sort(key=lambda test: (places.index((test.task, test.split)), test.difference))
    rows = (
        (
            scene.name(test.task, test.split),
            name_slice(test),
            f"{test.n:,}",
            format_percent(test.value),
            format_percent(test.reference_value),
            say_signed(test.difference),
            say_range(test.interval),
            say_signed(test.elsewhere),
            show_p(test.p_adjusted),
            test.shown,
        )
        for test in mine
    )
    return Table(head, tuple(rows), names=2)


def show_p(value: float) -> str:
    """Return a p-value for a column: < .001, .038, 1.00."""
    return "< .001" if value < 0.001 else f"{value:.3f}".removeprefix("0") if value < 0.9995 else "1"
