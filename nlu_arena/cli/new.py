"""`nlu-arena new`: a manifest written from what there is, to be edited."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from nlu_arena.cli.options import DevFile, LabelColumn, PairColumn, TextColumn
from nlu_arena.errors import UsageError


class Kind(StrEnum):
    """What can be made."""

    TASK = "task"


def new(
    kind: Annotated[Kind, typer.Argument(metavar="task", help="What to make: a task.", show_default=False)],
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its name.", show_default=False)],
    source: Annotated[
        Path,
        typer.Option("--from", metavar="FILE", help="A CSV, TSV, JSONL or Parquet file of rows."),
    ],
    text: TextColumn = None,
    text_pair: PairColumn = None,
    label: LabelColumn = None,
    dev: DevFile = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a manifest that is there.")] = False,
) -> None:
    """Make a task of a file: ./plugins/tasks/NAME.toml, to be edited.

    Its labels, label words, prompt and split are those that `sweep --task FILE` uses. From this folder
    `--task NAME` is then the task.
    """
    from nlu_arena.cli.terminal import narrate
    from nlu_arena.naming import NAME_FORM, is_name
    from nlu_arena.ownfile.draft import OwnFile, draft_task
    from nlu_arena.ownfile.manifest import write_manifest
    from nlu_arena.registry import load_registry
    from nlu_arena.views.own_data import draft_lines
    from nlu_arena.views.text import clean

    if not is_name(name):
        raise UsageError(f"{name!r} cannot be a {kind}'s name", f"A name has {NAME_FORM}.")
    path = Path("plugins", "tasks", f"{name}.toml")
    if path.exists() and not force:
        raise UsageError(f"{path} is there already", "--force replaces it; or choose another name.")
    if not path.exists() and name in load_registry().task_names:
        raise UsageError(f"there is a task {name!r} already", "Choose another name.")
    draft = draft_task(OwnFile(source, text, text_pair, label, dev), name)
    write_manifest(draft.task, path)
    for line in draft_lines(draft):
        narrate(line)
    for note in draft.splits.notes:
        narrate(f"note: {clean(note.text)}")
    narrate(f"written: {path}")
    narrate(f"next: nlu-arena sweep --profile laptop --task {name}")
