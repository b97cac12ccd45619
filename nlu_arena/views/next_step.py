"""The next useful command after a look at a sweep."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

from rich.text import Text

from nlu_arena.answer import Answer, Candidate
from nlu_arena.ledger.rows import Cell, SweepRow
from nlu_arena.views.commands import with_folder
from nlu_arena.views.text import clean
from nlu_arena.views.totals import Totals

# What two seeds of one training usually differ by, as a share: a gap that the dev texts cannot show and that
# is larger is not a matter of seeds.
SEED_SPREAD = 0.02
# Half the gap takes four times the texts.
MORE = 4
MORE_TEXTS = "more dev texts tell closer ones apart, more seeds do not"
REPORT = "nlu-arena report"
WHAT_IT_WRITES = "writes tests, tables and pictures of the ledger"


def next_step(
    sweep: SweepRow, totals: Totals, cells: Sequence[Cell], answers: Sequence[Answer], folder: str
) -> Text:
    """Return what to do next in a results folder: follow the sweep, go on with it, or go further."""
    command, why = choose_command(sweep, totals, cells, answers)
    command = with_folder(command, folder)
    return Text.assemble("next: ", (command, "bold"), (f"   {why}", "dim"))


def choose_command(
    sweep: SweepRow, totals: Totals, cells: Sequence[Cell], answers: Sequence[Answer]
) -> tuple[str, str]:
    """Return a command and what it is good for.

    Args:
        sweep: The sweep.
        totals: How many of its experiments are in which state.
        cells: Its experiments.
        answers: What it has found out, empty where it is not finished.
    """
    again = clean(str(sweep.details.get("command", ""))) or f"nlu-arena sweep --profile {clean(sweep.name)}"
    if sweep.state == "running":
        return "nlu-arena status --watch", "follows it"
    if totals.failed and not totals.pending:
        return again, f"tries {'it' if totals.failed == 1 else 'them'} again"
    if totals.pending:
        return again, "goes on where it stopped"
    if labelling := _choose_labelling(answers):
        return labelling
    if sweep.name == "quick":
        return REPORT, WHAT_IT_WRITES
    return _look_closer(again, sweep.details.get("seeds") == 1, cells, answers)


def _look_closer(
    again: str, has_one_seed: bool, cells: Sequence[Cell], answers: Sequence[Answer]
) -> tuple[str, str]:
    """Return how to learn more of the same experiments."""
    if any(answer.detectable_gap and answer.detectable_gap > SEED_SPREAD for answer in answers):
        if limit := _cut_dev_texts(cells):
            return f"{again} --limit {MORE * limit}", MORE_TEXTS
        return REPORT, f"has every test; {MORE_TEXTS}"
    if has_one_seed:
        others = re.sub(r" --seed[ =]\d+", "", again)
        return f"{others} --seed 1 --seed 2 --seed 3", "shows how much the seed matters"
    return REPORT, WHAT_IT_WRITES


def _choose_labelling(answers: Sequence[Answer]) -> tuple[str, str] | None:
    """Return how a file is labelled with the model to use, where the answer is for a file of one's own."""
    for answer in answers:
        chosen = answer.practical or answer.best
        candidate = next((c for c in answer.candidates if c.name == chosen), None)
        if answer.data_source == "file" and candidate is not None:
            run = shlex.quote(_name_run(candidate, answer))
            which = "the best model" if chosen == answer.best else "the cheapest of the good models"
            return f"nlu-arena predict {run} FILE --output labelled.csv", f"labels a file with {which}"
    return None


def _name_run(candidate: Candidate, answer: Answer) -> str:
    """Return model/task/mode, or a run's key where other rows or another template have the same."""
    alike = [c for c in answer.candidates if (c.model, c.mode) == (candidate.model, candidate.mode)]
    title = f"{candidate.model}/{answer.task}/{candidate.mode}"
    return clean(title) if len(alike) == 1 else candidate.keys[0]


def _cut_dev_texts(cells: Sequence[Cell]) -> int:
    """Return how many dev texts a limit has left of more, 0 where none has."""
    limits = [cell.subset.dev for cell in cells if cell.subset.dev and cell.n == cell.subset.dev]
    return max(limits, default=0)
