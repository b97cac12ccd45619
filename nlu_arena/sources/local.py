"""Weights in a directory of this machine, in the layout of a hub repository."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from nlu_arena.errors import CannotStartError
from nlu_arena.sources import cache, layout
from nlu_arena.spec import LocalWeights, ModelSpec


def weights_dir(weights: LocalWeights) -> Path | None:
    """Return the directory when it can be loaded, else none."""
    folder = Path(weights.path).expanduser()
    return folder if folder.is_dir() and not layout.find_problem(folder) else None


def verify_weights(model: ModelSpec, weights: LocalWeights) -> Path:
    """Return the directory after checking that it is complete and that no weights file is cut short.

    There is nothing to compare its content with: the content is the identity.
    """
    folder = Path(weights.path).expanduser()
    if not folder.is_dir():
        raise CannotStartError(
            f"The weights folder of {model.name}, {folder}, does not exist.",
            hint=f"Correct `path` under [weights] in the manifest of {model.name}.",
        )
    if problem := layout.find_problem(folder):
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
    files = layout.find_files(verify_weights(model, weights))
    stats = [(file, file.stat()) for file in files]
    return _hash_files(tuple((str(file), stat.st_size, stat.st_mtime_ns) for file, stat in stats))


@lru_cache(maxsize=32)
def _hash_files(files: tuple[tuple[str, int, int], ...]) -> str:
    """Hash the files once as long as none changes: a plan asks for each of its experiments."""
    digest = hashlib.sha256()
    for path, _, _ in files:
        digest.update(f"{Path(path).name}:{cache.hash_file(Path(path))}\n".encode())
    return f"local:{digest.hexdigest()}"
