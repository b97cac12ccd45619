"""Plots with a row for each contender, grouped by mode, and a panel for each task: shared by several."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from nlu_arena.contender import Round
from nlu_arena.report.plots.head import make_figure
from nlu_arena.report.plots.pages import Page, split_evenly
from nlu_arena.report.plots.style import (
    BOLD,
    GREY,
    INK,
    LARGEST,
    LETTER,
    MODE_LOOKS,
    PALE,
    POINTS,
    SMALL_SIZE,
    TEXT_SIZE,
    TITLE_SIZE,
    letter_names,
    number_log_axis,
    number_percent_axis,
    set_titles,
    style_axes,
)
from nlu_arena.spec import Mode

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

Kind = TypeVar("Kind")

# What a page has room for, and the measures of its parts in inches.
MOST_PANELS, MOST_HEIGHT = 4, 9.6
MOST_CONTENDERS = 80
ROW, GAP, AROUND = 0.24, 0.12, 1.0
NARROWEST, WIDEST = 2.4, 5.2
# Room for the numbers to the right of the marks, in inches.
NUMBERS = 0.55


class Row(NamedTuple):
    """A row: its name, unique in the plot, and the mode that it is grouped by."""

    name: str
    mode: Mode


class Panel(NamedTuple, Generic[Kind]):
    """A part of the plot: its title, and what it shows in which row."""

    title: str
    marks: dict[Row, Kind]


class Wording(NamedTuple):
    """The words of a plot, the height of its rows in inches, and how much wider than usual numbers are."""

    title: str
    x_label: str
    missing: str
    notes: tuple[str, ...]
    handles: tuple[Line2D, ...]
    caption: str
    numbers: float = 1
    row: float = ROW


# Draws what a row shows at its height.
DrawMark = Callable[["Axes", float, Kind], None]


def build_rows(
    panels: Sequence[Panel[Kind]], draw: DrawMark[Kind], wording: Wording, *, log: bool = False
) -> Iterator[Page]:
    """Draw panels side by side over common rows, on as many pages as it takes.

    Args:
        panels: What is shown; those that have no row in common are on different pages.
        draw: Draws one mark into the axes.
        wording: The words around it.
        log: Whether the common scale is logarithmic.
    """
    pages = [
        (part, rows)
        for group in _group_panels(panels)
        for part in split_evenly(group, MOST_PANELS)
        for rows in split_evenly(_order_rows(part), int(MOST_HEIGHT / wording.row))
    ]
    for number, (part, rows) in enumerate(pages, start=1):
        title = wording.title if len(pages) == 1 else f"{wording.title} ({number} of {len(pages)})"
        figure = _build_page(part, rows, draw, wording._replace(title=title), log)
        tasks = "; ".join(panel.title.replace("\n", ", ") for panel in part)
        yield Page(figure, f"{wording.caption} {tasks}.")


def choose_names(rounds: Sequence[Round]) -> tuple[set[str], str]:
    """Return the names of the contenders that can be shown, and a note where these are not all.

    The most accurate ones on average over the rounds are, since more than two pages nobody reads.
    """
    accuracies: dict[str, list[float]] = {}
    for contender in (contender for found in rounds for contender in found.contenders):
        accuracies.setdefault(contender.name, []).append(contender.accuracy)
    best = sorted(accuracies, key=lambda name: -statistics.fmean(accuracies[name]))[:MOST_CONTENDERS]
    is_all = len(best) == len(accuracies)
    note = f"Shown: the {len(best)} most accurate of {len(accuracies)}, on average over the tasks."
    return set(best), "" if is_all else note


def _group_panels(panels: Sequence[Panel[Kind]]) -> list[list[Panel[Kind]]]:
    groups: list[list[Panel[Kind]]] = []
    for panel in panels:
        for group in groups:
            if any(panel.marks.keys() & other.marks.keys() for other in group):
                group.append(panel)
                break
        else:
            groups.append([panel])
    return groups


def _order_rows(panels: Sequence[Panel[Kind]]) -> list[Row]:
    """Return all rows, by mode, and inside a mode as they came."""
    rows = list(dict.fromkeys(row for panel in panels for row in panel.marks))
    return sorted(rows, key=lambda row: list(MODE_LOOKS).index(row.mode))


def _place_rows(rows: Sequence[Row], gap: float) -> dict[Row, float]:
    """Return the height of each row, counted downwards in rows, with a gap where the mode is another."""
    places, at = {}, 0.0
    for row, before in zip(rows, [rows[0], *rows], strict=False):
        at += gap * (row.mode != before.mode)
        places[row] = at
        at += 1
    return places


def _build_page(
    panels: Sequence[Panel[Kind]], rows: Sequence[Row], draw: DrawMark[Kind], wording: Wording, log: bool
) -> Figure:
    places = _place_rows(rows, GAP / wording.row)
    names = letter_names([row.name for row in rows])
    beside = max(map(len, names)) * LETTER * TEXT_SIZE / POINTS + 0.3
    lines = [line for panel in panels for line in panel.title.split("\n")]
    title = max(map(len, lines)) * LETTER * TEXT_SIZE / POINTS
    room = (LARGEST - beside) / len(panels)
    width = min(room, max(NARROWEST, title + 0.15, WIDEST if len(panels) == 1 else 0))
    least = 0.3 + len(wording.title) * BOLD * TITLE_SIZE / POINTS
    lowest = max(places.values()) + 1
    figure = make_figure(
        min(LARGEST, max(beside + width * len(panels), least)),
        AROUND + wording.row * lowest,
        wording.title,
        wording.notes,
        wording.handles,
    )
    all_axes = figure.subplots(1, len(panels), sharex=True, sharey=True, squeeze=False)[0]
    for axes, panel in zip(all_axes, panels, strict=True):
        if log:
            axes.set_xscale("log")
        set_titles(axes, panel.title, wording.x_label)
        _draw_panel(axes, panel, places, draw, wording.missing)
    all_axes[0].set_yticks([places[row] for row in rows], names, fontsize=TEXT_SIZE, parse_math=False)
    all_axes[0].set_ylim(lowest - 0.4, -0.6)
    make_room(all_axes[0], wording.numbers * NUMBERS / width)
    for axes in all_axes:
        if log:
            number_log_axis(axes)
        else:
            number_percent_axis(axes)
    return figure


def _draw_panel(
    axes: Axes, panel: Panel[Kind], places: dict[Row, float], draw: DrawMark[Kind], missing: str
) -> None:
    style_axes(axes)
    axes.tick_params(axis="y", length=0)
    axes.margins(x=0.08)
    axes.grid(axis="x", color=PALE, linewidth=0.6)
    axes.grid(axis="y", color=PALE, linewidth=0.4, linestyle=":")
    for row, y in places.items():
        if row in panel.marks:
            draw(axes, y, panel.marks[row])
        else:
            write_missing(axes, y, missing)


def write_number(axes: Axes, x: float, y: float, text: str, colour: str = INK) -> None:
    """Write a number to the right of a mark."""
    axes.annotate(
        text,
        (x, y),
        xytext=(7, 0),
        textcoords="offset points",
        ha="left",
        va="center",
        fontsize=SMALL_SIZE,
        color=colour,
        parse_math=False,
        bbox={"boxstyle": "square,pad=0.05", "facecolor": "white", "edgecolor": "none", "alpha": 0.75},
        annotation_clip=False,
    )


def write_missing(axes: Axes, y: float, text: str) -> None:
    """Write at the left of a row why it has no mark."""
    axes.text(
        0.02,
        y,
        text,
        transform=axes.get_yaxis_transform(),
        ha="left",
        va="center",
        fontsize=SMALL_SIZE,
        color=GREY,
        fontstyle="italic",
    )


def make_room(axes: Axes, share: float) -> None:
    """Extend the x axis to the right by a share of what will be its width, whatever its scale."""
    low, high = axes.get_xlim()
    scale = axes.xaxis.get_transform()
    start, end = scale.transform([low, high])
    # The share is of the extended axis, so that the room is as wide as was asked for.
    wider = end + (end - start) * share / (1 - share)
    axes.set_xlim(low, float(scale.inverted().transform([wider])[0]))
