"""The command that does a run again: the same experiment, on the same kind of device."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from nlu_arena.ledger.rows import RunRow, SweepRow
from nlu_arena.registry import Registry
from nlu_arena.settings import manifest_overrides, resolve_train
from nlu_arena.spec import Experiment, HubWeights, LocalWeights, TrainSettings
from nlu_arena.views.commands import with_folder
from nlu_arena.views.text import clean

# Said of the command for a run with a template.
WHOLE = "repeats the whole sweep: only a profile can name its template"


class Repetition(NamedTuple):
    """A command, and what it does besides where it does more."""

    command: str
    note: str = ""


def name_repetition(run: RunRow, sweep: SweepRow, registry: Registry, results: str) -> Repetition:
    """Return the command that repeats a run.

    Only a profile can name a template: a run with one is repeated with the sweep that it belongs to.

    Args:
        run: The run.
        sweep: The sweep that began it.
        registry: What the manifests say now: what differs from them is named in the command.
        results: The results folder as commands must name it, empty where it is the usual one.
    """
    if run.experiment.template:
        again = str(sweep.details.get("command") or f"nlu-arena sweep --profile {shlex.quote(sweep.name)}")
        again = again if " --fresh" in again else f"{again} --fresh"
        return Repetition(with_folder(clean(again), results), WHOLE)
    words = ["nlu-arena", "run", *_name_experiment(run.experiment, registry)]
    # Without --fresh a run that is done would not be done again.
    words += ["--device", str(run.environment.get("device") or run.device_kind), "--fresh"]
    return Repetition(with_folder(clean(shlex.join(words)), results))


def _name_experiment(experiment: Experiment, registry: Registry) -> list[str]:
    words = ["--model", experiment.model.name, *_name_task(experiment, registry), "--mode", experiment.mode]
    words += ["--seed", str(experiment.seed)]
    if experiment.mode == "few-shot":
        words += ["--shots", str(experiment.shots)]
    if experiment.subset.dev is not None:
        words += ["--limit", str(experiment.subset.dev)]
    if experiment.subset.train is not None:
        words += ["--train-limit", str(experiment.subset.train)]
    return [*words, *_name_copies(experiment, registry), *_name_settings(experiment, registry)]


def _name_task(experiment: Experiment, registry: Registry) -> list[str]:
    """Name the task with its data; one that was made from a file has no other name than the file's."""
    task, data = experiment.task, experiment.data
    table = task.data.file
    if data.source != "file" or table is None:
        return ["--task", task.name, "--data", data.location if data.source == "glue-dir" else data.source]
    if task.name in registry.tasks:
        return ["--task", task.name]
    folder, columns = Path(data.location), table.columns
    words = ["--task", str(folder / table.train), "--text", columns.text, "--label", columns.label]
    words += ["--text-pair", columns.pair] if columns.pair else []
    return [*words, *(word for name in table.dev.values() for word in ("--dev", str(folder / name)))]


def _name_copies(experiment: Experiment, registry: Registry) -> list[str]:
    """Name the models folder that a copy of the weights was read from, if it was one."""
    weights, model = experiment.model.weights, registry.models.get(experiment.model.name)
    if not isinstance(weights, LocalWeights) or model is None or isinstance(model.weights, LocalWeights):
        return []
    repo = model.weights.repo if isinstance(model.weights, HubWeights) else model.name
    for name in (repo, repo.rpartition("/")[2], model.name):
        if weights.path.endswith(f"/{name}"):
            return ["--models-dir", weights.path.removesuffix(f"/{name}") or "/"]
    return []


def _name_settings(experiment: Experiment, registry: Registry) -> list[str]:
    """Name each training setting that is not what the manifests say."""
    model, task = registry.models.get(experiment.model.name), registry.tasks.get(experiment.task.name)
    if experiment.train is None:
        return []
    manifests = manifest_overrides(model or experiment.model, task or experiment.task, experiment.mode)
    usual = resolve_train(experiment.model.family, experiment.mode, manifests, "the manifests")
    changed = _differences(_flatten(experiment.train), _flatten(usual))
    return [word for name, value in changed.items() for word in ("--set", f"train.{name}={_write(value)}")]


def _flatten(settings: TrainSettings) -> dict[str, Any]:
    whole: dict[str, Any] = msgspec.to_builtins(settings)
    adapter = whole.pop("lora") or {}
    return whole | {f"lora.{name}": value for name, value in adapter.items()}


def _differences(values: Mapping[str, Any], usual: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if usual.get(name) != value}


def _write(value: Any) -> str:
    """Write a value so that the command line reads the same one: as TOML does, texts without quotes."""
    return value if isinstance(value, str) else repr(value)
