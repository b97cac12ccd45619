"""`nlu-arena pull`: fetch weights ahead."""

from __future__ import annotations

from typing import Annotated

import typer

from nlu_arena.cli.terminal import show_error, survive_closed_streams
from nlu_arena.errors import ExitCode, UsageError


def pull(
    profile: Annotated[
        str | None,
        typer.Option("--profile", metavar="NAME|FILE", help="Every model of this profile."),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option("--model", metavar="NAME", help="This model; give it again for more."),
    ] = None,
) -> None:
    """Fetch the weights of models.

    What is here and whole stays as it is; what is damaged is fetched again.
    """
    survive_closed_streams()
    from nlu_arena.cli.fetching import fetch_all
    from nlu_arena.cli.interruption import Interruption
    from nlu_arena.profile import load_profile
    from nlu_arena.registry import load_registry

    if not profile and not model:
        raise UsageError("nothing to pull", "Give --profile NAME or --model NAME.")
    registry = load_registry()
    blocks = load_profile(profile).blocks if profile else ()
    names = [*(model or ()), *(name for block in blocks for name in block.models)]
    models = {found.name: found for found in map(registry.model, names)}
    with Interruption():
        problems = fetch_all(list(models.values()))
    for problem in problems:
        show_error(problem)
    if problems:
        raise typer.Exit(ExitCode.CANNOT_START)
