"""The confusion matrix of a run as a picture: counts, and the share of each gold label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nlu_arena.alarms import Alarms
from nlu_arena.ledger.rows import RunRow
from nlu_arena.metrics import Metrics, count_confusions
from nlu_arena.spec import Prediction
from nlu_arena.views.figures import format_interval, format_percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# One hue from light to dark reads the same for every kind of colour vision.
COLOURS = "Blues"
# Above this share a field is dark, and its text must be light.
DARK = 0.68
INK, PAPER = "#1a1a2e", "#ffffff"


def draw_confusion(run: RunRow, answers: Mapping[str, Sequence[Prediction]], path: Path) -> None:
    """Draw one matrix for each dev split, side by side.

    Args:
        run: The finished run; gives the title and the labels.
        answers: The predictions of each split.
        path: The PNG file.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    labels = run.experiment.task.labels
    side = 1.9 + 0.95 * len(labels)
    size = (max((side + 0.6) * len(answers), 4.6), side + 0.9)
    figure = Figure(
        figsize=size, dpi=150, layout=ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.08, wspace=0.04)
    )
    FigureCanvasAgg(figure)
    figure.suptitle(_title(run), fontsize=11, fontweight="bold", parse_math=False)
    axes = figure.subplots(1, len(answers), squeeze=False)[0]
    for place, (split, predictions) in enumerate(answers.items()):
        counts = count_confusions(
            [p.gold for p in predictions], [p.predicted for p in predictions], len(labels)
        )
        _draw_matrix(axes[place], counts, labels)
        subtitle = _subtitle(split, run.by_split[split], run.alarms.get(split, {}))
        axes[place].set_title(subtitle, fontsize=9, parse_math=False)
        if place == 0:
            axes[place].set_ylabel("gold label")
    figure.supxlabel("each field: examples, and their share of the gold label", fontsize=8, color="#555555")
    figure.savefig(path, format="png")


def _draw_matrix(axes: Axes, counts: list[list[int]], labels: Sequence[str]) -> None:
    totals = [sum(row) for row in counts]
    shares = [[n / total if total else 0.0 for n in row] for row, total in zip(counts, totals, strict=True)]
    axes.imshow(shares, cmap=COLOURS, vmin=0, vmax=1)
    places = range(len(labels))
    # A dollar sign in a label is a dollar sign.
    style: dict[str, Any] = {"fontsize": 9, "parse_math": False}
    axes.set_xticks(places, labels, **style)
    axes.set_yticks(places, [f"{label}\n(n {n:,})" for label, n in zip(labels, totals, strict=True)], **style)
    axes.set_xlabel("predicted label")
    axes.tick_params(length=0)
    for gold in places:
        for predicted in places:
            share = shares[gold][predicted]
            text = f"{counts[gold][predicted]:,}\n{format_percent(share)} %"
            colour = PAPER if share > DARK else INK
            axes.text(predicted, gold, text, ha="center", va="center", color=colour, fontsize=10)
    # Thin lines between the fields keep equal neighbours apart.
    axes.set_xticks([place - 0.5 for place in places], minor=True)
    axes.set_yticks([place - 0.5 for place in places], minor=True)
    axes.grid(which="minor", color=PAPER, linewidth=2)
    axes.tick_params(which="minor", length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _title(run: RunRow) -> str:
    experiment = run.experiment
    model = f"{experiment.model.title} {experiment.model.quantisation}".strip()
    data = " (starter data)" if experiment.data.source == "starter" else ""
    if experiment.task.published and run.facts.get("data_differences"):
        data = f" (not {experiment.task.published.name})"
    return f"{model}\n{experiment.mode} on {experiment.task.title}{data}"


def _subtitle(split: str, metrics: Metrics, alarms: Alarms) -> str:
    interval = format_interval(metrics.interval)
    flags = "".join(f"\n! {name}" for name in alarms)
    return f"{split}: accuracy {format_percent(metrics.accuracy)} % ({interval}), n {metrics.n:,}{flags}"
