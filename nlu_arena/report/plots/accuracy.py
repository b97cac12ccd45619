"""The accuracy of every contender on every task, with its interval and the majority share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from nlu_arena.contender import Contender, Round
from nlu_arena.report.plots.head import explain, explain_line
from nlu_arena.report.plots.pages import Page, Picture, save_pages
from nlu_arena.report.plots.rows import Panel, Row, Wording, build_rows, choose_names, write_number
from nlu_arena.report.plots.style import (
    ALARM,
    ALARM_NOTE,
    GREY,
    INK,
    MODE_LOOKS,
    describe_texts,
    draw_mark,
    name_round,
)
from nlu_arena.views.figures import format_percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SEEDS_NOTE = "Small dots: single seeds. The intervals are over texts, not over seeds."


class Entry(NamedTuple):
    """A contender on a task, with what always giving the majority label gets there."""

    contender: Contender
    split: str
    majority: float


def draw_accuracy(rounds: Sequence[Round], path: Path) -> list[Picture]:
    """Draw the accuracy of all contenders with 95 % intervals, a panel for each task and split.

    Returns:
        what was written: `path`, and further pages beside it.
    """
    return save_pages(build_accuracy(rounds), path)


def build_accuracy(rounds: Sequence[Round]) -> Iterator[Page]:
    """Return the pages of the plot, not written yet."""
    names, limit = choose_names(rounds)
    panels = [
        Panel(
            f"{name_round(found)}\n{describe_texts(found)}",
            {
                Row(c.name, c.mode): Entry(c, found.split, found.majority)
                for c in found.contenders
                if c.name in names
            },
        )
        for found in rounds
    ]
    contenders = [contender for found in rounds for contender in found.contenders]
    notes = [SEEDS_NOTE] if any(len(c.seeds) > 1 for c in contenders) else []
    notes += [ALARM_NOTE] if any(c.alarms for c in contenders) else []
    modes = [mode for mode in MODE_LOOKS if any(c.mode == mode for c in contenders)]
    wording = Wording(
        title="Accuracy with 95 % intervals",
        x_label="accuracy (%)",
        missing="not run",
        notes=tuple(filter(None, [limit, *notes])),
        handles=(
            *(explain(mode, MODE_LOOKS[mode]) for mode in modes),
            explain_line("always the majority label", line="-"),
        ),
        caption="Accuracy of every model and mode with its 95 % interval, beside the majority share:",
    )
    return build_rows(panels, _draw_entry, wording)


def _draw_entry(axes: Axes, y: float, entry: Entry) -> None:
    contender, look = entry.contender, MODE_LOOKS[entry.contender.mode]
    low, high = (100 * end for end in contender.interval)
    # A piece of the line for every row: together they are one line through all rows that are there.
    axes.vlines(100 * entry.majority, y - 0.5, y + 0.5, color=INK, linewidth=1, zorder=1.5)
    axes.plot([low, high], [y, y], color=look.colour, linewidth=1.6, solid_capstyle="butt", zorder=2)
    seeds = [100 * cell.by_split[entry.split].accuracy for cell in contender.cells]
    if len(seeds) > 1:
        axes.plot(seeds, [y + 0.24] * len(seeds), ".", color=GREY, markersize=3.5, zorder=2.5)
    draw_mark(axes, 100 * contender.accuracy, y, look, hollow=bool(contender.alarms))
    alarm = f" {ALARM}" if contender.alarms else ""
    write_number(axes, max(high, *seeds), y, f"{format_percent(contender.accuracy)}{alarm}")
