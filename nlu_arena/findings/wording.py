"""Numbers and verdicts in the words of a sentence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nlu_arena.comparing import Row
from nlu_arena.views.figures import format_gap


def say_signed(share: float) -> str:
    """Return a difference in points with its sign, without the word."""
    text = f"{100 * share:+.1f}".replace("-", "\u2212")
    return "0.0" if text in ("+0.0", "\u22120.0") else text


def say_range(interval: tuple[float, float]) -> str:
    """Return an interval of differences in points: -1.0 to +3.2."""
    return " to ".join(map(say_signed, interval))


def say_verdicts(row: Row) -> str:
    """Return what a comparison shows, "not shown" where nothing."""
    return ", ".join(row.verdicts) or "not shown"


def say_row(row: Row) -> str:
    """Return one comparison as part of a sentence: who, by how much, what is shown."""
    return f"{row.name} {say_signed(row.difference)} points ({say_range(row.interval)}), {say_verdicts(row)}"


def say_list(items: Iterable[str]) -> str:
    """Return a list in words: a, b and c."""
    *firsts, last = list(items) or [""]
    return f"{', '.join(firsts)} and {last}" if firsts else last


def say_limit(rows: Sequence[Row]) -> str:
    """Return what the texts of a task could have shown, as a sentence that follows another, or nothing."""
    margins = [row.provable_margin for row in rows if row.provable_margin is not None]
    gaps = [row.detectable_gap for row in rows if row.detectable_gap is not None]
    if not margins or not gaps:
        return ""
    return (
        f" As a rule it takes a gap of {format_gap(min(gaps))} to be shown on so many texts, and a margin of"
        f" {format_gap(min(margins))} to show that equals match."
    )
