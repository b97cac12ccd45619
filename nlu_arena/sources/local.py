"""Weights in a directory of this machine, in the layout of a hub repository."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

import msgspec

from nlu_arena.errors import CannotStartError
from nlu_arena.sources import cache, layout
from nlu_arena.spec import HubWeights, LocalWeights, ModelSpec


def use_copies(models: dict[str, ModelSpec], folder: Path) -> dict[str, ModelSpec]:
    """Return the models with weights from the copies in a folder; those without a copy stay as they are.

    A copy has the layout of a hub repository. It lies below the folder by the repository's name
    ("google-bert/bert-base-uncased" or "bert-base-uncased") or by the model's name in the registry.

    Raises:
        CannotStartError: There is no such folder.
    """
    whole = folder.expanduser().resolve()
    if not whole.is_dir():
        raise CannotStartError(
            f"there is no models folder {whole}", "Give the folder that holds one folder for each model."
        )
    return {name: _use_copy(model, whole) for name, model in models.items()}


def _use_copy(model: ModelSpec, folder: Path) -> ModelSpec:
    weights = model.weights
    if isinstance(weights, LocalWeights):
        return model
    repo = weights.repo if isinstance(weights, HubWeights) else model.name
    names = dict.fromkeys((repo, repo.rpartition("/")[2], model.name))
    copy = next((folder / name for name in names if (folder / name / layout.CONFIG).is_file()), None)
    if copy is None:
        return model
    allow_pickle = isinstance(weights, HubWeights) and weights.allow_pickle
    return msgspec.structs.replace(model, weights=LocalWeights(path=str(copy), allow_pickle=allow_pickle))


def weights_dir(weights: LocalWeights) -> Path | None:
    """Return the directory when it can be loaded, else none."""
    folder = Path(weights.path).expanduser()
    return (
        folder
        if folder.is_dir() and not layout.find_problem(folder, allow_pickle=weights.allow_pickle)
        else None
    )


def verify_weights(model: ModelSpec, weights: LocalWeights) -> Path:
    """Return the directory after checking that it is complete and that no weights file is cut short.

    There is nothing to compare its content with: the content is the identity.
    """
    folder = Path(weights.path).expanduser()
    if not folder.is_dir():
        raise CannotStartError(
            f"The weights folder of {model.name}, {folder}, does not exist.",
            hint=f"Correct `path` under [weights] in the manifest of {model.name}, or the models folder.",
        )
    if problem := layout.find_problem(folder, allow_pickle=weights.allow_pickle):
        raise CannotStartError(
            f"The weights folder of {model.name}, {folder}, cannot be used: {problem}.",
            hint="Copy a whole model repository there: config.json, tokenizer files and *.safetensors.",
        )
    for file in layout.find_files(folder):
        if file.suffix == ".safetensors" and (damage := layout.find_damage(file)):
            raise CannotStartError(f"Weights file {file} is damaged: {damage}.", hint="Copy it there again.")
    return folder


def weights_identity(model: ModelSpec, weights: LocalWeights) -> str:
    """Return "local:" and a hash over the names and contents of the files that loading reads."""
    folder = verify_weights(model, weights)
    files = layout.find_files(folder, allow_pickle=weights.allow_pickle)
    stats = [(file, file.stat()) for file in files]
    return _hash_files(tuple((str(file), stat.st_size, stat.st_mtime_ns) for file, stat in stats))


@lru_cache(maxsize=32)
def _hash_files(files: tuple[tuple[str, int, int], ...]) -> str:
    """Hash the files once as long as none changes: a plan asks for each of its experiments."""
    digest = hashlib.sha256()
    for path, _, _ in files:
        digest.update(f"{Path(path).name}:{cache.hash_file(Path(path))}\n".encode())
    return f"local:{digest.hexdigest()}"
