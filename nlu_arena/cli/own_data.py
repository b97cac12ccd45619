"""`--task` with a file: the file becomes a task, and what it was taken for is said on stderr."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from nlu_arena.errors import UsageError

if TYPE_CHECKING:
    from nlu_arena.ownfile.draft import OwnFile
    from nlu_arena.registry import Registry
    from nlu_arena.spec import TaskSpec


class ColumnOptions(NamedTuple):
    """What the command line says of a file."""

    text: str | None
    pair: str | None
    label: str | None
    dev: Path | None

    def of(self, path: Path) -> OwnFile:
        """Return them with their file."""
        from nlu_arena.ownfile.draft import OwnFile

        return OwnFile(path, **self._asdict())

    def refuse(self, why: str) -> None:
        """Refuse them where there is no file.

        Raises:
            UsageError: One was given.
        """
        options = zip(("--text", "--text-pair", "--label", "--dev"), self, strict=True)
        given = [option for option, value in options if value is not None]
        if given:
            raise UsageError(f"{', '.join(given)}: {why}", "They say what a file has: --task FILE.")


def choose_task(
    named: str, columns: ColumnOptions, registry: Registry, *, with_notes: bool
) -> tuple[str, TaskSpec | None]:
    """Return the name of a task, and the task itself where it is made from a file.

    Args:
        named: A registered task's name, or the path of a file of rows.
        columns: What is said of a file's columns.
        registry: The tasks that have a manifest.
        with_notes: Say also what is odd in the rows, where no checks follow that say it.

    Raises:
        UsageError: There is no such task or file, or the file cannot be used.
    """
    from nlu_arena.cli.terminal import narrate
    from nlu_arena.ownfile.draft import draft_task, name_task
    from nlu_arena.views.own_data import draft_lines, new_command
    from nlu_arena.views.text import clean

    if not _is_file(named, registry):
        columns.refuse(f"the manifest of the task {named!r} says where its data are")
        return registry.task(named).name, None
    path = Path(named)
    draft = draft_task(columns.of(path), name_task(path, registry.task_names))
    for line in draft_lines(draft):
        narrate(line)
    narrate(f"to change any of it: {clean(new_command(draft.own, draft.task.name))}")
    for note in draft.splits.notes if with_notes else ():
        narrate(f"note: {clean(note.text)}")
    return draft.task.name, draft.task


def _is_file(named: str, registry: Registry) -> bool:
    """Say whether a task is given by a file: by its ending, a folder in it, or because there is one."""
    from nlu_arena.datafile import FORMATS

    path = Path(named)
    if path.suffix.lower() in FORMATS or "/" in named:
        return True
    try:
        return named.lower() not in registry.task_names and path.is_file()
    except OSError:
        # No file has so long a name.
        return False
