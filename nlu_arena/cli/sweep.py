"""`nlu-arena sweep`: all experiments of a profile."""

from __future__ import annotations

from typing import Annotated

import typer

from nlu_arena.cli.options import (
    Data,
    DevFile,
    Device,
    Display,
    DisplayOption,
    DryRun,
    Fresh,
    Jobs,
    JsonLines,
    LabelColumn,
    Limit,
    ModelsDir,
    PairColumn,
    Results,
    Seeds,
    Set,
    SkipUnavailable,
    TextColumn,
    TrainLimit,
)


def sweep(
    profile: Annotated[
        str,
        typer.Option("--profile", metavar="NAME|FILE", help="`nlu-arena list profiles` shows them."),
    ],
    task: Annotated[
        str | None,
        typer.Option(
            "--task",
            metavar="NAME|FILE",
            help="This task in place of the profile's: a name, or a CSV, TSV, JSONL or Parquet file.",
            show_default=False,
        ),
    ] = None,
    text: TextColumn = None,
    text_pair: PairColumn = None,
    label: LabelColumn = None,
    dev: DevFile = None,
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
    from nlu_arena.cli.own_data import ColumnOptions, choose_task
    from nlu_arena.cli.planning import Order
    from nlu_arena.cli.terminal import narrate
    from nlu_arena.profile import focus, list_strange, load_profile, override
    from nlu_arena.registry import load_registry
    from nlu_arena.settings import read_settings
    from nlu_arena.views.text import clean

    named, own = load_profile(profile), None
    columns = ColumnOptions(text, text_pair, label, dev)
    if task is not None:
        registry = load_registry()
        name, own = choose_task(task, columns, registry, with_notes=dry_run)
        one = own or registry.task(name)
        for template in list_strange(named, one):
            narrate(f"{name} has no template {clean(template)!r}, which {named.name} names: left out")
        named = focus(named, one, lambda model: registry.model(model).name)
    else:
        columns.refuse("there is no --task FILE")
    chosen = override(
        named,
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
            own_task=own,
        )
    )
