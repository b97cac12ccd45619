"""The models and tasks that the manifests describe, found by name or alias. Loading executes nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec

from nlu_arena.errors import UsageError
from nlu_arena.manifest import convert, read_toml
from nlu_arena.manifest_checks import check_model, check_task
from nlu_arena.naming import suggest, unknown_name
from nlu_arena.paths import manifest_dirs
from nlu_arena.settings import BY_TASK
from nlu_arena.sources import use_copies
from nlu_arena.spec import MODES, LocalWeights, Mode, ModelSpec, TaskSpec

Entry = TypeVar("Entry", bound=ModelSpec | TaskSpec)


class Registry(NamedTuple):
    """Every known model and task by its name, in the order of their files."""

    models: dict[str, ModelSpec]
    tasks: dict[str, TaskSpec]

    def model(self, name: str) -> ModelSpec:
        """Return the model of a name or alias, in any case of letters.

        Raises:
            UsageError: There is none; the hint has the nearest names.
        """
        return _find("model", name, self.models)

    def task(self, name: str) -> TaskSpec:
        """Return the task of a name or alias, in any case of letters.

        Raises:
            UsageError: There is none; the hint has the nearest names.
        """
        return _find("task", name, self.tasks)

    @property
    def task_names(self) -> set[str]:
        """Return all names and aliases of tasks."""
        return {name for task in self.tasks.values() for name in (task.name, *task.aliases)}

    def with_task(self, task: TaskSpec | None) -> Registry:
        """Return the registry with a task that has no manifest, if there is one."""
        return self if task is None else self._replace(tasks=self.tasks | {task.name: task})

    def with_copies(self, folder: Path | None) -> Registry:
        """Return the registry with weights from the copies in a models folder, where there is one.

        Raises:
            CannotStartError: There is no such folder.
        """
        return self if folder is None else self._replace(models=use_copies(self.models, folder))


def read_task(path: Path) -> TaskSpec:
    """Read one task's manifest as the registry does.

    Raises:
        UsageError: The manifest is wrong.
    """
    task = convert(read_toml(path), TaskSpec, str(path))
    check_task(task, str(path))
    return _anchor_files(path, task)


def find_mode(name: str) -> Mode:
    """Return the mode of a name, in any case of letters.

    Raises:
        UsageError: There is none; the hint has the nearest names.
    """
    for mode in MODES:
        if mode == name.lower():
            return mode
    raise unknown_name("mode", name, MODES)


def load_registry() -> Registry:
    """Read all manifests: the project's own, the user's, those of the current folder.

    Raises:
        UsageError: A manifest is wrong, or two of them claim one name.
    """
    models = _read_all("plugins/models", ModelSpec, check_model)
    tasks = _read_all("plugins/tasks", TaskSpec, check_task)
    for path, model in models:
        _check_task_names(path, model, {task.name for _, task in tasks})
    return Registry(
        {model.name: _anchor_weights(path, model) for path, model in models},
        {task.name: _anchor_files(path, task) for path, task in tasks},
    )


def _read_all(kind: str, spec: type[Entry], check: Callable[[Entry, str], None]) -> list[tuple[Path, Entry]]:
    entries: list[tuple[Path, Entry]] = []
    owners: dict[str, Path] = {}
    # A hidden file is one that was not written to its end.
    for path in (file for folder in manifest_dirs(kind) for file in sorted(folder.glob("[!.]*.toml"))):
        entry = convert(read_toml(path), spec, str(path))
        check(entry, str(path))
        taken = next((name for name in (entry.name, *entry.aliases) if name in owners), None)
        if taken is None:
            owners |= dict.fromkeys((entry.name, *entry.aliases), path)
            entries.append((path, entry))
        elif not _is_copy(path, owners[taken]):
            raise UsageError(
                f"the name {taken!r} is claimed twice: by {owners[taken]} and by {path}",
                "Rename one of them, or remove that file.",
            )
    return entries


def _is_copy(path: Path, other: Path) -> bool:
    """Say whether a file is the other one met again: an installed copy run inside a checkout has both."""
    return path.parent != other.parent and path.read_bytes() == other.read_bytes()


def _find(kind: str, name: str, entries: dict[str, Entry]) -> Entry:
    wanted = name.lower()
    for entry in entries.values():
        if wanted in (entry.name, *entry.aliases):
            return entry
    raise unknown_name(kind, name, [n for e in entries.values() for n in (e.name, *e.aliases)])


def _check_task_names(path: Path, model: ModelSpec, tasks: set[str]) -> None:
    for mode, overrides in model.train.items():
        for task in overrides.get(BY_TASK, {}):
            if task not in tasks:
                where = f"{path}: train.{mode}.{BY_TASK}"
                raise UsageError(f"{where}: there is no task {task!r}", suggest(task, tasks))


def _anchor_weights(path: Path, model: ModelSpec) -> ModelSpec:
    """Read a local path from the manifest's folder, so that it means the same from everywhere."""
    if not isinstance(model.weights, LocalWeights):
        return model
    return msgspec.structs.replace(model, weights=LocalWeights(path=_anchor(path, model.weights.path)))


def _anchor_files(path: Path, task: TaskSpec) -> TaskSpec:
    """Read the folder of a user's own files from the manifest's folder."""
    if task.data.file is None:
        return task
    table = msgspec.structs.replace(task.data.file, folder=_anchor(path, task.data.file.folder))
    return msgspec.structs.replace(task, data=msgspec.structs.replace(task.data, file=table))


def _anchor(manifest: Path, folder: str) -> str:
    return str((manifest.parent / Path(folder).expanduser()).resolve())
