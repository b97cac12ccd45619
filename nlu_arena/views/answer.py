"""The answer of a sweep in plain lines of at most 80 columns, and as a document."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from nlu_arena.answer import Answer, Candidate
from nlu_arena.contender import Cost
from nlu_arena.views.figures import (
    format_bytes,
    format_gap,
    format_interval,
    format_milliseconds,
    format_p,
    format_percent,
    format_seconds,
    format_short_seconds,
)
from nlu_arena.views.matrix import DATA_TITLES
from nlu_arena.views.text import clean

WIDTH = 80
PICKED = "picked on these very texts: expect a little less"

LEGEND = "cost: median time of a text in batches of 32, training time, peak memory"
SEEDS = "accuracies are means over seeds, compared over texts and seeds (bootstrap)"


def answer_documents(answers: Sequence[Answer]) -> list[dict[str, Any]]:
    """Return the answers for other programs, with every candidate."""
    return [
        msgspec.to_builtins(answer) | {"majority_label": clean(answer.majority_label)} for answer in answers
    ]


def answer_lines(answers: Sequence[Answer]) -> list[str]:
    """Return the answers for people: one in full, of several at most three lines each and what they share."""
    match answers:
        case []:
            return []
        case [answer]:
            lines = _tell_all(answer)
        case _:
            lines = _tell_several(answers)
    return [clean(line) for line in lines]


def _tell_all(answer: Answer) -> list[str]:
    title = " · ".join(filter(None, [f"answer for {answer.task}", f"{answer.n:,} dev texts", _data(answer)]))
    weak = answer.find("not shown to beat the majority")
    lines: list[str] = []
    if best := _best(answer):
        lines.append(f"best: {_describe(best)}")
        lines += _list("not shown to be worse", map(_say_compared, answer.find("not shown to be worse")))
        lines += _list("shown to be worse", map(_say_compared, answer.find("worse")))
        lines.append(_say_cost(answer, best, _cost_in_full))
        lines += _list(f"not shown to beat {_always(answer)}", map(_say_lead, weak))
    else:
        share = format_percent(answer.majority)
        lines.append(f"nothing is shown to beat {_always(answer)}, {share} %")
        lines += _list("the nearest", map(_describe_lead, weak[:1]))
    lines += _list("set aside", map(_say_alarms, answer.find("set aside")))
    return [title, *(piece for line in [*lines, *_say_doubts(answer)] for piece in _wrap(f"  {line}"))]


def _say_doubts(answer: Answer) -> list[str]:
    """Return how far one answer may be trusted."""
    lines = []
    if answer.detectable_gap is not None:
        gap = format_gap(answer.detectable_gap)
        lines.append(f"no difference is shown: {answer.n:,} texts show only gaps of about {gap} and more")
    if any(len(candidate.seeds) > 1 for candidate in answer.candidates):
        lines.append(SEEDS)
    if answer.best:
        lines.append(f"the best of {_count_compared(answer)} was {PICKED} on new ones")
    return lines


def _tell_several(answers: Sequence[Answer]) -> list[str]:
    labels = {_data(answer) for answer in answers}
    shared = labels.pop() if len(labels) == 1 else ""
    named = {_name(answer, answers): answer for answer in answers}
    lines = [" · ".join(filter(None, ["answers", shared]))]
    for name, answer in named.items():
        label = "" if shared else _data(answer)
        lines += _tell_shortly(answer, " · ".join(filter(None, [name, label])))
    gaps = [f"{format_gap(a.detectable_gap)} on {name}" for name, a in named.items() if a.detectable_gap]
    lines += _fit("  no difference is shown; it would take about: ", gaps)
    flagged = {name: len(answer.find("set aside")) for name, answer in named.items()}
    lines += _fit(
        "  set aside for an alarm: ", [f"{count} on {name}" for name, count in flagged.items() if count]
    )
    if any(len(candidate.seeds) > 1 for answer in answers for candidate in answer.candidates):
        lines.append(f"  {SEEDS}")
    if decided := [_count_compared(answer) for answer in answers if answer.best]:
        lines += [f"  {LEGEND}", f"  each is the best of up to {max(decided)}, {PICKED}"]
    return lines


def _name(answer: Answer, answers: Sequence[Answer]) -> str:
    """Return what tells an answer apart: the task, its split, or even the number of its texts."""
    peers = [other for other in answers if other.task == answer.task]
    split = answer.split if len({other.split for other in peers}) > 1 else ""
    same = [other for other in peers if other.split == answer.split]
    texts = (
        f"({answer.n:,} texts of {answer.data_source} data, {answer.fingerprint[:6]})"
        if len(same) > 1
        else ""
    )
    return " ".join(filter(None, [answer.task, split, texts]))


def _tell_shortly(answer: Answer, name: str) -> list[str]:
    best = _best(answer)
    if best is None:
        weak = answer.find("not shown to beat the majority")
        nearest = [f"    the nearest: {_describe_lead(weak[0])}"] if weak else []
        return [f"  {name}: nothing is shown to beat {_always(answer)}", *nearest]
    worse = [c.comparison.p_adjusted for c in answer.find("worse") if c.comparison]
    if alike := answer.find("not shown to be worse"):
        (second,) = _fit("    not shown worse: ", [_say_compared(c) for c in alike])
    elif worse:
        others = f"{len(worse)} others are" if len(worse) > 1 else "the other one is"
        second = (
            f"    {others} shown to be worse ({format_p(max(worse))}{' at most' if len(worse) > 1 else ''})"
        )
    else:
        second = f"    no other is shown to beat {_always(answer)}{_count_doubtful(answer)}"
    return [f"  {name}: {_describe(best)}", second, f"    {_say_cost(answer, best, _cost_in_short)}"]


# ── Parts of lines ────────────────────────────────────────────────────────────────────────────────────


def _best(answer: Answer) -> Candidate | None:
    return next(iter(answer.find("best")), None)


def _count_compared(answer: Answer) -> int:
    return len(answer.candidates) - len(answer.find("set aside"))


def _count_doubtful(answer: Answer) -> str:
    """Say how many of those not shown to beat the majority label may be as good as the best all the same."""
    weak = answer.find("not shown to beat the majority")
    count = sum(not c.comparison.is_worse for c in weak if c.comparison)
    return f"; {count} not shown worse" if count else ""


def _data(answer: Answer) -> str:
    """Return what the texts may not be taken for, empty where there is nothing to say."""
    if answer.data_source == "starter":
        return DATA_TITLES["starter"]
    return f"not {answer.published_name}" if answer.published is False else ""


def _always(answer: Answer) -> str:
    return f'always saying "{answer.majority_label}"'


def _describe(candidate: Candidate) -> str:
    return f"{candidate.name}, {format_percent(candidate.accuracy)} % ({format_interval(candidate.interval)})"


def _say(candidate: Candidate) -> str:
    return f"{candidate.name} {format_percent(candidate.accuracy)} %"


def _say_compared(candidate: Candidate) -> str:
    assert candidate.comparison is not None
    return f"{_say(candidate)} ({format_p(candidate.comparison.p_adjusted)})"


def _say_lead(candidate: Candidate) -> str:
    assert candidate.lead is not None
    return f"{_say(candidate)} ({format_p(candidate.lead.p_adjusted)})"


def _describe_lead(candidate: Candidate) -> str:
    assert candidate.lead is not None
    return f"{_describe(candidate)}, {format_p(candidate.lead.p_adjusted)}"


def _say_alarms(candidate: Candidate) -> str:
    return f"{candidate.name} ({', '.join(candidate.alarms)})"


def _say_cost(answer: Answer, best: Candidate, describe: Callable[[Cost], str]) -> str:
    """Name the cheapest of those that may be as good as the best, and what it costs."""
    good = answer.find("best", "not shown to be worse")
    if len(good) == 1:
        return f"its cost: {describe(best.cost)}"
    if answer.practical == best.name:
        return f"it is the cheapest: {describe(best.cost)}"
    cheapest = next((candidate for candidate in good if candidate.name == answer.practical), None)
    if cheapest is not None:
        return f"cheapest: {_say(cheapest)}, {describe(cheapest.cost)}"
    devices = {candidate.cost.device for candidate in good}
    why = "different devices" if len(devices) > 1 else "not timed"
    return f"its cost: {describe(best.cost)} (cheapest n/a: {why})"


def _cost_in_full(cost: Cost) -> str:
    latency = "n/a" if cost.ms_per_text is None else format_milliseconds(cost.ms_per_text)
    trained = "" if cost.train_seconds is None else f"trained in {format_seconds(cost.train_seconds)}"
    return ", ".join(filter(None, [f"{latency} a text", trained, *_memory(cost)]))


def _cost_in_short(cost: Cost) -> str:
    """Return the same as LEGEND explains it."""
    latency = "n/a" if cost.ms_per_text is None else format_milliseconds(cost.ms_per_text)
    trained = "" if cost.train_seconds is None else format_short_seconds(cost.train_seconds)
    return ", ".join(filter(None, [f"{latency}/text", trained, *_memory(cost)]))


def _memory(cost: Cost) -> list[str]:
    """Return the memory that is scarce: the device's where it has its own."""
    if cost.device_peak_bytes is not None:
        return [f"{format_bytes(cost.device_peak_bytes)} GPU"]
    return [] if cost.peak_rss_bytes is None else [format_bytes(cost.peak_rss_bytes)]


def _list(head: str, items: Iterable[str]) -> list[str]:
    """Return a line with all items, none where there are none."""
    said = ", ".join(items)
    return [f"{head}: {said}"] if said else []


def _wrap(line: str) -> list[str]:
    return textwrap.wrap(
        line, WIDTH, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
    )


def _fit(head: str, items: Sequence[str]) -> list[str]:
    """Return a line with as many items as it has room for, at least one, and how many more there are."""
    line = ""
    for count in range(len(items), 0, -1):
        more = len(items) - count
        rest = f" and {more} other{'' if more == 1 else 's'}" if more else ""
        line = f"{head}{', '.join(items[:count])}{rest}"
        if len(line) <= WIDTH:
            break
    return [line] if line else []
