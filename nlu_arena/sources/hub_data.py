"""Data sets on the model hub: the files of one configuration at a pinned commit."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from nlu_arena.errors import CannotStartError
from nlu_arena.sources import hub, hub_client
from nlu_arena.sources.progress import Report
from nlu_arena.spec import HubData, TaskSpec

# The card says which files make up a configuration and what the label ids mean.
CARD = "README.md"
DEFAULT_CONFIG = "default"


def find_repo(task: TaskSpec, data: HubData) -> hub.Repo:
    """Return what a task needs of its data set: the card, and the folder of its configuration.

    A data set with one configuration ("default") has its files anywhere: all of them are needed.
    """
    files = "*" if data.config == DEFAULT_CONFIG else f"{data.config}/*"
    return hub.Repo(
        kind="dataset",
        name=data.repo,
        revision=data.revision,
        owner=task.name,
        use=f"the data of {task.name}",
        repair=f"nlu-arena pull --task {task.name}",
        first_file=CARD,
        wanted=(CARD, files),
    )


def data_dir(task: TaskSpec, data: HubData) -> Path | None:
    """Return the snapshot's folder when this task's files are complete on this machine, else none."""
    repo = find_repo(task, data)
    return None if hub.is_cut_off(repo) or not _find_files(repo) else repo.snapshot


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
    if damaged := hub.find_damaged(repo, _find_files(repo)):
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
        damaged = hub.find_damaged(repo, _find_files(repo))
        if not damaged:
            return repo.snapshot
        hub.remove_files(damaged)
    hub_client.download(repo, report, lambda names: check_names(names, task, data))
    return verify_data(task, data)


def check_names(names: Collection[str], task: TaskSpec, data: HubData) -> None:
    """Refuse a data set by its file names.

    Raises:
        CannotStartError: It has no files of the configuration.
    """
    repo = find_repo(task, data)
    if not any(repo.needs(name) for name in names if name != CARD):
        raise CannotStartError(
            f"{data.repo} at {data.revision} has no files of the configuration {data.config!r}.",
            hint=f"Correct `config` under [data.hub] in the manifest of {task.name}.",
        )


def _find_files(repo: hub.Repo) -> list[Path]:
    """Return the task's files in the snapshot; without the card or with nothing beside it they are none."""
    files = [file for file in sorted(repo.snapshot.rglob("*")) if file.is_file()]
    needed = [file for file in files if repo.needs(file.relative_to(repo.snapshot).as_posix())]
    return needed if len(needed) > 1 and repo.snapshot / CARD in needed else []
