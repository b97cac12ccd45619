"""What experiments and alarms are called on screens."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nlu_arena.alarms import BELOW_MAJORITY
from nlu_arena.ledger.rows import Cell
from nlu_arena.spec import Experiment

# For a field of a table, where an alarm's own name is too wide.
ALARM_SIGNS = {BELOW_MAJORITY: "< majority"}


def name_cells(cells: Sequence[Cell]) -> dict[str, str]:
    """Return a name for each key of a sweep: model/task/mode, with the seed where it tells two apart."""
    return _add_seeds((c.key, f"{c.model}/{c.task}/{c.mode}", c.seed) for c in cells)


def name_experiments(plan: Sequence[Experiment]) -> dict[str, str]:
    """Return a name for each key of a plan: model/task/mode, with the seed where it tells two apart."""
    return _add_seeds((e.key, e.title, e.seed) for e in plan)


def sign_alarm(name: str) -> str:
    """Return an alarm as a field of a table shows it."""
    return f"! {ALARM_SIGNS.get(name, name)}"


def _add_seeds(named: Iterable[tuple[str, str, int]]) -> dict[str, str]:
    rows = list(named)
    titles = [title for _, title, _ in rows]
    return {key: f"{title} seed {s}" if titles.count(title) > 1 else title for key, title, s in rows}
