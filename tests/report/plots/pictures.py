"""Rounds to draw, and what is to be seen in a figure."""

from __future__ import annotations

import math
import warnings
from array import array
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from nlu_arena.contender import Round, find_rounds
from nlu_arena.ledger.codec import Columns
from nlu_arena.spec import Subset
from tests.contest import GOLD, Contest, N

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure
    from matplotlib.text import Text

COSTS: dict[str, Any] = {"call_ms": {1: 10.0, 32: 160.0}, "peak_rss_bytes": 2**30, "train_seconds": 60.0}


class Mark(NamedTuple):
    """A mark in axes."""

    x: float
    y: float
    marker: str
    hollow: bool


def rounds_of(contest: Contest) -> list[Round]:
    return find_rounds(contest.cells, contest.labels)


def add(contest: Contest, model: str, hits: int, mode: str = "zero-shot", **fields: Any) -> None:
    """Add a run that gets as many of the 100 texts right."""
    contest.add(model, range(hits), mode=mode, **{**COSTS, **fields})


def add_curve(contest: Contest, model: str, hits: dict[int, int], **fields: Any) -> None:
    """Add fine-tuned runs by their training rows."""
    for rows, count in hits.items():
        curve = {"subset": Subset(train=rows), "train_rows": rows, "curve": model}
        add(contest, model, count, "fine-tune", setting=f"{model} {rows}", **{**curve, **fields})


def all_kinds(per_mode: int = 1, name: str = "model", tasks: Sequence[str] = ("sst2",)) -> Contest:
    """Six settings of each model: seeds, alarms, variants of prompts, learning curves and two devices."""
    contest = Contest()
    for task in tasks:
        given: dict[str, Any] = {"task": task, "fingerprints": {"dev": task}, "data_source": "starter"}
        for place in range(per_mode):
            model = f"{name}{place}"
            for seed in (1, 2):
                add(contest, model, 70 + place % 20, "lora", seed=seed, **given)
            add(contest, model, 50, device="cuda", **given)
            add(contest, model, 55, template="question", setting=f"{model} question", **given)
            add(contest, model, 60, "few-shot", alarms={"dev": {"ties": "too many"}}, shots=4, **given)
            add_curve(contest, model, {32: 60, 128: 70, 512: 80 + place % 15}, **given)
    return contest


def read_columns(run_id: int, split: str) -> Columns:
    """Half of the answers are right, each with a probability of 70 %, of 60 % where it is calibrated."""
    return Columns(
        gold=array("H", GOLD),
        predicted=array("H", [0] * N),
        tied=array("B", [0] * N),
        scores=array("d", [math.log(0.7), math.log(0.3)] * N),
        calibrated=array("d", [math.log(0.6), math.log(0.4)] * N),
        n_labels=2,
    )


def texts(figure: Figure) -> list[Text]:
    """Return what is written, drawn without any warning."""
    from matplotlib.text import Text

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure.canvas.draw()
    beyond = {label for axes in figure.axes for axis in (axes.xaxis, axes.yaxis) for label in _beyond(axis)}
    found = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]
    return [text for text in found if text not in beyond]


def _beyond(axis: Axis) -> list[Text]:
    """Return the labels of ticks outside of what an axis shows: they are not drawn."""
    low, high = sorted(axis.get_view_interval())
    return [
        label
        for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks())
        if not low <= tick.get_loc() <= high or not axis.axes.axison
        for label in (tick.label1, tick.label2)
    ]


def words(figure: Figure) -> list[str]:
    """Return every line that is written."""
    return [line for text in texts(figure) for line in text.get_text().split("\n")]


def marks(axes: Axes) -> list[Mark]:
    """Return the marks of axes that are no dots, in the order in which they were drawn."""
    from matplotlib.colors import to_hex

    return [
        Mark(
            round(float(line.get_xdata()[0]), 9),
            round(float(line.get_ydata()[0]), 9),
            str(line.get_marker()),
            to_hex(line.get_markerfacecolor()) == "#ffffff",
        )
        for line in axes.get_lines()
        if len(line.get_xdata()) == 1 and line.get_marker() not in ("None", "", ".")
    ]


def inches(figure: Figure) -> float:
    return float(max(figure.get_size_inches()))
