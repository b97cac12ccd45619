"""`nlu-arena pull`: fetch weights and data ahead."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from nlu_arena.cli.options import Data, ModelsDir
from nlu_arena.cli.terminal import show_error, survive_closed_streams
from nlu_arena.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from nlu_arena.cli.fetching import Parcel
    from nlu_arena.registry import Registry


def pull(
    profile: Annotated[
        str | None,
        typer.Option(
            "--profile", metavar="NAME|FILE", help="Every model of this profile, and its data if on the hub."
        ),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option("--model", metavar="NAME", help="This model; give it again for more."),
    ] = None,
    task: Annotated[
        list[str] | None,
        typer.Option("--task", metavar="NAME", help="The hub data of this task; give it again for more."),
    ] = None,
    data: Data = None,
    models_dir: ModelsDir = None,
) -> None:
    """Fetch the weights of models, and data from the hub.

    What is here and whole stays as it is; what is damaged is fetched again.
    """
    survive_closed_streams()
    from nlu_arena import paths
    from nlu_arena.cli.fetching import fetch_all, weights_of
    from nlu_arena.cli.interruption import Interruption
    from nlu_arena.profile import load_profile, override
    from nlu_arena.registry import load_registry

    if not profile and not model and not task:
        raise UsageError("nothing to pull", "Give --profile NAME, --model NAME or --task NAME.")
    registry = load_registry().with_copies(paths.models_dir(models_dir))
    parcels = _hub_data(registry, task or (), "hub")
    names = [*(model or ())]
    if profile:
        chosen = override(load_profile(profile), data=paths.data_source(data))
        names += [name for block in chosen.blocks for name in block.models]
        parcels += _hub_data(registry, [name for b in chosen.blocks for name in b.tasks], chosen.data)
    models = {found.name: found for found in map(registry.model, names)}
    parcels += [weights_of(found) for found in models.values()]
    with Interruption():
        problems = fetch_all(parcels)
    for problem in problems:
        show_error(problem)
    if problems:
        raise typer.Exit(ExitCode.CANNOT_START)


def _hub_data(registry: Registry, names: Iterable[str], source: str) -> list[Parcel]:
    """Return the data of those tasks that are read from the hub; others have nothing to fetch."""
    from nlu_arena.cli.fetching import data_from_hub
    from nlu_arena.dataref import resolve_data

    if source != "hub":
        return []
    tasks = {found.name: found for found in map(registry.task, names)}
    return data_from_hub((task, resolve_data(task, source)) for task in tasks.values())
