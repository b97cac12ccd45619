"""`nlu-arena list`: what the registry knows."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

import typer

from nlu_arena.cli.options import Json
from nlu_arena.cli.terminal import end_with_the_pipe, open_console, print_json, print_lines


class Kind(StrEnum):
    """What can be listed."""

    MODELS = "models"
    TASKS = "tasks"
    MODES = "modes"
    PROFILES = "profiles"


def list_registry(
    kind: Annotated[Kind, typer.Argument(help="What to list.", show_default=False)], as_json: Json = False
) -> None:
    """List the models, tasks, modes or profiles."""
    end_with_the_pipe()
    from nlu_arena.paths import models_dir
    from nlu_arena.profile import list_profiles
    from nlu_arena.registry import load_registry
    from nlu_arena.sources import weights_dir
    from nlu_arena.views import catalogue
    from nlu_arena.views.sheet import Column, Sheet
    from nlu_arena.views.tsv import tsv_lines

    columns: Sequence[Column]
    match kind:
        case Kind.MODELS:
            columns = catalogue.MODEL_COLUMNS
            registry = load_registry().with_copies(models_dir())
            records = catalogue.model_records(registry, weights_dir)
        case Kind.TASKS:
            columns, records = catalogue.TASK_COLUMNS, catalogue.task_records(load_registry())
        case Kind.MODES:
            columns, records = catalogue.MODE_COLUMNS, catalogue.mode_records()
        case Kind.PROFILES:
            columns, records = catalogue.PROFILE_COLUMNS, catalogue.profile_records(list_profiles())
    if as_json:
        print_json({"schema": 1, kind.value: records})
    elif sys.stdout.isatty():
        open_console(sys.stdout).print(Sheet(columns, records))
    else:
        print_lines(tsv_lines([key for key in records[0] if key != "about"], records))
