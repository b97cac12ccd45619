"""`nlu-arena status`: the last sweep, now or as it goes on."""

from __future__ import annotations

from typing import Annotated

import typer

from nlu_arena.cli.options import Json, Results
from nlu_arena.cli.terminal import end_with_the_pipe
from nlu_arena.errors import ExitCode


def status(
    sweep: Annotated[
        int | None, typer.Option("--sweep", metavar="N", help="This sweep. (default: the last)")
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Follow a sweep until it ends; shown again at each change.")
    ] = False,
    exit_status: Annotated[
        bool, typer.Option("--exit-status", help="Exit with 1 when anything failed, 8 when not all is done.")
    ] = False,
    as_json: Json = False,
    results: Results = None,
) -> None:
    """Show the results of the last sweep.

    State, accuracy and time of every experiment, what failed and why, and what to do next.
    """
    end_with_the_pipe()
    from nlu_arena.cli.showing import show, take_snapshot
    from nlu_arena.paths import ledger_path, results_dir

    path = ledger_path(results_dir(results))
    snapshot = take_snapshot(path, sweep)
    if watch:
        from nlu_arena.cli.watching import follow

        snapshot = follow(path, snapshot, as_json)
    else:
        show(snapshot, as_json)
    if exit_status and snapshot.totals.failed:
        raise typer.Exit(ExitCode.FAILED)
    if exit_status and snapshot.totals.pending:
        raise typer.Exit(ExitCode.PENDING)
