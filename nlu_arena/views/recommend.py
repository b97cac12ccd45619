"""A recommendation in plain lines of at most 80 columns, as records and as a document."""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Sequence
from typing import Any

import msgspec

from nlu_arena.choice import name_round
from nlu_arena.contender import Round
from nlu_arena.learning_curve import Crossing, Curve
from nlu_arena.limits import Needs
from nlu_arena.recommendation import Candidate, Recommendation
from nlu_arena.views.answer import PICKED
from nlu_arena.views.curve import curve_document, curve_lines
from nlu_arena.views.figures import (
    format_bytes,
    format_count,
    format_interval,
    format_milliseconds,
    format_p,
    format_percent,
    format_short_seconds,
)
from nlu_arena.views.limits import describe_limits, describe_miss, relax_limit
from nlu_arena.views.matrix import DATA_TITLES
from nlu_arena.views.text import clean
from nlu_arena.views.tsv import Record

WIDTH = 80
GLUE = "\xa0"
COSTS = "costs: one text alone (median), peak memory with training, training, labels"
TSV_COLUMNS = (
    *(
        "standing",
        "name",
        "model",
        "mode",
        "run",
        "accuracy",
        "low",
        "high",
        "seeds",
        "on_front",
        "beaten_by",
    ),
    *("difference", "p_adjusted", "latency_ms", "memory_bytes", "train_seconds", "labels", "device"),
    *("misses", "alarms"),
)


def recommendation_document(
    found: Recommendation, curves: Sequence[Curve], crossings: Sequence[Crossing], others: Sequence[Round]
) -> dict[str, Any]:
    """Return a recommendation for other programs, with every candidate, every curve and every crossing."""
    document: dict[str, Any] = msgspec.to_builtins(found)
    return {
        "schema": 1,
        **document,
        "majority_label": clean(found.majority_label),
        "front": [candidate.name for candidate in found.front],
        "learning_curve": curve_document(curves, crossings),
        "other_rounds": [
            {"n": other.n, "fingerprint": other.fingerprint, "data_source": other.data_source}
            for other in others
        ],
    }


def recommendation_records(found: Recommendation) -> list[Record]:
    """Return a record for each candidate, from the highest accuracy down."""
    return [
        {
            **msgspec.to_builtins(candidate),
            **msgspec.to_builtins(candidate.needs),
            "low": candidate.interval[0],
            "high": candidate.interval[1],
            "difference": candidate.gap and candidate.gap.difference,
            "p_adjusted": candidate.gap and candidate.gap.p_adjusted,
            "misses": ", ".join(map(describe_miss, candidate.misses)),
            "alarms": ", ".join(candidate.alarms),
        }
        for candidate in found.candidates
    ]


def recommendation_lines(
    found: Recommendation, curves: Sequence[Curve], crossings: Sequence[Crossing], others: Sequence[Round]
) -> list[str]:
    """Return a recommendation for people: what is worth its cost, what is not, and why."""
    data = DATA_TITLES["starter"] if found.data_source == "starter" else ""
    if not data and found.published is False:
        data = f"not {found.published_name}"
    texts = f"{found.n:,} {found.split} texts"
    lines = [" · ".join(filter(None, [f"recommendation for {found.task}", texts, data]))]
    if limits := describe_limits(found.limits):
        lines.append(f"  limits: {limits}")
    if found.front:
        lines += ["  worth their cost, from the most accurate down:", *_tell_front(found)]
        lines.append(f"  {COSTS}")
    lines += _tell_rest(found)
    lines += [f"  {line}" for line in curve_lines(curves, crossings, found.majority)]
    lines += [f"  also there: {name_round(other)}" for other in others]
    lines += [f"  {line}" for line in _say_doubts(found)]
    return [piece for line in lines for piece in _wrap(line)]


def advice_lines(found: Recommendation, results: str = "") -> list[str]:
    """Return what to use, and the command that uses it; a command is not broken into lines.

    Args:
        found: The recommendation.
        results: The results folder as it was given on the command line, empty where it was not.
    """
    named = {candidate.name: candidate for candidate in found.candidates}
    best, faster = named.get(found.recommended or ""), named.get(found.faster or "")
    if best is None:
        share = format_percent(found.majority)
        said = (
            f'nothing is shown to beat always saying "{found.majority_label}", {share} %: no recommendation'
        )
        return _wrap(said)
    said = f"use {best.name}: {format_percent(best.accuracy)} %, {_say_latency(best.needs)} a text"
    commands = [_predict(best, results)]
    if faster is not None:
        worse = "shown to be worse" if faster.standing == "worse" else "not shown to be worse"
        less = f"{format_percent(faster.accuracy)} %, {_say_latency(faster.needs)}, {worse}"
        said += f"; if latency matters more: {faster.name} ({less})"
        commands.append(_predict(faster, results))
    return [*_wrap(said), *(f"  {command}" for command in commands)]


