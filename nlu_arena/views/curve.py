"""A learning curve in plain lines and as a document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from nlu_arena.learning_curve import Crossing, Curve
from nlu_arena.views.figures import format_count, format_percent

EXAMPLES = "labelled example"


def curve_document(curves: Sequence[Curve], crossings: Sequence[Crossing]) -> dict[str, Any]:
    """Return the points of all curves and where they cross every prompted contender."""
    return {
        "curves": [
            {
                "name": curve.name,
                "model": curve.model,
                "mode": curve.mode,
                "points": [
                    {
                        "name": point.contender.name,
                        "train_rows": point.train_rows,
                        "accuracy": point.accuracy,
                        "interval": list(point.interval),
                        "seeds": point.contender.seeds,
                        "alarms": list(point.contender.alarms),
                    }
                    for point in curve.points
                ],
            }
            for curve in curves
        ],
        "crossings": msgspec.to_builtins(crossings),
    }


def curve_lines(curves: Sequence[Curve], crossings: Sequence[Crossing], majority: float) -> list[str]:
    """Return each curve's points and from where on it beats the most accurate prompted contender.

    Args:
        curves: The curves.
        crossings: Theirs, the most accurate level first.
        majority: The share of the most frequent label.
    """
    lines = []
    for curve in curves:
        points = [
            f"{p.train_rows:,}: {format_percent(p.accuracy)} %{_flag(p.contender.alarms)}"
            for p in curve.points
        ]
        lines.append(f"{curve.name} by {EXAMPLES}s: {', '.join(points)}")
        levels = [crossing for crossing in crossings if crossing.curve == curve.name]
        if levels:
            lines.append(f"  {_say_crossing(levels[0], len(levels), majority)}")
    return lines


def _say_crossing(crossing: Crossing, levels: int, majority: float) -> str:
    low, high = crossing.level_interval
    near = ", itself ≈ majority" if low <= majority <= high else ""
    which = "the best of " + format_count(levels, "prompted one") if levels > 1 else "prompting"
    level = f"{which} ({crossing.level}, {format_percent(crossing.level_accuracy)} %{near})"
    match crossing.outcome:
        case "from":
            assert crossing.rows is not None
            said = f"beats {level} from about {_about(crossing.rows)} on"
        case "already":
            said = f"beats {level} already with {crossing.smallest:,}, the fewest that were tried"
        case "not":
            said = f"does not beat {level} with up to {crossing.largest:,}"
    return f"{said} (95 %: {_say_range(crossing)}{_say_open_ends(crossing)})"


def _say_range(crossing: Crossing) -> str:
    low, high = crossing.low, crossing.high
    if low is None or high is None:
        if low is high:
            return "any number"
        return f"up to {_about(high)}" if high is not None else f"{_about(low or 0)} or more"
    return f"{_about(low)} to {_about(high)}"


def _say_open_ends(crossing: Crossing) -> str:
    """Say how many resamples end outside of what was tried, where the interval is open there."""
    ends = []
    if crossing.low is None and crossing.outcome != "already":
        ends.append(f"in {100 * crossing.share_already:.0f} % of resamples fewer than {crossing.smallest:,}")
    if crossing.high is None and crossing.outcome != "not":
        ends.append(f"in {100 * crossing.share_not:.0f} % of resamples not up to {crossing.largest:,}")
    return "".join(f"; {end}" for end in ends)


def _flag(alarms: Sequence[str]) -> str:
    return f" ! {', '.join(alarms)}" if alarms else ""


def _about(rows: float) -> str:
    """Return a number of rows with two digits that count."""
    return f"{float(f'{rows:.2g}'):,.0f}"
