"""Data sets on the model hub: the files of one configuration at a pinned commit."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

from nlu_arena.errors import CannotStartError
from nlu_arena.sources import hub, hub_client
from nlu_arena.sources.progress import Report
from nlu_arena.spec import HubData, TaskSpec

# The card says which files make up a configuration and what the label ids mean.
CARD = "README.md"
DEFAULT_CONFIG = "default"
# A split's files are named "train.csv" or "train-00000-of-00001.parquet".
SPLIT_ENDS = ("-*", ".*")


def find_repo(task: TaskSpec, data: HubData) -> hub.Repo:
    """Return what a task needs of its data set: the card, and the files of its splits.

    They lie in the folder of the configuration, or anywhere when it is the only one ("default").
    """
    folders = ("", "*/") if data.config == DEFAULT_CONFIG else (f"{data.config}/",)
    splits = (data.train, *data.dev.values())
    files = [f"{folder}{split}{end}" for split in splits for folder in folders for end in SPLIT_ENDS]
    return hub.Repo(
        kind="dataset",
        name=data.repo,
        revision=data.revision,
        owner=task.name,
        use=f"the data of {task.name}",
        repair=f"nlu-arena pull --task {task.name}",
        first_file=CARD,
        wanted=(CARD, *files),
    )


def data_dir(task: TaskSpec, data: HubData) -> Path | None:
    """Return the snapshot's folder when this task's files are complete on this machine, else none."""
    repo, names = find_repo(task, data), list_snapshot(task, data)
    if CARD not in names or hub.is_cut_off(repo):
        return None
    try:
        check_names(names, task, data)
    except CannotStartError:
        return None
    return repo.snapshot


def verify_data(task: TaskSpec, data: HubData) -> Path:
    """Compare every file of the task with its hash on the hub, and return the folder.

    Raises:
        CannotStartError: absent or damaged; names the file and how to repair it.
    """
    repo = find_repo(task, data)
    folder = data_dir(task, data)
    if folder is None:
        raise CannotStartError(
            f"The data of {task.name} are not on this machine.", hint=f"Fetch them with: {repo.repair}"
        )
    if damaged := _find_damaged(task, data):
        raise CannotStartError(
            f"Data file {damaged[0]} is damaged: its hash is not the hub's.",
            hint=f"Repair it with: {repo.repair}",
        )
    return folder


def fetch_data(task: TaskSpec, data: HubData, report: Report) -> Path:
    """Download what is missing or damaged of a task's files.

    Raises:
        CannotStartError: They cannot be had; says why and what to do.
    """
    repo = find_repo(task, data)
    if data_dir(task, data) is not None:
        damaged = _find_damaged(task, data)
        if not damaged:
            return repo.snapshot
        hub.remove_files(damaged)
    hub_client.download(repo, report, lambda names: check_names(names, task, data))
    return verify_data(task, data)


def check_names(names: Collection[str], task: TaskSpec, data: HubData) -> None:
    """Refuse a data set by its file names.

    Raises:
        CannotStartError: It has no files of one of the task's splits.
    """
    for split in (data.train, *data.dev.values()):
        name_split_files(names, task, data, split)


def name_split_files(names: Iterable[str], task: TaskSpec, data: HubData, split: str) -> list[str]:
    """Return which of a data set's files are those of a split.

    Raises:
        CannotStartError: There is none.
    """
    needed = filter(find_repo(task, data).needs, names)
    found = sorted(n for n in needed if any(fnmatch(PurePosixPath(n).name, split + e) for e in SPLIT_ENDS))
    if not found:
        raise CannotStartError(
            f"{data.repo} at {data.revision}: {data.config} has no file of the split {split!r}.",
            hint=f"Correct [data.hub] in the manifest of {task.name}.",
        )
    return found


def list_snapshot(task: TaskSpec, data: HubData) -> list[str]:
    """Return the paths of the task's files that are in the snapshot."""
    folder = find_repo(task, data).snapshot
    files = [file.relative_to(folder).as_posix() for file in sorted(folder.rglob("*")) if file.is_file()]
    return [name for name in files if find_repo(task, data).needs(name)]


def _find_damaged(task: TaskSpec, data: HubData) -> list[Path]:
    repo = find_repo(task, data)
    return hub.find_damaged(repo, [repo.snapshot / name for name in list_snapshot(task, data)])