def explain_refusal(found: Recommendation) -> tuple[str, str]:
    """Return what to say where nothing meets the limits: that, and what would let the nearest one in."""
    message = f"nothing meets the limits on {found.task}: {describe_limits(found.limits)}"
    nearest = found.nearest()
    if nearest is None:
        return message, "All others have an alarm: `nlu-arena status` shows them."
    hint = f"The nearest is {_say(nearest)}: {', '.join(map(describe_miss, nearest.misses))}."
    if any(miss.value is None for miss in nearest.misses):
        return message, f"{hint} What was not measured meets no limit: run it again with --fresh."
    return message, f"{hint} {' '.join(map(relax_limit, nearest.misses))} lets it in."


# ── Parts ─────────────────────────────────────────────────────────────────────────────────────────────


def _tell_front(found: Recommendation) -> list[str]:
    """Return three lines for each on the front: its name, its numbers, how it does against the first."""
    devices = {candidate.device for candidate in found.candidates}
    lines = []
    for candidate in found.front:
        on_device = f"on {candidate.device}" if len(devices) > 1 else ""
        costs = [
            f"{format_percent(candidate.accuracy)} % ({format_interval(candidate.interval)})",
            *_say_needs(candidate.needs),
            on_device,
        ]
        lines += [f"    {candidate.name}", f"      {' · '.join(filter(None, costs))}"]
        if candidate.gap is not None:
            lines.append(f"      {_say_gap(candidate)}")
    return lines


def _tell_rest(found: Recommendation) -> list[str]:
    """Return a line for each kind of those that are not on the front."""
    good = found.find("worse", "not shown to be worse")
    beaten: dict[str, list[str]] = {}
    for candidate in good:
        if candidate.beaten_by is not None:
            beaten.setdefault(candidate.beaten_by, []).append(_say(candidate))
    weak = [
        f"{_say(c)} ({format_p(c.lead.p_adjusted)})"
        for c in found.find("not shown to beat the majority")
        if c.lead is not None
    ]
    aside = [f"{c.name} ! {', '.join(c.alarms)}" for c in found.find("set aside")]
    missing = [f"{_say(c)} ({', '.join(map(describe_miss, c.misses))})" for c in found.find("misses a limit")]
    return [
        *(
            line
            for name, losers in beaten.items()
            for line in _list(f"no better and no cheaper than {name}", losers)
        ),
        *_list(f'not shown to beat always saying "{found.majority_label}"', weak),
        *_list("set aside", aside),
        *_list("beyond the limits", missing),
    ]


def _say_doubts(found: Recommendation) -> list[str]:
    """Return how far the accuracies and the costs may be trusted."""
    lines = []
    elsewhere = dict.fromkeys(c.device for c in found.candidates if not c.is_timed_here)
    if elsewhere:
        lines.append(f"costs are of another device than this machine has: {', '.join(elsewhere)}")
    if len({candidate.device for candidate in found.candidates}) > 1:
        lines.append("costs of different devices do not compare: the front is found on each apart")
    compared = sum(candidate.lead is not None for candidate in found.candidates)
    if found.recommended and compared > 1:
        lines.append(f"the best of {compared} was {PICKED} on new ones")
    return lines


def _say(candidate: Candidate) -> str:
    return f"{candidate.name} {format_percent(candidate.accuracy)} %"


def _say_gap(candidate: Candidate) -> str:
    assert candidate.gap is not None
    low, high = (-100 * end for end in reversed(candidate.gap.interval))
    verdict = "shown to be worse" if candidate.gap.is_worse else "not shown to be worse"
    less = format_percent(-candidate.gap.difference)
    return f"{less} points less ({low:.1f} to {high:.1f}), {verdict} ({format_p(candidate.gap.p_adjusted)})"


def _say_needs(needs: Needs) -> list[str]:
    memory = "memory n/a"
    if needs.memory_bytes is not None:
        memory = f"{format_bytes(needs.memory_bytes)}{' GPU' if needs.is_device_memory else ''}"
    training = "training n/a"
    if needs.train_seconds is not None:
        training = (
            f"trained {format_short_seconds(needs.train_seconds)}" if needs.train_seconds else "untrained"
        )
    labels = "labels n/a" if needs.labels is None else format_count(needs.labels, "label")
    return [_say_latency(needs), memory, training, labels]


def _say_latency(needs: Needs) -> str:
    return "n/a ms" if needs.latency_ms is None else format_milliseconds(needs.latency_ms)


def _predict(candidate: Candidate, results: str) -> str:
    folder = f" --results {shlex.quote(results)}" if results else ""
    return clean(f"nlu-arena predict {shlex.quote(candidate.run)} FILE --output labelled.csv{folder}")


def _list(head: str, items: Sequence[str]) -> list[str]:
    return [f"  {head}: {', '.join(items)}"] if items else []


def _wrap(line: str) -> list[str]:
    """Return a line without anything that a terminal obeys, in pieces of 80 columns."""
    line = clean(line)
    indent = " " * (len(line) - len(line.lstrip()) + 2)
    # A p-value and a percentage stay together.
    pieces = textwrap.wrap(
        line.replace("(p ", f"(p{GLUE}").replace(" %", f"{GLUE}%"),
        WIDTH,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [piece.replace(GLUE, " ") for piece in pieces]
