"""The phases of a run on one line: each with its seconds and a bar as long as its share of the time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from nlu_arena.ledger.rows import PhaseRow, RunState
from nlu_arena.views.figures import format_short_seconds
from nlu_arena.views.text import clean

State = Literal["ahead", "running", "done", "failed", "interrupted"]
HEADS: dict[State, str] = {"running": "▸", "failed": "✗", "interrupted": "‖"}
# What short phases are called together where there is no room for each.
OTHER = "other"
# Cells between two phases, and those of a bar's ends and of the space before it.
GAP, FRAME = 1, 3
# A phase that has hardly begun says nothing about how long it will take.
ENOUGH_SHARE = 0.02


class Span(NamedTuple):
    """One phase: `seconds` so far, None where nobody knows; `share` says how far one under way is."""

    phase: str
    seconds: float | None = None
    state: State = "done"
    share: float | None = None

    @property
    def expected(self) -> float:
        """Return the seconds that the phase takes as a whole, as far as they can be told."""
        seconds = self.seconds or 0.0
        return seconds / self.share if self.share and self.share >= ENOUGH_SHARE else seconds


def spans_of(
    phases: Sequence[PhaseRow],
    *,
    state: RunState,
    phase: str = "",
    done: int = 0,
    total: int = 0,
    since: str | None = None,
    until: float = 0.0,
    ahead: Sequence[str] = (),
) -> list[Span]:
    """Return the phases of a run in order; a phase that a continued run had twice counts once, with its sum.

    Args:
        phases: Those that have ended, in the order in which they did.
        state: The run's.
        phase: What it does, or did when it ended without a result; empty between two phases.
        done: How many examples of the phase are done.
        total: How many it has.
        since: When the run began to work (ISO 8601), None where that is not known.
        until: The end of what is shown, in seconds since 1970.
        ahead: The phases that may still come.
    """
    sums: dict[str, float] = {}
    for row in phases:
        sums[row.phase] = sums.get(row.phase, 0.0) + row.seconds
    spans = [Span(name, seconds) for name, seconds in sums.items() if name != phase or state == "done"]
    if state == "done":
        return spans
    if phase:
        began = phases[-1].finished_at if phases else since
        known = since is not None and began is not None
        seconds = max(0.0, until - datetime.fromisoformat(began).timestamp()) if known and began else None
        spans.append(Span(phase, seconds, state, min(1.0, done / total) if total else None))
    known_names = {span.phase for span in spans}
    coming = [name for name in ahead if name not in known_names] if state == "running" else []
    return [*spans, *(Span(name, state="ahead") for name in coming)]


def draw_timeline(spans: Sequence[Span], width: int) -> str:
    """Return the phases in at most `width` cells.

    Where there is no room for all, those still ahead go first, then the shortest are named together.
    """
    shown = list(spans)
    while len(shown) > 1 and _least_width(shown) > width:
        shown = _shorten(shown)
    if not shown:
        return ""
    labels = [_label(span) for span in shown]
    barred = [span for span in shown if span.state != "ahead"]
    room = width - sum(map(len, labels)) - GAP * (len(shown) - 1) - FRAME * len(barred)
    if room < len(barred):
        return " ".join(labels)[: max(0, width)]
    lengths = iter(share_out([span.expected for span in barred], room))
    parts = [
        label if span.state == "ahead" else f"{label} {_bar(span, next(lengths))}"
        for label, span in zip(labels, shown, strict=True)
    ]
    return (" " * GAP).join(parts)


def share_out(weights: Sequence[float], cells: int) -> list[int]:
    """Return a number of cells for each weight, in proportion, at least one each and together `cells`.

    Args:
        weights: Not negative.
        cells: At least as many as weights.
    """
    spare, whole = cells - len(weights), sum(weights)
    if whole <= 0:
        weights, whole = [1.0] * len(weights), float(len(weights))
    exact = [weight / whole * spare for weight in weights]
    lengths = [int(value) for value in exact]
    # The largest remainders get what rounding down has left.
    order = sorted(range(len(exact)), key=lambda place: lengths[place] - exact[place])
    for place in order[: spare - sum(lengths)]:
        lengths[place] += 1
    return [length + 1 for length in lengths]


def _label(span: Span) -> str:
    if span.state == "ahead":
        return f"{clean(span.phase)} -"
    parts = [clean(span.phase)]
    if span.state != "done" and span.share is not None:
        parts.append(f"{span.share:.0%}")
    if span.seconds is not None:
        parts.append(format_short_seconds(span.seconds))
    return " ".join(parts)


def _bar(span: Span, length: int) -> str:
    if span.state == "done":
        return f"▕{'█' * length}▏"
    filled = min(length - 1, int((span.share or 0.0) * length))
    return f"▕{'█' * filled}{HEADS[span.state]}{' ' * (length - filled - 1)}▏"


def _least_width(spans: Sequence[Span]) -> int:
    bars = sum(FRAME + 1 for span in spans if span.state != "ahead")
    return sum(len(_label(span)) for span in spans) + GAP * (len(spans) - 1) + bars


def _shorten(spans: list[Span]) -> list[Span]:
    """Leave out the last phase ahead, or else name the two shortest that are done as one."""
    if spans[-1].state == "ahead":
        return spans[:-1]
    ended = [span for span in spans if span.state == "done"]
    ended.sort(key=lambda span: (span.phase != OTHER, span.seconds or 0.0))
    if len(ended) < 2:
        # The one under way says more than what is over.
        return [span for span in spans if span.state != "done"] or spans[:1]
    merged = Span(OTHER, (ended[0].seconds or 0.0) + (ended[1].seconds or 0.0))
    rest = [span for span in spans if span not in ended[:2]]
    return [merged, *rest]
