"""Error rates by kind of text as a picture: slices down, a panel for each contender."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nlu_arena.mistakes.review import ErrorRate, Review, SliceRates, choose_slices
from nlu_arena.report.lettering import letter_text
from nlu_arena.report.plots.head import make_figure
from nlu_arena.report.plots.pages import Page, Picture, save_pages, split_evenly
from nlu_arena.report.plots.style import (
    GREY,
    LETTER,
    LONGEST_NAME,
    LOOKS,
    PALE,
    POINTS,
    SMALL_SIZE,
    TEXT_SIZE,
    describe_data,
    set_titles,
    style_axes,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# In inches: a panel, a row of it, and what is above and below the rows.
PANEL, ROW, AROUND = 2.3, 0.23, 1.1
PANELS = 4
# In letters: the longest name of a slice, and a line above a panel.
LONGEST_SLICE, TITLE_LENGTH = 34, 28
NOTES = (
    "Mark: error rate on the texts of one kind, with its 95 % interval (each for itself alone).",
    "Line and band: error rate on all texts with its 95 % interval.",
)


def draw_slices(review: Review, path: Path) -> list[Picture]:
    """Draw the error rates of all contenders on all slices, four contenders a picture.

    Returns:
        what was written: nothing where no kind of text has two slices.
    """
    return save_pages(_draw(review), path)


def _draw(review: Review) -> Iterator[Page]:
    shown = choose_slices(review.slices)
    for places in split_evenly(range(len(review.replies)), PANELS) if shown else ():
        yield _draw_page(review, shown, places)


def _draw_page(review: Review, shown: Sequence[SliceRates], places: Sequence[int]) -> Page:
    names = [_name(part) for part in shown]
    heights = _stack(shown)
    left = max(map(len, names)) * LETTER * SMALL_SIZE / POINTS + 0.3
    met = review.round
    title = f"Errors on {met.task} ({met.split}) by kind of text"
    notes = [f"n {met.n:,}{describe_data(met)}.", *NOTES]
    height = ROW * (heights[-1] + 2) + AROUND
    figure = make_figure(left + PANEL * len(places), height, title, notes)
    axes = figure.subplots(1, len(places), squeeze=False, sharey=True)[0]
    for panel, place in zip(axes, places, strict=True):
        rates = [part.rates[place] for part in shown]
        _draw_panel(panel, rates, review.rates[place], heights)
        name = letter_text(review.replies[place].contender.name, LONGEST_NAME)
        set_titles(panel, "\n".join(textwrap.wrap(name, TITLE_LENGTH)), "error rate in %")
    axes[0].set_yticks(heights, names, fontsize=SMALL_SIZE, parse_math=False)
    # The first slice on top.
    axes[0].set_ylim(heights[-1] + 0.8, heights[0] - 0.8)
    return Page(figure, f"Error rates with 95 % intervals on {met.task} ({met.split}) by kind of text.")


def _draw_panel(axes: Axes, rates: Sequence[ErrorRate], overall: ErrorRate, heights: Sequence[float]) -> None:
    look = LOOKS[0]
    low, high = overall.interval
    axes.axvspan(100 * low, 100 * high, color=PALE, linewidth=0)
    axes.axvline(100 * overall.share, color=GREY, linewidth=1)
    for rate, height in zip(rates, heights, strict=True):
        ends = [100 * end for end in rate.interval]
        axes.plot(ends, [height, height], color=look.colour, linewidth=1.5, solid_capstyle="butt")
        axes.plot(100 * rate.share, height, color=look.colour, marker=look.marker, markersize=5)
    axes.set_xlim(-3, 103)
    axes.set_xticks(range(0, 101, 25))
    style_axes(axes)
    axes.title.set_fontsize(TEXT_SIZE)
    axes.tick_params(axis="y", length=0)


def _name(part: SliceRates) -> str:
    kind = "gold" if part.slice.kind == "label" else part.slice.kind
    return f"{kind}: {letter_text(part.slice.name, LONGEST_SLICE - len(kind))} (n {part.n:,})"


def _stack(shown: Sequence[SliceRates]) -> list[float]:
    """Return the height of each slice, in rows from the top: kinds stand apart."""
    heights: list[float] = []
    for place, part in enumerate(shown):
        is_new = place > 0 and part.slice.kind != shown[place - 1].slice.kind
        heights.append((heights[-1] + 1 if heights else 0) + 0.6 * is_new)
    return heights
