"""The pictures of a report, each made from the rounds of a ledger; matplotlib is loaded on demand."""

from nlu_arena.report.plots.accuracy import draw_accuracy
from nlu_arena.report.plots.curves import draw_curves
from nlu_arena.report.plots.fronts import draw_fronts
from nlu_arena.report.plots.latency import draw_latency
from nlu_arena.report.plots.pages import Picture
from nlu_arena.report.plots.reliability import draw_reliability
from nlu_arena.report.plots.templates import draw_templates

__all__ = [
    "Picture",
    "draw_accuracy",
    "draw_curves",
    "draw_fronts",
    "draw_latency",
    "draw_reliability",
    "draw_templates",
]
