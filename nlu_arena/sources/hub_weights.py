"""Weights on the model hub: which files of a repository a model needs, and whether they are here."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from nlu_arena.errors import CannotStartError
from nlu_arena.sources import cache, hub, hub_client, layout
from nlu_arena.sources.progress import Report
from nlu_arena.spec import HubWeights, ModelSpec


def find_repo(model: ModelSpec, weights: HubWeights) -> hub.Repo:
    """Return what a model needs of its repository."""
    return hub.Repo(
        kind="model",
        name=weights.repo,
        revision=weights.revision,
        owner=model.name,
        use=f"the weights of {model.name}",
        repair=f"nlu-arena pull --model {model.name}",
        first_file=layout.CONFIG,
        wanted=tuple(layout.wanted_patterns(allow_pickle=weights.allow_pickle)),
        # A star also matches a slash: without it, onnx/model.safetensors would come along.
        unwanted=("*/*",),
    )


def weights_dir(model: ModelSpec, weights: HubWeights) -> Path | None:
    """Return the snapshot's folder when it is complete on this machine, else none."""
    repo = find_repo(model, weights)
    folder = repo.snapshot
    if not folder.is_dir() or layout.find_problem(folder, allow_pickle=weights.allow_pickle):
        return None
    if hub.list_files(repo) is None:
        # Every repository we name has one; it holds the chat template, so a copy without it is half-fetched.
        return folder if (folder / "tokenizer_config.json").is_file() else None
    return None if hub.is_cut_off(repo) else folder


def verify_weights(model: ModelSpec, weights: HubWeights) -> Path:
    """Compare every file of the snapshot with its hash on the hub, and return the folder."""
    folder = weights_dir(model, weights)
    if folder is None:
        raise cache.absence(model)
    if damaged := _find_damaged(model, weights, folder):
        raise cache.damage(model, f"Weights file {damaged[0]} is damaged: its hash is not the hub's.")
    return folder


def fetch_weights(model: ModelSpec, weights: HubWeights, report: Report) -> Path:
    """Download what is missing or damaged of the snapshot; the client locks what others fetch too."""
    folder = weights_dir(model, weights)
    if folder is not None:
        damaged = _find_damaged(model, weights, folder)
        if not damaged:
            return folder
        hub.remove_files(damaged)
    repo = find_repo(model, weights)
    folder = hub_client.download(repo, report, lambda names: check_names(names, model, weights))
    if problem := layout.find_problem(folder, allow_pickle=weights.allow_pickle):
        raise CannotStartError(f"{weights.repo} at {weights.revision} cannot be used: {problem}.")
    if damaged := _find_damaged(model, weights, folder):
        hub.remove_files(damaged)
        raise CannotStartError(
            f"{damaged[0].name} of {weights.repo} is not what the hub's own hash says. It was not kept.",
            hint=f"The hub or a mirror serves a damaged file; try again: {repo.repair}",
        )
    return folder


def check_names(names: Collection[str], model: ModelSpec, weights: HubWeights) -> None:
    """Refuse a repository by its file names.

    Raises:
        CannotStartError: It has only weights that the manifest does not allow, or no weights at all.
    """
    if problem := layout.find_lack(names, allow_pickle=weights.allow_pickle):
        hint = f"Choose another repository or revision in the manifest of {model.name}."
        if layout.PICKLE_WEIGHTS in names:
            hint += " A hub repository at a pinned revision may say allow_pickle = true, if you trust it."
        raise CannotStartError(f"{weights.repo} at {weights.revision} cannot be used: {problem}.", hint)


def _find_damaged(model: ModelSpec, weights: HubWeights, folder: Path) -> list[Path]:
    files = layout.find_files(folder, allow_pickle=weights.allow_pickle)
    return hub.find_damaged(find_repo(model, weights), files)
