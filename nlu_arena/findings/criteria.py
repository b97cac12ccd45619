"""Whether the benchmark is done: every experiment, its results on disk, no crash, tables to compare."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nlu_arena.contender import Round
from nlu_arena.findings.records import Criterion
from nlu_arena.ledger.rows import Cell, RunRow, SweepRow
from nlu_arena.views.figures import format_count
from nlu_arena.views.text import clean

RESULTS = "results.json"


def check_complete(sweep: SweepRow, planned: Sequence[Cell], unfinished: Sequence[Cell]) -> Criterion:
    """Check that everything that was ever planned is done, and that the last sweep left nothing out.

    Args:
        sweep: The last sweep.
        planned: Its experiments.
        unfinished: The experiments of any sweep that are not done.
    """
    done = sum(cell.state == "done" for cell in planned)
    left_out = [f"left out: {clean(str(reason))}" for reason in sweep.details.get("left_out", [])]
    sentence = f"{done} of {len(planned)} of the last sweep ({clean(sweep.name)}) are done."
    if sweep.state == "running":
        sentence += " It is still going; what is not finished is not in this report."
    if unfinished:
        sentence += f" {format_count(len(unfinished), 'experiment')} of the ledger not done."
    return Criterion(
        key="complete",
        statement="All experiments are complete",
        is_met=done == len(planned) and not unfinished and not left_out,
        sentence=sentence,
        exceptions=(*(f"{_name(cell)}: {cell.state}" for cell in unfinished), *left_out),
    )


def check_saved(finished: Sequence[Cell], results: Path) -> Criterion:
    """Check that each finished experiment has its results in its folder."""
    lacking = [cell for cell in finished if not (results / cell.folder / RESULTS).is_file()]
    saved = len(finished) - len(lacking)
    hint = " The next sweep writes missing folders from the ledger." if lacking else ""
    return Criterion(
        key="saved",
        statement="Results are saved for each experiment",
        is_met=not lacking,
        sentence=f"{saved} of {len(finished)} run folders have {RESULTS}.{hint}",
        exceptions=tuple(f"{_name(cell)}: {cell.folder}" for cell in lacking),
    )


def check_crashes(runs: Sequence[RunRow], finished: Sequence[Cell]) -> Criterion:
    """Check that no run has failed, not even one that was made good later."""
    failed = [run for run in runs if run.state == "failed"]
    done = {cell.key for cell in finished}
    count = f"{len(failed)} of {format_count(len(runs), 'run')} failed."
    mended = sum(run.key in done for run in failed)
    return Criterion(
        key="crashes",
        statement="Nothing crashed",
        is_met=not failed,
        sentence=f"{count} A later run of the same experiment succeeded: {mended}." if failed else count,
        exceptions=tuple(
            f"{run.experiment.title} (run {run.run_id}): {clean(run.message) or clean(run.error)}"
            + (" - done later" if run.key in done else "")
            for run in failed
        ),
    )


def check_tables(rounds: Sequence[Round], comparisons: int) -> Criterion:
    """Check that there is something to compare in the tables: two contenders on the same texts."""
    contenders = sum(len(found.contenders) for found in rounds)
    return Criterion(
        key="tables",
        statement="Comparison tables are produced",
        is_met=any(len(found.contenders) > 1 for found in rounds),
        sentence=f"{format_count(contenders, 'row')} in comparison_table.csv,"
        f" {format_count(comparisons, 'test')} of one against another.",
    )


def _name(cell: Cell) -> str:
    return f"{cell.model}/{cell.task}/{cell.mode} seed {cell.seed}"
