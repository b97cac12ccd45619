"""`nlu-arena sweep`: all experiments of a profile."""

from __future__ import annotations

from typing import Annotated

import typer

from nlu_arena.cli.options import (
    Data,
    Device,
    Display,
    DisplayOption,
    DryRun,
    Fresh,
    Jobs,
    JsonLines,
    Limit,
    Results,
    Seeds,
    TrainLimit,
)


def sweep(
    profile: Annotated[
        str,
        typer.Option("--profile", metavar="NAME|FILE", help="`nlu-arena list profiles` shows them."),
    ],
    data: Data = None,
    seed: Seeds = None,
    limit: Limit = None,
    train_limit: TrainLimit = None,
    device: Device = None,
    jobs: Jobs = 1,
    fresh: Fresh = False,
    dry_run: DryRun = False,
    as_json: JsonLines = False,
    display: DisplayOption = Display.AUTO,
    results: Results = None,
) -> None:
    """Do all experiments of a profile.

    Those that are done already are skipped. Stop it with Ctrl-C: the same command goes on from there.
    """
    from nlu_arena.cli.execution import Order, execute
    from nlu_arena.paths import results_dir
    from nlu_arena.profile import load_profile, override

    chosen = override(load_profile(profile), data=data, seeds=seed, limit=limit, train_limit=train_limit)
    execute(
        Order(chosen, results_dir(results), device, jobs, fresh, dry_run, as_json=as_json, display=display)
    )
