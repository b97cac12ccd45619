"""The key of a picture of fronts: which number is which contender, and which costs are not known."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from nlu_arena.contender import Contender
from nlu_arena.report.plots.style import (
    ALARM,
    BOLD,
    GREY,
    INK,
    MODE_LOOKS,
    POINTS,
    SMALL_SIZE,
    draw_mark,
    letter_names,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Beyond it only what is on a front has a number: marks with numbers cover each other.
MOST_NUMBERED = 30
# A key of so many lines is as high as a picture may be.
MOST_LINES = 55
# In inches: the height of a line, the room for mark and number, the narrowest and the shortest key.
LINE, BESIDE, NARROWEST, SHORTEST = 0.19, 0.5, 2.0, 4.2


class KeyLine(NamedTuple):
    """A line of the key: a contender, its name with remarks, and whether it is on a front."""

    contender: Contender
    text: str
    is_on_front: bool


class Key(NamedTuple):
    """The key: its lines, the number of each contender in it, its measures in inches, what it leaves out."""

    lines: tuple[KeyLine, ...]
    numbers: dict[Contender, int]
    width: float
    height: float
    notes: tuple[str, ...]


def plan_key(
    contenders: Sequence[Contender],
    unknown: Mapping[str, Collection[Contender]],
    on_front: Collection[Contender],
) -> Key:
    """Return the key.

    Args:
        contenders: All contenders of the picture.
        unknown: For each cost, by its name, those whose is not known.
        on_front: Those that are on any front.
    """
    is_crowded = len(contenders) > MOST_NUMBERED
    shown = [c for c in contenders if not is_crowded or c in on_front][:MOST_LINES]
    names = letter_names([contender.name for contender in shown])
    lines = tuple(
        KeyLine(c, f"{name}{_remark(c, unknown)}", c in on_front)
        for c, name in zip(shown, names, strict=True)
    )
    longest = max((len(line.text) for line in lines), default=0)
    others = len(contenders) - len(shown)
    return Key(
        lines,
        {contender: number for number, contender in enumerate(shown, start=1)},
        width=max(NARROWEST, BESIDE + longest * BOLD * SMALL_SIZE / POINTS),
        height=max(SHORTEST, LINE * len(lines) + 0.6),
        notes=(f"Small marks without a number: {others} others, on no front.",) if others else (),
    )


def _remark(contender: Contender, unknown: Mapping[str, Collection[Contender]]) -> str:
    missing = ", ".join(cost for cost, contenders in unknown.items() if contender in contenders)
    alarm = f" {ALARM}" if contender.alarms else ""
    return alarm + (f" ({missing}: n/a)" if missing else "")


def draw_key(axes: Axes, key: Key) -> None:
    """Write the key into axes of its own."""
    axes.set_axis_off()
    axes.set_xlim(0, key.width)
    axes.set_ylim(key.height, 0)
    style: dict[str, Any] = {"fontsize": SMALL_SIZE, "va": "center", "parse_math": False}
    for place, line in enumerate(key.lines):
        y, look = LINE * (place + 0.7), MODE_LOOKS[line.contender.mode]
        draw_mark(axes, 0.06, y, look, hollow=bool(line.contender.alarms))
        style |= {"fontweight": "bold" if line.is_on_front else "normal"}
        style |= {"color": INK if line.is_on_front else GREY}
        axes.text(0.37, y, str(key.numbers[line.contender]), ha="right", **style)
        axes.text(0.45, y, line.text, **style)
