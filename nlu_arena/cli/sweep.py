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
    ModelsDir,
    Results,
    Seeds,
    Set,
    SkipUnavailable,
    TrainLimit,
)


def sweep(
    profile: Annotated[
        str,
        typer.Option("--profile", metavar="NAME|FILE", help="`nlu-arena list profiles` shows them."),
    ],
    data: Data = None,
    models_dir: ModelsDir = None,
    seed: Seeds = None,
    limit: Limit = None,
    train_limit: TrainLimit = None,
    setting: Set = None,
    device: Device = None,
    jobs: Jobs = 1,
    fresh: Fresh = False,
    dry_run: DryRun = False,
    skip_unavailable: SkipUnavailable = False,
    as_json: JsonLines = False,
    display: DisplayOption = Display.AUTO,
    results: Results = None,
) -> None:
    """Do all experiments of a profile.

    Everything it needs is checked first, as by `nlu-arena doctor`. What is done already is skipped. Stop it
    with Ctrl-C: the same command goes on from there.
    """
    from nlu_arena import paths
    from nlu_arena.cli.execution import execute
    from nlu_arena.cli.planning import Order
    from nlu_arena.profile import load_profile, override
    from nlu_arena.settings import read_settings

    chosen = override(
        load_profile(profile),
        data=paths.data_source(data),
        seeds=seed,
        limit=limit,
        train_limit=train_limit,
        train=read_settings(setting or ()).get("train"),
    )
    execute(
        Order(
            profile=chosen,
            results=paths.results_dir(results),
            models_dir=paths.models_dir(models_dir),
            device=device,
            jobs=jobs,
            fresh=fresh,
            dry_run=dry_run,
            skip_unavailable=skip_unavailable,
            as_json=as_json,
            display=display,
        )
    )
