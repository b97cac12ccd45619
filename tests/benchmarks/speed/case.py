"""A piece of work that both sides do: an experiment, its examples in memory, and its weights on the disk."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from nlu_arena.backend.data import TaskExamples, read_examples
from nlu_arena.dataref import resolve_data
from nlu_arena.registry import load_registry
from nlu_arena.settings import manifest_overrides, resolve_train
from nlu_arena.sources import fetch_weights
from nlu_arena.spec import Example, Experiment, Mode, Precision, PromptStyle, Subset

SHOTS = 5
# Few-shot examples are drawn from so many rows of train: reading and hashing all of it is no part of scoring.
SHOT_POOL = 256


class Case(NamedTuple):
    """The work: what is done, with which examples, from which weights."""

    experiment: Experiment
    data: TaskExamples
    folder: Path

    @property
    def dev(self) -> list[Example]:
        """Return the examples that are answered."""
        (examples,) = self.data.dev.values()
        return examples

    @property
    def title(self) -> str:
        """Name the work: task, precision, and how it is asked."""
        experiment = self.experiment
        style = f", {experiment.model.prompt_style} prompt" if experiment.uses_prompt else ""
        return f"{experiment.model.name} {experiment.task.name} {experiment.precision}{style}"

    @property
    def size(self) -> str:
        """Say how many rows there are."""
        trained = f"{len(self.data.train)} trained, " if self.experiment.train else ""
        return f"{trained}{len(self.dev)} scored"


def build_case(
    glue: Path,
    model: str,
    task: str,
    mode: Mode,
    precision: Precision,
    *,
    dev: int,
    train: int = SHOT_POOL,
    style: PromptStyle | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Case:
    """Read the examples of an experiment and find its weights.

    Args:
        glue: A folder in the layout of the GLUE download.
        model: The model's name.
        task: The task's name.
        mode: How the model is used.
        precision: The type of the matrix products.
        dev: How many dev examples are answered.
        train: How many rows are trained on, or shots drawn from.
        style: The kind of prompt, where it is not the manifest's.
        settings: What is changed of the training settings that the manifests give.
    """
    registry = load_registry()
    spec, task_spec = registry.model(model), registry.task(task)
    overrides = [*manifest_overrides(spec, task_spec, mode), settings or {}]
    experiment = Experiment(
        model=msgspec.structs.replace(spec, prompt_style=style or spec.prompt_style),
        task=task_spec,
        mode=mode,
        data=resolve_data(task_spec, str(glue)),
        weights_identity=spec.weights.identity,  # type: ignore[union-attr]
        precision=precision,
        subset=Subset(train=train, dev=dev),
        shots=SHOTS if mode == "few-shot" else 0,
        train=resolve_train(spec.family, mode, overrides, "the benchmark") if settings is not None else None,
    )
    return Case(experiment, read_examples(experiment), _fetch(model))


@cache
def _fetch(model: str) -> Path:
    return fetch_weights(load_registry().model(model), lambda _: None)
