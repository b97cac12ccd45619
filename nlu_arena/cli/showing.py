"""A sweep as it is now, on stdout: tables on a terminal, tab-separated lines in a pipe, or JSON."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nlu_arena.answer import Answer, find_answers
from nlu_arena.cli.terminal import narrate, open_console, print_json, print_lines
from nlu_arena.errors import NothingToShowError
from nlu_arena.paths import ledger_path, results_dir
from nlu_arena.views.text import clean
from nlu_arena.views.totals import Totals, sum_up

if TYPE_CHECKING:
    from nlu_arena.ledger.rows import Cell, SweepRow

FIRST_COMMAND = "Begin with: nlu-arena sweep --profile quick"


@dataclass(frozen=True)
class Snapshot:
    """A sweep at one moment and what follows from it; `rev` is the newest change of any run."""

    ledger: Path
    sweep: SweepRow
    cells: list[Cell]
    totals: Totals
    rev: int
    at: datetime

    @property
    def folder(self) -> str:
        """Return the results folder as commands must name it, empty where it is the usual one."""
        return "" if self.ledger == ledger_path(results_dir()) else str(self.ledger.parent)

    @cached_property
    def answers(self) -> list[Answer]:
        """Return the answers; they are sought when they are first asked for, as it takes every label."""
        from nlu_arena.ledger.queries import Reader

        # A finished run does not change: its labels are those of the snapshot's moment.
        with Reader.open(self.ledger) as reader:
            return find_answers(self.cells, reader.labels)

    @property
    def document(self) -> dict[str, Any]:
        """Return it as the JSON document of `status`."""
        from nlu_arena.views.records import status_document

        at = self.at.isoformat(timespec="seconds")
        return status_document(self.sweep, self.cells, self.totals, self.answers, at)


def take_snapshot(ledger: Path, sweep_id: int | None = None) -> Snapshot:
    """Read a sweep, the last one when none is named.

    Raises:
        NothingToShowError: There is no ledger or no such sweep.
        CannotStartError: The ledger cannot be read.
    """
    from nlu_arena.ledger.queries import Reader

    # Opened anew each time: it costs a millisecond, and sees changes in a read-only folder too.
    with Reader.open(ledger) as reader:
        # The revision first: what changes after it is seen the next time.
        rev = reader.revision()
        sweep = reader.last_sweep() if sweep_id is None else reader.sweep(sweep_id)
        if sweep is None:
            raise NothingToShowError("the ledger has no sweep yet", FIRST_COMMAND)
        cells, now = reader.cells(sweep.id), datetime.now(UTC)
    return Snapshot(ledger, sweep, cells, sum_up(sweep, cells, now), rev, now)


def show(snapshot: Snapshot, as_json: bool = False) -> None:
    """Write a sweep to stdout."""
    if as_json:
        print_json(snapshot.document)
    elif sys.stdout.isatty():
        from nlu_arena.views.status import StatusView

        view = StatusView(
            snapshot.sweep, snapshot.cells, snapshot.totals, snapshot.answers, folder=snapshot.folder
        )
        open_console(sys.stdout).print(view)
    else:
        from nlu_arena.views.records import TSV_COLUMNS, cell_records
        from nlu_arena.views.tsv import tsv_lines

        print_lines(tsv_lines(TSV_COLUMNS, list(cell_records(snapshot.cells))))


def narrate_end(snapshot: Snapshot) -> None:
    """Say on stderr how a sweep ended, what failed and why, what the answer is, and what to do next."""
    from nlu_arena.views.answer import answer_lines
    from nlu_arena.views.commands import with_folder
    from nlu_arena.views.names import name_cells
    from nlu_arena.views.next_step import choose_command
    from nlu_arena.views.status import left_out

    names = name_cells(snapshot.cells)
    for cell in snapshot.cells:
        if cell.state == "failed":
            narrate(f"failed: {names[cell.key]}: {clean(cell.message) or clean(cell.error)}")
            if cell.hint:
                narrate(f"hint: {clean(cell.hint)}")
    for reason in left_out(snapshot.sweep):
        narrate(f"left out: {reason}")
    narrate(snapshot.totals.line)
    for line in answer_lines(snapshot.answers):
        narrate(line)
    command, why = choose_command(snapshot.sweep, snapshot.totals, snapshot.cells, snapshot.answers)
    narrate(f"next: {with_folder(command, snapshot.folder)}   {why}")
