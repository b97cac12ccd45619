"""The head of a picture: a bold title, notes in plain letters, and a legend; the plot comes below it."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from nlu_arena.report.lettering import letter_text
from nlu_arena.report.plots.style import (
    BOLD,
    DOTS_PER_INCH,
    INK,
    LONGEST_NAME,
    NARROW,
    PAPER,
    POINTS,
    TEXT_SIZE,
    TITLE_SIZE,
    Look,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

Line = Literal["-", "--", ":", "none"]

# In inches: what is around the head, a line of text, and an entry of the legend without its words.
MARGIN = 0.12
LINE = 1.45 * TEXT_SIZE / POINTS
TITLE_LINE = 1.45 * TITLE_SIZE / POINTS
MARK = 0.55


def make_figure(
    width: float, height: float, title: str, notes: Sequence[str], handles: Sequence[Line2D] = ()
) -> Figure:
    """Return an empty figure with a head: a bold title, notes in plain letters, and a legend.

    Args:
        width: In inches.
        height: Of what comes below the head, in inches.
        title: One line; shortened where there is no room for it.
        notes: Sentences that a reader needs; each begins a line.
        handles: What the legend explains.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    letters = int((width - 2 * MARGIN) * POINTS / (NARROW * TEXT_SIZE))
    lines = [row for note in notes for row in textwrap.wrap(letter_text(note, 1000), letters)]
    columns = _count_columns(handles, width)
    rows = math.ceil(len(handles) / columns)
    above = MARGIN + TITLE_LINE + LINE * len(lines)
    total = above + 1.1 * LINE * rows + MARGIN + height
    layout = ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.08, wspace=0.02, rect=(0, 0, 1, height / total))
    figure = Figure(figsize=(width, total), dpi=DOTS_PER_INCH, layout=layout, facecolor=PAPER)
    FigureCanvasAgg(figure)
    left, top = MARGIN / width, 1 - MARGIN / total
    style: dict[str, Any] = {"ha": "left", "va": "top", "parse_math": False, "color": INK}
    longest = int((width - 2 * MARGIN) * POINTS / (BOLD * TITLE_SIZE))
    figure.text(left, top, letter_text(title, longest), fontsize=TITLE_SIZE, fontweight="bold", **style)
    top -= TITLE_LINE / total
    figure.text(left, top, "\n".join(lines), fontsize=TEXT_SIZE, linespacing=1.2, **style)
    if handles:
        _add_legend(figure, handles, columns, (left, 1 - above / total))
    return figure


def _count_columns(handles: Sequence[Line2D], width: float) -> int:
    """Return how many entries of the legend stand side by side."""
    widths = [MARK + len(str(h.get_label())) * NARROW * TEXT_SIZE / POINTS for h in handles]
    if sum(widths) <= width - 2 * MARGIN:
        return max(1, len(widths))
    return max(1, int((width - 2 * MARGIN) / max(widths)))


def _add_legend(figure: Figure, handles: Sequence[Line2D], columns: int, corner: tuple[float, float]) -> None:
    legend = figure.legend(
        handles=handles,
        loc="upper left",
        bbox_to_anchor=corner,
        ncols=columns,
        fontsize=TEXT_SIZE,
        frameon=False,
        borderpad=0.2,
        borderaxespad=0,
        labelcolor=INK,
    )
    # The head has its own room; the layout is for what comes below it.
    legend.set_in_layout(False)
    for text in legend.get_texts():
        text.set_parse_math(False)


def explain(label: str, look: Look, *, hollow: bool = False, line: Line = "none") -> Line2D:
    """Return an entry of a legend: a mark, a line where one is given, and what they stand for."""
    from matplotlib.lines import Line2D

    return Line2D(
        [],
        [],
        color=look.colour,
        marker=look.marker,
        markersize=7,
        linestyle=line,
        markerfacecolor=PAPER if hollow else look.colour,
        label=letter_text(label, LONGEST_NAME),
    )


def explain_line(label: str, colour: str = INK, line: Line = "--") -> Line2D:
    """Return an entry of a legend for a line without marks."""
    return explain(label, Look(colour, ""), line=line)
