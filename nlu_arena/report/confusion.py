"""The confusion matrix of a run as a picture: counts, and the share of each gold label."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from nlu_arena.alarms import Alarms
from nlu_arena.ledger.rows import RunRow
from nlu_arena.metrics import Metrics, count_confusions
from nlu_arena.report.lettering import letter_labels, letter_text
from nlu_arena.report.sheet import Sheet, plan_sheet
from nlu_arena.spec import Prediction
from nlu_arena.views.figures import format_interval, format_percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

DOTS_PER_INCH = 150
# One hue from light to dark reads the same for every kind of colour vision.
COLOURS = "Blues"
# Above this share a field is dark, and its text must be light.
DARK = 0.68
INK, PAPER = "#1a1a2e", "#ffffff"
NUMBERED_CAPTION = "each field: examples, and their share of the gold label"
COLOURED_CAPTION = "colour: share of the gold label's examples"
PLACES_CAPTION = "#n: the label in place n of the task's labels; the first is #0"

# matplotlib reports missing fonts and its font cache through logging, which would end up on the terminal.
logging.getLogger("matplotlib").addHandler(logging.NullHandler())


class Panel(NamedTuple):
    """A matrix of answers by gold label (row) and predicted label (column), and what stands above it."""

    counts: Sequence[Sequence[int]]
    title: str


def draw_confusion(run: RunRow, answers: Mapping[str, Sequence[Prediction]], path: Path) -> None:
    """Draw one matrix for each dev split, side by side, at most 12 by 12 inches with 150 dots each.

    Args:
        run: The finished run; gives the title and the labels.
        answers: The predictions of each split.
        path: The PNG file.
    """
    save_picture(lambda: _draw(run, answers), path)


def draw_panels(labels: Sequence[str], title: Sequence[str], panels: Sequence[Panel], path: Path) -> None:
    """Draw matrices side by side below a title of some lines, as large as `draw_confusion` does."""
    save_picture(lambda: _compose(labels, title, panels), path)


def save_picture(draw: Callable[[], Figure], path: Path) -> None:
    """Draw a picture and write it as PNG, without a word."""
    # What it warns of is how the picture looks: the reader sees the picture, and the terminal is another's.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        draw().savefig(path, format="png")


def _draw(run: RunRow, answers: Mapping[str, Sequence[Prediction]]) -> Figure:
    labels = run.experiment.task.labels
    panels = []
    for split, predictions in answers.items():
        gold, predicted = [p.gold for p in predictions], [p.predicted for p in predictions]
        subtitle = _subtitle(split, run.by_split[split], run.alarms.get(split, {}))
        panels.append(Panel(count_confusions(gold, predicted, len(labels)), subtitle))
    return _compose(labels, _title_lines(run), panels)


def _compose(names: Sequence[str], title: Sequence[str], panels: Sequence[Panel]) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    labels = letter_labels(names)
    sheet = plan_sheet(labels, len(panels))
    layout = ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.08, wspace=0.04)
    figure = Figure(figsize=sheet.size, dpi=DOTS_PER_INCH, layout=layout)
    FigureCanvasAgg(figure)
    heading = "\n".join(letter_text(line, sheet.title_length) for line in title)
    figure.suptitle(heading, fontsize=11, fontweight="bold", parse_math=False)
    axes = figure.subplots(1, len(panels), squeeze=False)[0]
    for place, panel in enumerate(panels):
        image = _draw_matrix(axes[place], panel.counts, labels, sheet)
        axes[place].set_title(panel.title, fontsize=9, parse_math=False)
        if place == 0:
            axes[place].set_ylabel("gold label")
    if sheet.number_size is None:
        figure.colorbar(image, ax=axes, shrink=0.5, aspect=30).outline.set_visible(False)
    captions = [COLOURED_CAPTION if sheet.number_size is None else NUMBERED_CAPTION]
    if any(label.startswith(f"#{place}") for place, label in enumerate(labels)):
        captions.append(PLACES_CAPTION)
    figure.supxlabel("\n".join(captions), fontsize=8, color="#555555", parse_math=False)
    return figure


def _draw_matrix(
    axes: Axes, counts: Sequence[Sequence[int]], labels: Sequence[str], sheet: Sheet
) -> AxesImage:
    totals = [sum(row) for row in counts]
    shares = [[n / total if total else 0.0 for n in row] for row, total in zip(counts, totals, strict=True)]
    image = axes.imshow(shares, cmap=COLOURS, vmin=0, vmax=1, interpolation="nearest")
    between = " " if sheet.number_size is None else "\n"
    named = [f"{label}{between}(n {n:,})" for label, n in zip(labels, totals, strict=True)]
    places = range(0, len(labels), sheet.label_step)
    # A dollar sign in a label is a dollar sign.
    style: dict[str, Any] = {"fontsize": sheet.label_size, "parse_math": False}
    axes.set_xticks(places, [labels[p] for p in places], rotation=90 if sheet.is_upright else 0, **style)
    axes.set_yticks(places, [named[p] for p in places], **style)
    axes.set_xlabel("predicted label")
    axes.tick_params(length=0)
    if sheet.number_size is not None:
        _write_numbers(axes, counts, shares, sheet.number_size)
    for spine in axes.spines.values():
        spine.set_visible(False)
    return image


def _write_numbers(
    axes: Axes, counts: Sequence[Sequence[int]], shares: Sequence[Sequence[float]], size: float
) -> None:
    places = range(len(counts))
    for gold in places:
        for predicted in places:
            share = shares[gold][predicted]
            text = f"{counts[gold][predicted]:,}\n{format_percent(share)} %"
            colour = PAPER if share > DARK else INK
            axes.text(predicted, gold, text, ha="center", va="center", color=colour, fontsize=size)
    # Thin lines between the fields keep equal neighbours apart.
    axes.set_xticks([place - 0.5 for place in places], minor=True)
    axes.set_yticks([place - 0.5 for place in places], minor=True)
    axes.grid(which="minor", color=PAPER, linewidth=2)
    axes.tick_params(which="minor", length=0)


def _title_lines(run: RunRow) -> tuple[str, str]:
    experiment = run.experiment
    model = f"{experiment.model.title} {experiment.model.quantisation}".strip()
    data = " (starter data)" if experiment.data.source == "starter" else ""
    if experiment.task.published and run.facts.get("data_differences"):
        data = f" (not {experiment.task.published.name})"
    return model, f"{experiment.mode} on {experiment.task.title}{data}"


def _subtitle(split: str, metrics: Metrics, alarms: Alarms) -> str:
    interval = format_interval(metrics.interval)
    flags = "".join(f"\n! {name}" for name in alarms)
    return f"{split}: accuracy {format_percent(metrics.accuracy)} % ({interval}), n {metrics.n:,}{flags}"
