"""How every plot looks: colours and marks that colour-blind readers can tell apart, letters and axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from nlu_arena.contender import Round
from nlu_arena.report.lettering import letter_text
from nlu_arena.spec import Mode
from nlu_arena.views.matrix import DATA_TITLES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DOTS_PER_INCH = 150
# In inches and points.
LARGEST = 14.0
POINTS = 72
TITLE_SIZE, TEXT_SIZE, SMALL_SIZE = 12.0, 9.0, 8.0
# Widths of letters as multiples of their size: usual ones with room to spare, in long texts, and bold ones.
LETTER, NARROW, BOLD = 0.57, 0.53, 0.68
INK, GREY, PALE, PAPER = "#1a1a2e", "#555555", "#d9d9d9", "#ffffff"
LONGEST_NAME = 52
# An axis with fewer of them has a scale that nobody can see.
FEWEST_NUMBERS = 2
ALARM = "!"
SUSPICIOUS = "a suspicious number (one label only, below the majority, or ties)."
ALARM_NOTE = f"Hollow marks with {ALARM}: {SUSPICIOUS}"
HOLLOW_NOTE = f"Hollow marks: {SUSPICIOUS}"
SIGN_NOTE = f"{ALARM}: {SUSPICIOUS}"


class Look(NamedTuple):
    """A colour, and the mark that tells it apart without colour."""

    colour: str
    marker: str


# Okabe and Ito's colours (2008), less yellow, which is too pale on white.
LOOKS = (
    Look("#0072B2", "o"),
    Look("#D55E00", "s"),
    Look("#009E73", "^"),
    Look("#CC79A7", "D"),
    Look("#E69F00", "v"),
    Look("#56B4E9", "P"),
    Look("#000000", "X"),
)
MODE_LOOKS: dict[Mode, Look] = dict(zip(("fine-tune", "lora", "few-shot", "zero-shot"), LOOKS, strict=False))


def style_axes(axes: Axes) -> None:
    """Give axes the common look: no frame above and on the right, fine lines, letters that can be read."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(GREY)
    axes.tick_params(labelsize=SMALL_SIZE, labelcolor=INK, color=GREY)
    axes.set_axisbelow(True)


def draw_mark(axes: Axes, x: float, y: float, look: Look, *, hollow: bool = False, size: float = 6.5) -> None:
    """Draw one mark, on top of lines and bars, and whole where it is on the edge of the axes."""
    axes.plot(
        [x],
        [y],
        look.marker,
        color=look.colour,
        markerfacecolor=PAPER if hollow else look.colour,
        markeredgewidth=1.3,
        markersize=size,
        zorder=3,
        clip_on=False,
    )


def set_titles(axes: Axes, title: str = "", x: str = "", y: str = "") -> None:
    """Write the title and the names of both directions where they are given."""
    if title:
        axes.set_title(title, fontsize=TEXT_SIZE, color=INK, parse_math=False)
    if x:
        axes.set_xlabel(x, fontsize=TEXT_SIZE, color=INK)
    if y:
        axes.set_ylabel(y, fontsize=TEXT_SIZE, color=INK)


def letter_names(names: Sequence[str], longest: int = LONGEST_NAME) -> list[str]:
    """Return contenders' names as a picture can show them, each another: with its place where it must be."""
    short = [letter_text(name, longest) for name in names]
    return [
        name if short.count(name) == 1 else letter_text(f"#{place} {names[place - 1]}", longest)
        for place, name in enumerate(short, start=1)
    ]


def name_round(found: Round) -> str:
    """Return task and split."""
    return letter_text(f"{found.task} ({found.split})", 34)


def describe_texts(found: Round) -> str:
    """Return how many texts there are, and what a reader must know of the data."""
    return f"n {found.n:,}{describe_data(found)}"


def describe_data(found: Round) -> str:
    """Return ", " and what the data are not; nothing where they are the published ones or one's own."""
    if found.data_source == "starter":
        return f", {DATA_TITLES['starter']}"
    cells = [cell for contender in found.contenders for cell in contender.cells]
    other = [cell.published for cell in cells if cell.is_published(found.split) is False]
    return f", not {letter_text(other[0], 20)}" if other else ""


def number_log_axis(axes: Axes, *, above: float = 0) -> None:
    """Write plain numbers on a logarithmic x axis: powers of ten or, where it is short, others too.

    To be called when its limits are final. What is not above the given value has no number.
    """
    low, high = axes.get_xlim()
    low = max(low, above)
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    numbers: list[float] = []
    for steps in ((1,), (1, 2, 5), range(1, 10)):
        if len(numbers) < FEWEST_NUMBERS:
            numbers = [step * 10.0**power for power in powers for step in steps]
            numbers = [number for number in numbers if low <= number <= high]
    axes.set_xticks(numbers, [f"{number:,g}" for number in numbers])
    fine = [step * 10.0**power for power in powers for step in range(1, 10)]
    axes.set_xticks([tick for tick in fine if low <= tick <= high], [], minor=True)


def number_percent_axis(axes: Axes) -> None:
    """Write the numbers of an x axis of percent up to 100: there may be room beyond for what is written."""
    low, high = axes.get_xlim()
    axes.set_xticks([tick for tick in axes.get_xticks() if low <= tick <= min(high, 100)])
