"""What an answer costs in time: milliseconds a text, one at a time and in batches of 32."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nlu_arena.contender import COST_BATCH, Contender, Round
from nlu_arena.report.lettering import letter_text
from nlu_arena.report.plots.head import explain
from nlu_arena.report.plots.pages import Page, Picture, save_pages
from nlu_arena.report.plots.rows import (
    Panel,
    Row,
    Wording,
    build_rows,
    choose_names,
    write_missing,
    write_number,
)
from nlu_arena.report.plots.style import INK, MODE_LOOKS, Look, describe_texts, draw_mark, name_round

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SINGLE = 1
LOOKS = {SINGLE: Look(INK, "o"), COST_BATCH: Look(INK, "s")}
NOTES = (
    "Median time of a call without tokenisation, divided by its texts. Few-shot: the examples cached;"
    " LoRA: the adapter not merged.",
    f"Numbers: one text at a time / in batches of {COST_BATCH}. Times compare on one device only.",
)


def draw_latency(rounds: Sequence[Round], path: Path) -> list[Picture]:
    """Draw milliseconds a text at batch 1 and 32 on a common log scale, a panel for each task and device.

    Returns:
        what was written: `path`, and further pages beside it; nothing where no latency was measured.
    """
    return save_pages(build_latency(rounds), path)


def build_latency(rounds: Sequence[Round]) -> Iterator[Page]:
    """Return the pages of the plot, not written yet."""
    # All splits of a task share one measurement.
    mains = [found for found in rounds if found.is_main]
    names, limit = choose_names(mains)
    panels = [panel for found in mains for panel in _find_panels(found, names)]
    if not any(c.cost.call_ms for panel in panels for c in panel.marks.values()):
        return iter(())
    modes = [mode for mode in MODE_LOOKS if any(row.mode == mode for p in panels for row in p.marks)]
    wording = Wording(
        title="Latency",
        x_label="ms a text",
        missing="not run",
        notes=(*NOTES, *([limit] if limit else [])),
        handles=(
            explain("one text at a time", LOOKS[SINGLE], hollow=True),
            explain(f"in batches of {COST_BATCH}", LOOKS[COST_BATCH]),
            *(explain(mode, Look(MODE_LOOKS[mode].colour, ""), line="-") for mode in modes),
        ),
        caption="Milliseconds a text, one at a time and in batches of 32:",
        numbers=1.8,
    )
    return build_rows(panels, _draw_contender, wording, log=True)


def split_by_device(contenders: Sequence[Contender]) -> dict[str, list[Contender]]:
    """Return the contenders by the device that they were timed on, in the order in which devices come."""
    devices: dict[str, list[Contender]] = {}
    for contender in contenders:
        devices.setdefault(contender.cost.device, []).append(contender)
    return devices


def _find_panels(found: Round, names: set[str]) -> list[Panel[Contender]]:
    return [
        Panel(
            f"{name_round(found)}\n{describe_texts(found)}\n{letter_text(device, 44)}",
            {Row(c.name, c.mode): c for c in members},
        )
        for device, members in split_by_device([c for c in found.contenders if c.name in names]).items()
    ]


def _draw_contender(axes: Axes, y: float, contender: Contender) -> None:
    times = {
        batch: contender.cost.call_ms[batch] / batch for batch in LOOKS if batch in contender.cost.call_ms
    }
    if not times:
        write_missing(axes, y, "n/a")
        return
    colour = MODE_LOOKS[contender.mode].colour
    axes.plot(list(times.values()), [y] * len(times), color=colour, linewidth=1.4, zorder=2)
    for batch, look in LOOKS.items():
        if batch in times:
            draw_mark(axes, times[batch], y, look._replace(colour=colour), hollow=batch == SINGLE)
    text = " / ".join(format_ms(times[b]) if b in times else "n/a" for b in LOOKS)
    write_number(axes, max(times.values()), y, text)


def format_ms(milliseconds: float) -> str:
    """Return milliseconds as whole ones, with one decimal below 10 and two below 1."""
    digits = 0 if milliseconds >= 9.95 else 1 if milliseconds >= 0.995 else 2
    return f"{milliseconds:,.{digits}f}"
