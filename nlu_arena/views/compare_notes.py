"""What a reader of a comparison must know, in plain lines."""

from __future__ import annotations

from collections.abc import Sequence

from nlu_arena.comparing import Comparison, Omission
from nlu_arena.spec import TRAINED_MODES, Mode
from nlu_arena.views.compare_columns import format_points
from nlu_arena.views.figures import format_count

METRICS = {"accuracy": "accuracy", "macro_f1": "macro-F1", "mcc": "MCC"}
TESTS = {
    "exact": "exact McNemar test",
    "bootstrap": "bootstrap over texts and seeds",
}
# How many alarms, or things left out, a screen shows; the JSON document has all.
LINES_SHOWN = 8


def legend_lines(comparison: Comparison) -> list[str]:
    """Say what the columns mean."""
    margin = format_points(comparison.margin)
    tests = " or ".join(dict.fromkeys(TESTS[row.method] for row in comparison.rows))
    count = format_count(len(comparison.rows), "comparison")
    return [
        f"diff: points of {METRICS[comparison.metric]} above the baseline, with its own 95 % interval. p:"
        f" {tests} on the same texts, adjusted (Holm) for the {count} shown; p alone and mid-p are not."
        " wins: texts that only it got right : only the baseline.",
        f"better, worse: p at most .05; matches: shown (p match) to be less than {margin} points worse;"
        f" within {margin}: shown (p within) to differ by less; not shown: none of these. shows: the smallest"
        " difference that such texts show 4 times in 5; margin: the smallest one that equally good ones are"
        " shown to match in.",
        "costs, once a task: multiples of the baseline's; 1 text, 32 texts: median time of such a call;"
        " trained: weights; n/a: not measured for both, or on different devices.",
    ]


def doubt_lines(comparison: Comparison) -> list[str]:
    """Say which settings were chosen, what the seeds leave open, and which numbers have an alarm."""
    alarms: dict[str, dict[str, None]] = {}
    for row in comparison.rows:
        where = " ".join(filter(None, [row.task, row.split]))
        sides = ((f"{row.baseline} (the baseline)", row.baseline_alarms), (row.name, row.alarms))
        for who, names in sides:
            if names and not row.is_pooled:
                alarms.setdefault(f"! {who}: {', '.join(names)} on ", {})[where] = None
    lines = [f"{what}{', '.join(places)}" for what, places in alarms.items()]
    return [*comparison.notes, *_say_single_draws(comparison), *_cut(lines, "with an alarm")]


def omission_lines(left_out: Sequence[Omission]) -> list[str]:
    """Say what has no row and why; the same reason is said once."""
    reasons: dict[str, list[str]] = {}
    apart = {name for omission in left_out if omission.kind == "other texts" for name in omission.names}
    for omission in left_out:
        # Where none of those with other texts has a row, it is said with their texts already.
        if omission.kind == "no common texts" and set(omission.names) == apart:
            continue
        names = _shorten(omission.names)
        if omission.kind == "not finished":
            names = f"{names} on {omission.task}"
        elif omission.n is not None:
            texts = " ".join(filter(None, [omission.task, omission.split]))
            names = f"{texts} ({omission.data_source}, n {omission.n:,}: {names})"
        reasons.setdefault(omission.why, []).append(names)
    return _cut([f"- left out: {_shorten(names)}: {why}" for why, names in reasons.items()], "left out")


def _say_single_draws(comparison: Comparison) -> list[str]:
    """Say where one training or one draw of examples stands for all: no interval knows of others."""
    sides: list[tuple[Mode, str, int]] = [(row.mode, row.name, len(row.seeds)) for row in comparison.rows]
    sides += [(comparison.mode, row.baseline, len(row.baseline_seeds)) for row in comparison.rows]
    lines = []
    for word, modes in (("training", TRAINED_MODES), ("draw of the examples", ("few-shot",))):
        drawn = [(name, seeds) for mode, name, seeds in sides if mode in modes]
        single = dict.fromkeys(name for name, seeds in drawn if seeds == 1)
        if single:
            who = "each" if all(seeds == 1 for _, seeds in drawn) else f"of {_shorten(list(single))}"
            lines.append(f"1 {word} {who}: what another seed would give is not in the interval")
    return lines


def _shorten(names: Sequence[str]) -> str:
    """Return the first names and how many more there are."""
    more = len(names) - 3
    return f"{', '.join(names[:3])}{f' and {more:,} more' if more > 0 else ''}"


def _cut(lines: list[str], word: str) -> list[str]:
    more = len(lines) - LINES_SHOWN
    if more <= 0:
        return lines
    return [*lines[:LINES_SHOWN], f"  and {more:,} more {word} (--json has all)"]
