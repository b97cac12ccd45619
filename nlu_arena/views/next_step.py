"""The next useful command after a look at a sweep."""

from __future__ import annotations

from rich.text import Text

from nlu_arena.ledger.rows import SweepRow
from nlu_arena.views.text import clean
from nlu_arena.views.totals import Totals


def next_step(sweep: SweepRow, totals: Totals) -> Text:
    """Return what to do next: follow it, go on with it, or go further."""
    command, why = choose_command(sweep, totals)
    return Text.assemble("next: ", (command, "bold"), (f"   {why}", "dim"))


def choose_command(sweep: SweepRow, totals: Totals) -> tuple[str, str]:
    """Return a command and what it is good for."""
    again = clean(str(sweep.details.get("command", ""))) or f"nlu-arena sweep --profile {clean(sweep.name)}"
    if sweep.state == "running":
        return "nlu-arena status --watch", "follows it"
    if totals.failed and not totals.pending:
        return again, f"tries {'it' if totals.failed == 1 else 'them'} again"
    if totals.pending:
        return again, "goes on where it stopped"
    if sweep.name == "quick":
        return "nlu-arena doctor --profile full", "what GLUE itself needs and takes"
    if sweep.details.get("seeds") == 1:
        return f"{again} --seed 1 --seed 2 --seed 3", "shows how much the seed matters"
    return "nlu-arena status --json", "has every number"
