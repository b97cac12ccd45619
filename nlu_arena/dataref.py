"""Which data an experiment reads: the hub's pinned repository or files here, named by their content."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from nlu_arena.errors import CannotStartError, RunError, UsageError
from nlu_arena.naming import suggest
from nlu_arena.paths import starter_dir
from nlu_arena.spec import DataRef, DataSource, HubData, TableData, TaskSpec

TRAIN = "train"
# What the identity of files begins with.
HASH = "sha256:"


def resolve_data(task: TaskSpec, data: str) -> DataRef:
    """Find the data of a task.

    Args:
        task: Its manifest names its places. A task with files of its own and nothing else is read from
            them whatever `data` says: there is no other data of that task.
        data: "hub", "starter", or a folder in the layout of the GLUE download.

    Raises:
        UsageError: The task has no data from there.
        CannotStartError: A folder or file is missing.
    """
    if task.data.file is not None and list(task.data.by_source) == ["file"]:
        return _refer_files(task, "file", task.data.file.folder)
    if data == "hub" and task.data.hub is not None:
        hub = task.data.hub
        name = f"{hub.repo}@{hub.revision}/{hub.config}"
        return DataRef(source="hub", location=name, identity=name)
    if data == "starter" and task.data.starter is not None:
        return _refer_files(task, "starter", "starter")
    if data not in ("hub", "starter"):
        folder = Path(data).expanduser().resolve()
        if not folder.is_dir():
            hint = suggest(data, ("hub", "starter")) if data == Path(data).name else ""
            raise CannotStartError(
                f"there is no data folder {folder}",
                hint or "Give a folder in the layout of the GLUE download, or say hub or starter.",
            )
        if task.data.glue_dir is not None:
            return _refer_files(task, "glue-dir", str(folder))
    asked = data if data in ("hub", "starter") else "a folder (glue-dir)"
    raise UsageError(
        f"the task {task.name} has no data from {asked}", f"It has: {', '.join(task.data.by_source)}."
    )


def check_unchanged(task: TaskSpec, ref: DataRef) -> None:
    """Demand that the files are still those that were planned with: a key must not name other texts.

    Raises:
        RunError: A file has changed since.
        CannotStartError: A file is gone.
    """
    # The hub's identity is a commit, whose files do not change.
    is_hash = ref.identity.startswith(HASH)
    if is_hash and ref.identity != f"{HASH}{_hash_splits(task, split_files(task, ref))}":
        raise RunError(
            f"the data of the task {task.name} have changed since the sweep began: {ref.location}",
            "Start the command again; its experiments are others then.",
        )


def split_files(task: TaskSpec, ref: DataRef) -> dict[str, Path]:
    """Return the file of each split, "train" first, then the dev splits by our names.

    Empty for the hub, whose files the hub's client finds.
    """
    table = data_table(task, ref.source)
    if isinstance(table, HubData):
        return {}
    roots = {"starter": starter_dir() / table.folder, "glue-dir": Path(ref.location) / table.folder}
    root = roots.get(ref.source, Path(ref.location))
    return {split: root / name for split, name in {TRAIN: table.train, **table.dev}.items()}


def data_table(task: TaskSpec, source: DataSource) -> HubData | TableData:
    """Return where a source keeps a task's examples.

    Raises:
        UsageError: The task has no data from there.
    """
    table = task.data.by_source.get(source)
    if table is None:
        raise UsageError(f"the task {task.name} has no data from {source}")
    return table


def _refer_files(task: TaskSpec, source: DataSource, location: str) -> DataRef:
    files = split_files(task, DataRef(source=source, location=location, identity=""))
    return DataRef(source=source, location=location, identity=f"{HASH}{_hash_splits(task, files)}")


def _hash_splits(task: TaskSpec, files: Mapping[str, Path]) -> str:
    """Hash the content of all splits by their names: where the files are changes nothing."""
    whole = hashlib.sha256()
    for split, path in files.items():
        whole.update(f"{split} {_hash_file(path, task.name)}\n".encode())
    return whole.hexdigest()


def _hash_file(path: Path, task: str) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError as error:
        raise CannotStartError(
            f"the data of the task {task} are not complete: {path} is missing",
            "Give a folder that has it, or leave the task out.",
        ) from error
    except OSError as error:
        raise CannotStartError(f"cannot read {path}: {error.strerror}") from error
