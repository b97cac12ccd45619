"""Learning curves: accuracy by the number of training rows, beside what prompting reaches without them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nlu_arena.contender import Contender, Round
from nlu_arena.learning_curve import Curve, find_curves
from nlu_arena.report.plots.head import explain, explain_line, make_figure
from nlu_arena.report.plots.pages import Page, Picture, save_pages
from nlu_arena.report.plots.style import (
    GREY,
    HOLLOW_NOTE,
    LOOKS,
    PALE,
    Look,
    describe_texts,
    draw_mark,
    letter_names,
    name_round,
    set_titles,
    style_axes,
)
from nlu_arena.spec import PROMPTED_MODES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, HEIGHT = 9.0, 4.6
# More curves cover each other; what is prompted has the looks that the curves leave.
MOST_CURVES = 4
# The numbers of rows that are written are at least this share of the scale apart.
APART = 0.06


def draw_curves(rounds: Sequence[Round], path: Path) -> list[Picture]:
    """Draw accuracy against training rows with 95 % intervals, a picture for each task and split.

    Returns:
        what was written: `path`, and further pictures beside it; nothing where no model was trained on
        several numbers of rows.
    """
    return save_pages(build_curves(rounds), path)


def build_curves(rounds: Sequence[Round]) -> Iterator[Page]:
    """Return the pages of the plot, not written yet."""
    for found in rounds:
        if curves := find_curves(found):
            yield _build_page(found, curves)


def _build_page(found: Round, curves: Sequence[Curve]) -> Page:
    prompted = [contender for contender in found.contenders if contender.mode in PROMPTED_MODES]
    shown = sorted(curves, key=lambda curve: -curve.points[-1].accuracy)[:MOST_CURVES]
    levels = sorted(prompted, key=lambda c: (bool(c.alarms), -c.accuracy))[: len(LOOKS) - len(shown)]
    names = letter_names([*(curve.name for curve in shown), *(level.name for level in levels)])
    notes = [f"{describe_texts(found)}. Bands and bars: 95 % intervals. The rows are on a logarithmic scale."]
    if levels:
        notes.append("At the right, with dashed lines: what is prompted, and not trained on these rows.")
    if len(shown) < len(curves):
        notes.append(f"Shown: the best {len(shown)} of {len(curves)} curves.")
    if len(levels) < len(prompted):
        notes.append(f"Shown: the best {len(levels)} of {len(prompted)} that are prompted.")
    if any(c.alarms for c in (*levels, *(point.contender for curve in shown for point in curve.points))):
        notes.append(HOLLOW_NOTE)
    handles = [
        explain(name, look, line="-" if place < len(shown) else "--")
        for place, (name, look) in enumerate(zip(names, LOOKS, strict=False))
    ]
    handles.append(explain_line("always the majority label", GREY, ":"))
    figure = make_figure(WIDTH, HEIGHT, f"Accuracy by training rows: {name_round(found)}", notes, handles)
    axes = figure.subplots()
    style_axes(axes)
    axes.set_xscale("log", base=2)
    axes.grid(color=PALE, linewidth=0.5)
    axes.axhline(100 * found.majority, color=GREY, linewidth=1, linestyle=":")
    for curve, look in zip(shown, LOOKS, strict=False):
        _draw_curve(axes, curve, look)
    rows = sorted({point.train_rows for curve in shown for point in curve.points})
    _draw_levels(axes, levels, LOOKS[len(shown) :], rows)
    _number_rows(axes, rows)
    set_titles(axes, x="training rows", y="accuracy (%)")
    title = f"Accuracy by the number of training rows on {name_round(found)}"
    return Page(figure, f"{title}: {', '.join(names[: len(shown)])}.")


def _number_rows(axes: Axes, rows: Sequence[int]) -> None:
    """Write the numbers of rows that have room."""
    least = (rows[-1] / rows[0]) ** APART
    numbered = [rows[0]]
    for row in rows:
        if row >= numbered[-1] * least:
            numbered.append(row)
    axes.set_xticks(numbered, [f"{row:,}" for row in numbered])
    axes.set_xticks([], minor=True)


def _draw_curve(axes: Axes, curve: Curve, look: Look) -> None:
    rows = [point.train_rows for point in curve.points]
    means = [100 * point.accuracy for point in curve.points]
    lows, highs = ([100 * point.interval[end] for point in curve.points] for end in (0, 1))
    axes.fill_between(rows, lows, highs, color=look.colour, alpha=0.15, linewidth=0)
    axes.plot(rows, means, color=look.colour, linewidth=1.8, zorder=3)
    for row, mean, point in zip(rows, means, curve.points, strict=True):
        draw_mark(axes, row, mean, look, hollow=bool(point.contender.alarms))


def _draw_levels(axes: Axes, levels: Sequence[Contender], looks: Sequence[Look], rows: Sequence[int]) -> None:
    """Draw what is not trained as lines through the whole plot, with intervals side by side at the right."""
    if not levels:
        return
    # A step of the log scale that keeps the bars apart, whatever the rows are.
    step = (rows[-1] / rows[0]) ** 0.06
    for place, (level, look) in enumerate(zip(levels, looks, strict=False)):
        x, y = rows[-1] * step ** (place + 1.5), 100 * level.accuracy
        axes.axhline(y, color=look.colour, linewidth=1, linestyle="--", alpha=0.7, zorder=1.5)
        axes.plot([x, x], [100 * end for end in level.interval], color=look.colour, linewidth=1.6, zorder=2)
        draw_mark(axes, x, y, look, hollow=bool(level.alarms))
