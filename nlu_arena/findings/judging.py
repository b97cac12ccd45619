"""From the comparisons of a question to its verdict: what holds on which task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from nlu_arena.comparing import Row
from nlu_arena.findings.majority import find_weak_places
from nlu_arena.findings.records import Verdict
from nlu_arena.findings.scene import Scene
from nlu_arena.findings.wording import say_limit, say_list, say_row, say_signed
from nlu_arena.spec import TRAINED_MODES
from nlu_arena.views.figures import format_count

# So many comparisons of a task are told in a sentence; the evidence has all.
TOLD = 4


class Judgement(NamedTuple):
    """A verdict and on what it holds."""

    verdict: Verdict
    summary: str


def judge_matching(scene: Scene, rows: Sequence[Row]) -> Judgement:
    """Judge whether on each task at least one contender is not worse by more than the margin.

    Only tasks count on which the reference beats the majority share. "No" takes as much proof as "yes":
    everyone is shown to be worse, on every task.
    """
    weak = find_weak_places(scene)
    places = {p: peers for p, peers in group_by_place(scene, rows).items() if p not in weak}
    beside = f"; on {say_list(weak)} BERT itself is not shown to beat the majority share" if weak else ""
    if not places:
        return Judgement("not shown", f"BERT is nowhere shown to beat the majority share ({say_list(weak)})")
    matching = {place: [row for row in peers if "matches" in row.verdicts] for place, peers in places.items()}
    shown = say_list(f"{place} ({_name_best(rows)})" for place, rows in matching.items() if rows)
    others = say_list(
        f"{place} ({_name_best(places[place])})" for place, rows in matching.items() if not rows
    )
    if not others:
        # What cannot be said of one task is not said of all.
        return Judgement("in part" if weak else "yes", f"shown on {shown}{beside}")
    if shown:
        return Judgement("in part", f"shown on {shown}, not on {others}{beside}")
    if all("worse" in row.verdicts for peers in places.values() for row in peers):
        return Judgement("no", f"all are shown to be worse on {others}{beside}")
    return Judgement("not shown", f"neither that one matches nor that all are worse, on {others}{beside}")


def _name_best(rows: Sequence[Row]) -> str:
    """Return the most accurate contender with its difference, and how many others there are."""
    best = max(rows, key=lambda row: row.value)
    others = "" if len(rows) == 1 else f" and {format_count(len(rows) - 1, 'other')}"
    return f"{best.name} {say_signed(best.difference)} points{others}"


def group_by_place(scene: Scene, rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Return the comparisons by what their task is called, in their order."""
    places: dict[str, list[Row]] = {}
    for row in rows:
        places.setdefault(scene.name(row.task, row.split), []).append(row)
    return places


def tell_places(scene: Scene, rows: Sequence[Row]) -> list[str]:
    """Return a sentence for each task, with what its texts could have shown where a verdict is missing."""
    return [f"{place}, {_tell(peers)}" for place, peers in group_by_place(scene, rows).items()]


def _tell(rows: Sequence[Row]) -> str:
    told = "; ".join(map(say_row, rows[:TOLD]))
    more = f"; {len(rows) - TOLD} more in the table" if len(rows) > TOLD else ""
    limit = "" if all(row.verdicts for row in rows) else say_limit(rows)
    return f"n {rows[0].n:,}: {told}{more}.{limit}"


def tell_family(rows: Sequence[Row]) -> str:
    """Return what the p-values account for."""
    if len(rows) == 1:
        return "One comparison: nothing to adjust for."
    return f"{format_count(len(rows), 'comparison')} are one family: p-values are adjusted by Holm."


def tell_seeds(rows: Sequence[Row]) -> list[str]:
    """Return what one training each leaves open."""
    if not any(row.method == "exact" and row.mode in TRAINED_MODES for row in rows):
        return []
    return ["One training each: what another seed would give is not in the intervals."]
