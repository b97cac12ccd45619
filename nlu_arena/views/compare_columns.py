"""The columns of a comparison: what is shown of a row, and of its baseline in the line above."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from nlu_arena.comparing import Comparison, Row
from nlu_arena.views.figures import format_bytes, format_parameters, format_percent, format_short_seconds

NOT_KNOWN = "n/a"
NOT_SHOWN = "not shown"


class Column(NamedTuple):
    """A heading, what a row shows below it, and what the line of its baseline does."""

    head: str
    of_row: Callable[[Row], str]
    of_baseline: Callable[[Row], str] = lambda _: ""
    is_text: bool = False


def make_blocks(comparison: Comparison) -> list[list[Column]]:
    """Return the columns that belong together: the results, the tests behind them, and the costs."""
    head = {"accuracy": "acc", "macro_f1": "F1", "mcc": "MCC"}[comparison.metric]
    margin = format_points(comparison.margin)
    results = [
        Column(head, lambda row: format_percent(row.value), lambda row: format_percent(row.baseline_value)),
        Column("diff", lambda row: _sign(row.difference)),
        Column("95 % interval", lambda row: f"{_sign(row.interval[0])} to {_sign(row.interval[1])}"),
        Column("p", lambda row: format_p(row.p_adjusted)),
        Column("verdict", lambda row: describe_verdicts(row, margin), lambda _: "baseline", is_text=True),
    ]
    tests = [
        Column("wins", _describe_wins),
        Column("p alone", lambda row: format_p(row.p_value)),
        Column("mid-p", lambda row: format_p(row.mid_p)),
        Column("shows", lambda row: _limit(row.detectable_gap)),
        Column("p match", lambda row: format_p(row.p_matches)),
        Column("p within", lambda row: format_p(row.p_within)),
        Column("margin", lambda row: _limit(row.provable_margin)),
    ]
    return [results, tests, _COSTS]


def describe_verdicts(row: Row, margin: str) -> str:
    """Say what is shown in few words: who is better or within the margin matches anyway."""
    shown = row.verdicts
    words: list[str] = [verdict for verdict in shown if verdict in ("better", "worse")]
    if "within the margin" in shown:
        words.append(f"within {margin}")
    elif "matches" in shown and "better" not in shown:
        words.append("matches")
    return ", ".join(words) or NOT_SHOWN


def format_points(share: float) -> str:
    """Return a share in points, without trailing zeros."""
    return f"{100 * share:.4g}"


def format_p(p_value: float | None) -> str:
    """Return a p-value with three decimals, or its magnitude where it is below them."""
    if p_value is None:
        return NOT_KNOWN
    if p_value >= 0.9995:
        return "1"
    if p_value >= 0.001:
        return f"{p_value:.3f}".removeprefix("0")
    return f"{p_value:.0e}".replace("e-0", "e-") if p_value else "0"


def _sign(share: float) -> str:
    text = f"{100 * share:+.1f}"
    return "0.0" if text in ("+0.0", "-0.0") else text


def _limit(share: float) -> str:
    """Return a difference or margin in points, "none" where not even the largest would be shown."""
    return "none" if share >= 1 else format_percent(share)


def _describe_wins(row: Row) -> str:
    return NOT_KNOWN if row.only_this is None else f"{row.only_this}:{row.only_baseline}"


def _times(ratio: float | None) -> str:
    """Return a multiple with two digits or more."""
    if ratio is None:
        return NOT_KNOWN
    if ratio >= 0.995:
        return f"{ratio:.0f}x" if ratio >= 9.95 else f"{ratio:.1f}x"
    return f"{ratio:.2f}x" if ratio >= 0.0995 else f"{ratio:.2g}x"


def _milliseconds(value: float | None) -> str:
    if value is None:
        return NOT_KNOWN
    return f"{value:.0f} ms" if value >= 9.95 else f"{value:.1f} ms"


def _seconds(value: float | None) -> str:
    return NOT_KNOWN if value is None else format_short_seconds(value)


def _rate(value: float | None) -> str:
    return NOT_KNOWN if value is None else f"{value:.0f}/s" if value >= 9.95 else f"{value:.1f}/s"


def _memory(row: Row) -> str:
    cost = row.baseline_cost
    peak = cost.peak_rss_bytes if cost.device_peak_bytes is None else cost.device_peak_bytes
    return NOT_KNOWN if peak is None else format_bytes(peak)


def _weights(value: int | None) -> str:
    return NOT_KNOWN if value is None else format_parameters(value) if value else "0"


_COSTS = [
    Column(
        "training",
        lambda row: _times(row.ratios.train_seconds),
        lambda row: _seconds(row.baseline_cost.train_seconds),
    ),
    Column(
        "1 text",
        lambda row: _times(row.ratios.latency_1),
        lambda row: _milliseconds(row.baseline_cost.call_ms.get(1)),
    ),
    Column(
        "32 texts",
        lambda row: _times(row.ratios.latency_32),
        lambda row: _milliseconds(row.baseline_cost.call_ms.get(32)),
    ),
    Column(
        "texts/s",
        lambda row: _times(row.ratios.throughput),
        lambda row: _rate(row.baseline_cost.examples_per_second),
    ),
    Column("memory", lambda row: _times(row.ratios.peak_memory), _memory),
    Column(
        "trained",
        lambda row: _times(row.ratios.trainable_parameters),
        lambda row: _weights(row.baseline_cost.trainable_parameters),
    ),
]
