"""`nlu-arena run`: one experiment, as a sweep of one."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from nlu_arena.cli.options import (
    Data,
    DevFile,
    Device,
    Display,
    DisplayOption,
    DryRun,
    Fresh,
    JsonLines,
    LabelColumn,
    Limit,
    ModelsDir,
    PairColumn,
    Results,
    Seeds,
    Set,
    TextColumn,
    TrainLimit,
)
from nlu_arena.errors import UsageError

# Where `run` finds examples unless it is told otherwise: it works on every machine.
DEFAULT_DATA = "starter"


def run(
    model: Annotated[str, typer.Option("--model", metavar="NAME", help="`nlu-arena list models`.")],
    task: Annotated[
        str,
        typer.Option(
            "--task",
            metavar="NAME|FILE",
            help="`nlu-arena list tasks`, or a CSV, TSV, JSONL or Parquet file.",
        ),
    ],
    mode: Annotated[str, typer.Option("--mode", metavar="NAME", help="`nlu-arena list modes`.")],
    text: TextColumn = None,
    text_pair: PairColumn = None,
    label: LabelColumn = None,
    dev: DevFile = None,
    data: Data = None,
    models_dir: ModelsDir = None,
    seed: Seeds = None,
    shots: Annotated[
        int | None,
        typer.Option("--shots", metavar="K", min=1, help="Examples in a few-shot prompt. (default: 5)"),
    ] = None,
    limit: Limit = None,
    train_limit: TrainLimit = None,
    setting: Set = None,
    device: Device = None,
    fresh: Fresh = False,
    dry_run: DryRun = False,
    as_json: JsonLines = False,
    display: DisplayOption = Display.AUTO,
    results: Results = None,
) -> None:
    """Do one experiment.

    A model, used in a mode, on a task; without --data on the small starter data.
    """
    from nlu_arena import paths
    from nlu_arena.cli.execution import execute
    from nlu_arena.cli.own_data import ColumnOptions, choose_task
    from nlu_arena.cli.planning import Order
    from nlu_arena.profile import single_profile
    from nlu_arena.registry import find_mode, load_registry
    from nlu_arena.settings import read_settings

    chosen = find_mode(mode)
    if shots is not None and chosen != "few-shot":
        raise UsageError(f"--shots has no meaning in mode {chosen}", "Leave it out, or use --mode few-shot.")
    given: dict[str, Any] = {"shots": shots, "limit": limit, "train_limit": train_limit}
    block = {name: value for name, value in given.items() if value is not None} | read_settings(setting or ())
    source = paths.data_source(data) or DEFAULT_DATA
    columns = ColumnOptions(text, text_pair, label, dev)
    name, own = choose_task(task, columns, load_registry(), with_notes=dry_run)
    execute(
        Order(
            profile=single_profile(model, name, chosen, data=source, seeds=seed or (42,), **block),
            results=paths.results_dir(results),
            models_dir=paths.models_dir(models_dir),
            device=device,
            fresh=fresh,
            dry_run=dry_run,
            as_json=as_json,
            display=display,
            own_task=own,
        )
    )
