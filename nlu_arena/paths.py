"""Where results, caches, plugins and profiles are; each place has one override."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from nlu_arena.errors import UsageError

APP = "nlu-arena"
PACKAGE = Path(__file__).resolve().parent

# What a run's folder holds: the model that it trained, and the checkpoint of a training that is not finished.
BEST_MODEL = "best_model"
CHECKPOINT = "checkpoint"
UNUSABLE_CHECKPOINT = "checkpoint.unusable"


def results_dir(override: Path | None = None) -> Path:
    """Return the folder of the ledger and the run folders: the option, NLU_ARENA_RESULTS, or ./results."""
    return override or Path(os.environ.get("NLU_ARENA_RESULTS") or "results")


def ledger_path(results: Path) -> Path:
    """Return the ledger's file inside a results folder."""
    return results / "arena.db"


def models_dir(override: Path | None = None) -> Path | None:
    """Return the folder of the user's copies of weights: the option, NLU_ARENA_MODELS, or none."""
    named = os.environ.get("NLU_ARENA_MODELS")
    return override or (Path(named) if named else None)


def data_source(override: str | None = None) -> str | None:
    """Return where the user says that data come from: the option, NLU_ARENA_DATA, or none."""
    return override or os.environ.get("NLU_ARENA_DATA") or None


def cache_dir() -> Path:
    """Return the folder of fetched and converted weights: NLU_ARENA_CACHE or the user's cache folder."""
    return Path(os.environ.get("NLU_ARENA_CACHE") or platformdirs.user_cache_dir(APP))


def config_dir() -> Path:
    """Return the folder of the user's own manifests: NLU_ARENA_CONFIG or the user's configuration folder."""
    return Path(os.environ.get("NLU_ARENA_CONFIG") or platformdirs.user_config_dir(APP))


def checkpoint_seconds() -> float:
    """Return how many seconds of training lie between two checkpoints: NLU_ARENA_CHECKPOINT_SECONDS or 60.

    Raises:
        UsageError: The variable is no number of seconds.
    """
    text = os.environ.get("NLU_ARENA_CHECKPOINT_SECONDS") or "60"
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise UsageError(
            f"NLU_ARENA_CHECKPOINT_SECONDS is {text!r}", "Give a number of seconds, or leave it unset."
        )
    return seconds


def starter_dir() -> Path:
    """Return the folder of the starter data, which is part of the package."""
    return PACKAGE / "starter"


def manifest_dirs(kind: str) -> list[Path]:
    """Return the folders that may hold manifests of a kind, ours first, without repeats.

    Args:
        kind: "plugins/models", "plugins/tasks" or "profiles".
    """
    # A wheel carries the manifests inside the package; a checkout has them beside it.
    bundled = PACKAGE / "bundled"
    ours = bundled if bundled.is_dir() else PACKAGE.parent
    folders = [ours / kind, config_dir() / kind, Path.cwd() / kind]
    return [folder for folder in dict.fromkeys(f.resolve() for f in folders) if folder.is_dir()]
