"""A panel of accuracy against one cost: numbered marks, and the line of what no other one beats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from nlu_arena.contender import Contender
from nlu_arena.report.plots.style import (
    GREY,
    INK,
    MODE_LOOKS,
    PALE,
    PAPER,
    SMALL_SIZE,
    number_log_axis,
    style_axes,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Numbers on these colours are light.
DARK = {"#0072B2", "#D55E00", "#009E73"}
# Sizes of marks in points: on the front, with a number, without one.
LARGE, USUAL, SMALL = 17.0, 13.0, 5.0


class Spot(NamedTuple):
    """A contender in a panel; a cost of 0 is none at all."""

    contender: Contender
    cost: float
    is_on_front: bool


def draw_panel(axes: Axes, spots: Sequence[Spot], majority: float, numbers: Mapping[Contender, int]) -> None:
    """Draw accuracy (%) against the cost on a logarithmic scale, which has a place apart for no cost at all.

    Args:
        axes: Where to draw.
        spots: The contenders whose cost is known.
        majority: The share of the most frequent label.
        numbers: What stands in the marks of the contenders that are in the key.
    """
    style_axes(axes)
    axes.grid(color=PALE, linewidth=0.5)
    axes.axhline(100 * majority, color=GREY, linewidth=1, linestyle=":")
    if not spots:
        axes.text(0.5, 0.5, "n/a", transform=axes.transAxes, ha="center", color=GREY, fontsize=9)
        axes.set_xticks([])
        return
    axes.set_xscale("log")
    at_none, low, high = _find_ends(spots)
    # The front on top, then what is in the key, of these the cheapest: what a reader looks for stays visible.
    order = sorted(spots, key=lambda s: (s.is_on_front, s.contender in numbers, -s.cost))
    for place, spot in enumerate(order):
        _draw_spot(axes, spot, spot.cost or at_none, numbers.get(spot.contender), 4 + place / len(order))
    has_none = any(not spot.cost for spot in spots)
    around = max((high / low) ** 0.12, 1.6)
    axes.set_xlim((at_none if has_none else low) / around, high * around)
    axes.margins(y=0.08)
    _draw_front(axes, [(s.cost or at_none, 100 * s.contender.accuracy) for s in spots if s.is_on_front])
    border = (at_none * low) ** 0.5
    if has_none:
        _mark_none(axes, at_none, border)
    number_log_axis(axes, above=border if has_none else 0)


def _find_ends(spots: Sequence[Spot]) -> tuple[float, float, float]:
    """Return where no cost at all is drawn, a quarter of the scale to the left; the lowest; the highest."""
    costs = [spot.cost for spot in spots if spot.cost] or [1.0]
    low, high = min(costs), max(costs)
    return low / (high / low) ** 0.25 / 2, low, high


def _draw_spot(axes: Axes, spot: Spot, x: float, number: int | None, order: float) -> None:
    contender = spot.contender
    look, y = MODE_LOOKS[contender.mode], 100 * contender.accuracy
    low, high = (100 * end for end in contender.interval)
    is_hollow = bool(contender.alarms)
    if number is not None:
        axes.plot([x, x], [low, high], color=look.colour, linewidth=0.9, alpha=0.45, zorder=2)
    axes.plot(
        [x],
        [y],
        marker=look.marker,
        color=look.colour,
        markerfacecolor=PAPER if is_hollow else look.colour,
        markeredgecolor=INK if spot.is_on_front else look.colour if is_hollow else PAPER,
        markeredgewidth=1.5 if spot.is_on_front or is_hollow else 0.6,
        markersize=SMALL if number is None else LARGE if spot.is_on_front else USUAL,
        zorder=order,
    )
    if number is not None:
        axes.annotate(
            str(number),
            (x, y),
            # The middle of a triangle is below that of its box.
            xytext=(0, -1.5 if look.marker == "^" else 0),
            textcoords="offset points",
            ha="center",
            va="center_baseline",
            fontsize=SMALL_SIZE,
            fontweight="bold",
            color=PAPER if look.colour in DARK and not is_hollow else INK,
            zorder=order,
        )


def _draw_front(axes: Axes, points: Sequence[tuple[float, float]]) -> None:
    """Draw the highest accuracy that is to be had for each cost, up to the end of the scale."""
    if points:
        xs, ys = zip(*sorted(points), strict=True)
        end = axes.get_xlim()[1]
        axes.plot([*xs, end], [*ys, ys[-1]], drawstyle="steps-post", color=INK, linewidth=1.2, zorder=3)


def _mark_none(axes: Axes, at: float, border: float) -> None:
    """Set those without any cost apart, and say so above them."""
    axes.axvspan(axes.get_xlim()[0], border, color=PALE, alpha=0.35, linewidth=0, zorder=0)
    place = axes.get_xaxis_transform()
    axes.text(at, 1.01, "none", transform=place, ha="center", va="bottom", fontsize=SMALL_SIZE, color=GREY)
