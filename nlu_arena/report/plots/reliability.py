"""Whether confidence can be trusted: how often answers are right, by how sure they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nlu_arena.calibration import Calibration, ContenderCalibration
from nlu_arena.metrics import BINS
from nlu_arena.report.plots.head import explain, explain_line, make_figure
from nlu_arena.report.plots.pages import Page, Picture, save_pages
from nlu_arena.report.plots.style import (
    ALARM,
    GREY,
    LOOKS,
    PALE,
    SIGN_NOTE,
    Look,
    describe_texts,
    draw_mark,
    letter_names,
    name_round,
    set_titles,
    style_axes,
)
from nlu_arena.views.figures import format_share

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_PANELS, MOST_COLUMNS = 12, 4
# In inches: a panel, and the narrowest picture.
PANEL_WIDTH, PANEL_HEIGHT, NARROWEST = 3.35, 3.9, 6.0
# As many letters of a name fit above a panel.
LONGEST = 44
# A share of fewer answers says little.
FEW = 10
RAW, CALIBRATED = LOOKS[0], LOOKS[1]


def draw_reliability(calibrations: Sequence[ContenderCalibration], path: Path) -> list[Picture]:
    """Draw a reliability diagram for each contender, a picture for each task and split.

    Returns:
        what was written: `path`, and further pictures beside it.
    """
    return save_pages(build_reliability(calibrations), path)


def build_reliability(calibrations: Sequence[ContenderCalibration]) -> Iterator[Page]:
    """Return the pages of the plot, not written yet."""
    rounds: dict[tuple[str, str, str], list[ContenderCalibration]] = {}
    for calibration in calibrations:
        found = calibration.round
        rounds.setdefault((found.task, found.split, found.fingerprint), []).append(calibration)
    for members in rounds.values():
        yield _build_page(members)


def _choose(members: Sequence[ContenderCalibration]) -> list[ContenderCalibration]:
    """Return as many contenders as can be read: the most accurate ones, those without alarms first."""
    best = sorted(members, key=lambda m: (bool(m.contender.alarms), -m.raw.accuracy))[:MOST_PANELS]
    return [member for member in members if member in best]


def _build_page(members: Sequence[ContenderCalibration]) -> Page:
    shown = _choose(members)
    columns = min(MOST_COLUMNS, len(shown))
    rows = -(-len(shown) // columns)
    found = shown[0].round
    notes = [
        f"{describe_texts(found)}.",
        "Above: right answers by confidence; pale lines are the gap to the diagonal, small hollow marks fewer"
        f" than {FEW} answers. Below: how many answers are that sure.",
        "ECE: mean gap, 0 is best. Brier: squared error summed over the labels, 0 is best.",
    ]
    if len(shown) < len(members):
        notes.append(f"Shown are the {len(shown)} most accurate of {len(members)}.")
    if any(member.contender.alarms for member in shown):
        notes.append(SIGN_NOTE)
    handles = [explain("raw scores", RAW, line="-")]
    if any(member.calibrated for member in shown):
        handles.append(explain("content-free-calibrated scores", CALIBRATED, line="--"))
    handles.append(explain_line("confidence that is right", GREY, ":"))
    figure = make_figure(
        max(PANEL_WIDTH * columns, 6.0),
        PANEL_HEIGHT * rows,
        f"Reliability: {name_round(found)}",
        notes,
        handles,
    )
    grid = figure.add_gridspec(2 * rows, columns, height_ratios=[3, 1] * rows)
    names = letter_names([member.contender.name for member in shown], LONGEST)
    for place, member in enumerate(shown):
        row, column = divmod(place, columns)
        above = figure.add_subplot(grid[2 * row, column])
        below = figure.add_subplot(grid[2 * row + 1, column], sharex=above)
        _draw_member(above, below, member, names[place])
        if column == 0:
            set_titles(above, y="right answers (%)")
            set_titles(below, y="answers (%)")
    return Page(figure, f"Share of right answers by confidence on {name_round(found)}.")


def _draw_member(above: Axes, below: Axes, member: ContenderCalibration, name: str) -> None:
    for axes in (above, below):
        style_axes(axes)
        axes.grid(color=PALE, linewidth=0.5)
    above.plot([0, 100], [0, 100], color=GREY, linewidth=1, linestyle=":")
    _draw_curve(above, member.raw, RAW, "-")
    _draw_histogram(below, member.raw, RAW, is_filled=True)
    lines = [name + f" {ALARM}" * bool(member.contender.alarms)]
    lines.append(describe_calibration(member.raw))
    if member.calibrated is not None:
        _draw_curve(above, member.calibrated, CALIBRATED, "--")
        _draw_histogram(below, member.calibrated, CALIBRATED, is_filled=False)
        lines.append(f"calibrated: {describe_calibration(member.calibrated)}")
    above.set_xlim(0, 100)
    above.set_ylim(0, 103)
    above.tick_params(labelbottom=False)
    below.set_xlim(0, 100)
    set_titles(above, "\n".join(lines))
    above.title.set_fontsize(8.5)
    set_titles(below, x="confidence (%)")


def describe_calibration(calibration: Calibration) -> str:
    """Return the figures of a calibration in one line."""
    return f"ECE {format_share(calibration.ece)}, Brier {format_share(calibration.brier)}"


def _draw_curve(axes: Axes, calibration: Calibration, look: Look, line: str) -> None:
    filled = [b for b in calibration.bins if b.count]
    xs, ys = [100 * b.confidence for b in filled], [100 * b.accuracy for b in filled]
    axes.plot(xs, ys, color=look.colour, linestyle=line, linewidth=1.3, zorder=3)
    axes.vlines(xs, xs, ys, color=look.colour, linewidth=2.2, alpha=0.3, zorder=2)
    for b, x, y in zip(filled, xs, ys, strict=True):
        draw_mark(axes, x, y, look, hollow=b.count < FEW, size=4 if b.count < FEW else 5.5)


def _draw_histogram(axes: Axes, calibration: Calibration, look: Look, *, is_filled: bool) -> None:
    total = sum(b.count for b in calibration.bins)
    edges = [100 * place / BINS for place in range(BINS + 1)]
    axes.stairs(
        [100 * b.count / total for b in calibration.bins],
        edges,
        fill=is_filled,
        color=look.colour,
        alpha=0.45 if is_filled else 1,
        linestyle="-" if is_filled else "--",
        linewidth=1.4,
        zorder=2 if is_filled else 3,
    )
