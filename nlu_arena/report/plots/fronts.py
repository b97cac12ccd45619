"""What accuracy costs: accuracy against latency, memory and training time, each with its Pareto front."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from nlu_arena.answer import find_leads
from nlu_arena.contender import Contender, Round
from nlu_arena.efficiency import find_front
from nlu_arena.limits import find_needs
from nlu_arena.report.lettering import letter_text
from nlu_arena.report.plots.costpanel import Spot, draw_panel
from nlu_arena.report.plots.frontkey import Key, draw_key, plan_key
from nlu_arena.report.plots.head import explain, explain_line, make_figure
from nlu_arena.report.plots.latency import split_by_device
from nlu_arena.report.plots.pages import Page, Picture, save_pages
from nlu_arena.report.plots.style import (
    ALARM_NOTE,
    GREY,
    LARGEST,
    MODE_LOOKS,
    describe_texts,
    name_round,
    set_titles,
)
from nlu_arena.views.figures import GIB

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FRONT_NOTE = (
    "Large marks are on the front: no other is at least as accurate at no higher cost. What is not shown to"
    " beat the majority label is on none: that label costs nothing."
)


class Scale(NamedTuple):
    """A cost: its short name, the label of its axis, and how it is measured; None where it is not known."""

    name: str
    label: str
    measure: Callable[[Contender], float | None]


def draw_fronts(rounds: Sequence[Round], path: Path) -> list[Picture]:
    """Draw accuracy against three costs, a picture for each task and device, with the Pareto fronts.

    Returns:
        what was written: `path`, and further pictures beside it; nothing where no cost was measured.
    """
    return save_pages(build_fronts(rounds), path)


def build_fronts(rounds: Sequence[Round]) -> Iterator[Page]:
    """Return the pages of the plot, not written yet."""
    for found in rounds:
        # All splits of a task share their costs.
        if not found.is_main:
            continue
        for device, contenders in split_by_device(found.contenders).items():
            scales = _choose_scales(contenders)
            if any(scale.measure(contender) for scale in scales for contender in contenders):
                yield _build_page(found, device, contenders, scales)


def find_spots(contenders: Sequence[Contender], worthy: Collection[Contender], scale: Scale) -> list[Spot]:
    """Return the contenders whose cost is known, and which of them are on the front.

    Args:
        contenders: All of them.
        worthy: Those that can be on a front; others keep nothing from it, either.
        scale: The cost.
    """
    known = {contender: cost for contender in contenders if (cost := scale.measure(contender)) is not None}
    good = [contender for contender in known if contender in worthy]
    front = find_front([(contender.accuracy, known[contender]) for contender in good])
    best = {contender for contender, is_best in zip(good, front, strict=True) if is_best}
    return [Spot(contender, cost, contender in best) for contender, cost in known.items()]


def find_worthy(contenders: Sequence[Contender], found: Round) -> set[Contender]:
    """Return those without an alarm that are shown to beat the majority label, which costs nothing."""
    sound = [contender for contender in contenders if not contender.alarms]
    leads = find_leads(sound, found.n, found.majority)
    return {contender for contender in sound if leads[contender.name].is_shown}


def _choose_scales(contenders: Sequence[Contender]) -> tuple[Scale, Scale, Scale]:
    """Return the three costs; memory is of one kind for all contenders of a device."""
    has_own = any(find_needs(contender).is_device_memory for contender in contenders)
    memory = f"peak memory of the {'device' if has_own else 'host'} (GiB)"
    return (
        Scale("latency", "latency of one text (ms)", lambda c: find_needs(c).latency_ms),
        Scale("memory", memory, lambda c: _peak(c, has_own)),
        Scale("training time", "training time (s)", lambda c: find_needs(c).train_seconds),
    )


def _peak(contender: Contender, has_own: bool) -> float | None:
    needs = find_needs(contender)
    is_same = needs.is_device_memory == has_own
    return needs.memory_bytes / GIB if is_same and needs.memory_bytes is not None else None


def _build_page(found: Round, device: str, contenders: Sequence[Contender], scales: Sequence[Scale]) -> Page:
    worthy = find_worthy(contenders, found)
    panels = [find_spots(contenders, worthy, scale) for scale in scales]
    unknown = {
        scale.name: set(contenders) - {spot.contender for spot in spots}
        for scale, spots in zip(scales, panels, strict=True)
    }
    on_front = {spot.contender for spots in panels for spot in spots if spot.is_on_front}
    key = plan_key(contenders, unknown, on_front)
    figure = _make_figure(found, device, contenders, key)
    panel = (LARGEST - key.width) / len(scales)
    grid = figure.add_gridspec(1, len(scales) + 1, width_ratios=[panel] * len(scales) + [key.width])
    first = None
    for place, (scale, spots) in enumerate(zip(scales, panels, strict=True)):
        axes = figure.add_subplot(grid[0, place], sharey=first)
        draw_panel(axes, spots, found.majority, key.numbers)
        set_titles(axes, x=scale.label, y="" if first else "accuracy (%)")
        axes.tick_params(labelleft=not first)
        first = first or axes
    draw_key(figure.add_subplot(grid[0, len(scales)]), key)
    caption = f"Accuracy against latency, peak memory and training time on {name_round(found)}, on {device}."
    return Page(figure, caption)


def _make_figure(found: Round, device: str, contenders: Sequence[Contender], key: Key) -> Figure:
    modes = [mode for mode in MODE_LOOKS if any(c.mode == mode for c in contenders)]
    has_alarm = any(contender.alarms for contender in contenders)
    return make_figure(
        LARGEST,
        key.height,
        f"What accuracy costs: {name_round(found)}",
        [
            f"{describe_texts(found)}, on {letter_text(device, 80)}.",
            FRONT_NOTE,
            *key.notes,
            *([ALARM_NOTE] if has_alarm else []),
        ],
        [
            *(explain(mode, MODE_LOOKS[mode]) for mode in modes),
            explain_line("front", line="-"),
            explain_line("always the majority label", GREY, ":"),
        ],
    )
