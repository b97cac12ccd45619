"""What experiments and alarms are called on screens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from nlu_arena.alarms import BELOW_MAJORITY
from nlu_arena.ledger.rows import Cell
from nlu_arena.spec import TRAINED_MODES, Experiment
from nlu_arena.views.figures import format_count
from nlu_arena.views.text import clean

# For a field of a table, where an alarm's own name is too wide.
ALARM_SIGNS = {BELOW_MAJORITY: "< majority"}


class Named(NamedTuple):
    """An experiment with what can tell it from others of its title."""

    key: str
    title: str
    variant: str
    seed: int


def name_cells(cells: Sequence[Cell]) -> dict[str, str]:
    """Return a name for each key of a sweep: model/task/mode, and what else it takes to tell two apart."""
    return _tell_apart([Named(c.key, f"{c.model}/{c.task}/{c.mode}", _variant(c), c.seed) for c in cells])


def name_experiments(plan: Sequence[Experiment]) -> dict[str, str]:
    """Return a name for each key of a plan: model/task/mode, and what else it takes to tell two apart."""
    return _tell_apart([Named(e.key, e.title, _variant(e), e.seed) for e in plan])


def say_unfinished(cells: Sequence[Cell]) -> str:
    """Say how many experiments are missing because they are not finished, and which command says more."""
    states = ", ".join(dict.fromkeys(cell.state for cell in cells))
    count = format_count(len(cells), "experiment")
    return f"not here: {count} without a finished run ({states}): see `nlu-arena status`"


def sign_alarm(name: str) -> str:
    """Return an alarm as a field of a table shows it."""
    return f"! {ALARM_SIGNS.get(name, name)}"


def _variant(one: Cell | Experiment) -> str:
    """Name the training rows and the template."""
    limit = one.subset.train if one.mode in TRAINED_MODES else None
    said = ", ".join(filter(None, [f"train {limit}" if limit else "", clean(one.template)]))
    return f" ({said})" if said else ""


def _tell_apart(rows: Sequence[Named]) -> dict[str, str]:
    """Add the variant to a title that has several, then the seed where there are several of the same name."""
    variants = Counter(title for title, _ in {(row.title, row.variant) for row in rows})
    names = {row.key: row.title + (row.variant if variants[row.title] > 1 else "") for row in rows}
    taken = Counter(names[row.key] for row in rows)
    return {r.key: f"{names[r.key]} seed {r.seed}" if taken[names[r.key]] > 1 else names[r.key] for r in rows}
