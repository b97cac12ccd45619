"""How much the wording of a prompt decides: the variants of each prompted model side by side."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from nlu_arena.contender import Contender, Round
from nlu_arena.report.plots.head import explain, explain_line
from nlu_arena.report.plots.pages import Page, Picture, save_pages
from nlu_arena.report.plots.rows import Panel, Row, Wording, build_rows, write_number
from nlu_arena.report.plots.style import (
    ALARM,
    ALARM_NOTE,
    GREY,
    INK,
    LOOKS,
    Look,
    describe_texts,
    draw_mark,
    name_round,
)
from nlu_arena.variants import DEFAULT
from nlu_arena.views.figures import format_percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Variants(NamedTuple):
    """The variants of one model and mode, the name of each with its contender, and the majority share."""

    members: tuple[tuple[str, Contender], ...]
    majority: float
    looks: dict[str, Look]


def draw_templates(rounds: Sequence[Round], path: Path) -> list[Picture]:
    """Draw the accuracy of every prompt variant of each model and mode, a panel for each task and split.

    Returns:
        what was written: `path`, and further pages beside it; nothing where no model has several variants.
    """
    return save_pages(build_templates(rounds), path)


def build_templates(rounds: Sequence[Round]) -> Iterator[Page]:
    """Return the pages of the plot, not written yet."""
    found = [(r, groups) for r in rounds if (groups := group_variants(r))]
    if not found:
        return iter(())
    names = list(dict.fromkeys(name for _, groups in found for g in groups.values() for name, _ in g))
    # The default first: it was chosen before anything was measured.
    names.sort(key=lambda name: name != DEFAULT)
    looks = {name: LOOKS[min(place, len(LOOKS) - 1)] for place, name in enumerate(names)}
    # More cannot be told apart: the last look is for all that follow.
    shown = names if len(names) <= len(LOOKS) else [*names[: len(LOOKS) - 1], "other variants"]
    panels = [
        Panel(
            f"{name_round(r)}\n{describe_texts(r)}",
            {row: Variants(tuple(members), r.majority, looks) for row, members in groups.items()},
        )
        for r, groups in found
    ]
    most = max(len(members) for _, groups in found for members in groups.values())
    alarms = any(c.alarms for _, groups in found for g in groups.values() for _, c in g)
    wording = Wording(
        title="Accuracy with 95 % intervals by the wording of the prompt",
        x_label="accuracy (%)",
        missing="not run",
        notes=(
            "Numbers: mean of the variants, the worst and the best of them (chosen on these very texts).",
            *([ALARM_NOTE] if alarms else []),
        ),
        handles=(
            *(explain(name, look) for name, look in zip(shown, LOOKS, strict=False)),
            explain_line("mean of the variants", GREY, line="-"),
            explain_line("always the majority label", line="-"),
        ),
        caption="Accuracy of the prompt variants of every model:",
        numbers=2,
        row=0.14 + 0.13 * most,
    )
    return build_rows(panels, _draw_variants, wording)


def group_variants(found: Round) -> dict[Row, list[tuple[str, Contender]]]:
    """Return the contenders that differ in the prompt only, where there are two or more."""
    groups: dict[Row, list[tuple[str, Contender]]] = {}
    for contender in found.contenders:
        cell = contender.cells[0]
        name = " ".join(filter(None, [cell.model, cell.quantisation, cell.mode]))
        rows = f" ({cell.subset.train} rows)" if cell.subset.train and cell.mode == "lora" else ""
        shots = f" ({cell.shots} shots)" if cell.shots else ""
        groups.setdefault(Row(f"{name}{rows}{shots}", contender.mode), []).append(
            (cell.template or DEFAULT, contender)
        )
    return {
        # The default first: it was chosen before anything was measured.
        row: sorted(members, key=lambda member: member[0] != DEFAULT)
        for row, members in groups.items()
        if len({name for name, _ in members}) > 1
    }


def _draw_variants(axes: Axes, y: float, variants: Variants) -> None:
    values = [100 * contender.accuracy for _, contender in variants.members]
    low, high, mean = min(values), max(values), statistics.fmean(values)
    axes.vlines(100 * variants.majority, y - 0.5, y + 0.5, color=INK, linewidth=1, zorder=1.5)
    axes.vlines(mean, y - 0.42, y + 0.42, color=GREY, linewidth=2, zorder=2)
    step = 0.84 / len(values)
    ends = []
    for place, (name, contender) in enumerate(variants.members):
        look, at = variants.looks[name], y + step * (place - (len(values) - 1) / 2)
        ends += [100 * end for end in contender.interval]
        axes.plot(ends[-2:], [at, at], color=look.colour, linewidth=1, zorder=1.9)
        draw_mark(axes, 100 * contender.accuracy, at, look, hollow=bool(contender.alarms), size=5.5)
    alarm = f" {ALARM}" if any(c.alarms for _, c in variants.members) else ""
    text = (
        f"{format_percent(mean / 100)} ({format_percent(low / 100)}\u2013{format_percent(high / 100)}){alarm}"
    )
    write_number(axes, max(ends), y, text)
