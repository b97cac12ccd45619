"""A profile and the registry become experiments, in the order in which they are done."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple, TypeVar

import msgspec

from nlu_arena.dataref import resolve_data
from nlu_arena.errors import CannotStartError, UsageError
from nlu_arena.hardware import Device
from nlu_arena.profile import Block, Profile, settings_of
from nlu_arena.registry import Registry
from nlu_arena.settings import manifest_overrides, resolve_train
from nlu_arena.spec import (
    TRAINED_MODES,
    Experiment,
    Mode,
    ModelSpec,
    Precision,
    Subset,
    TaskSpec,
    TrainSettings,
)
from nlu_arena.variants import find_prompt, name_template
from nlu_arena.workload import most_train_rows

Item = TypeVar("Item", ModelSpec, TaskSpec)
Found = TypeVar("Found")


class Subject(NamedTuple):
    """A model or a task by its name: what experiments stand or fall with."""

    kind: Literal["model", "task"]
    name: str


class Cell(NamedTuple):
    """One field of a block's matrix."""

    block: Block
    model: ModelSpec
    mode: Mode
    task: TaskSpec
    seed: int


def build_plan(
    profile: Profile,
    registry: Registry,
    devices: Sequence[Device],
    *,
    weights_identity: Callable[[ModelSpec], str],
    absent: dict[Subject, CannotStartError] | None = None,
) -> list[Experiment]:
    """Return a profile's experiments: block by block, in it by model, mode, task, seed, rows and template.

    Args:
        profile: What to do.
        registry: What its names mean.
        devices: Where it is done: all of them must have bfloat16 for it to be used.
        weights_identity: Names a model's weights for the key.
        absent: Is told what should be here and is not; its cells are left out. Without it, it is raised.

    Returns:
        Experiments with different keys: of equal ones (an overlap of two blocks, zero-shot with another
        seed) the first stays. The smallest training limit that takes all rows stands for the larger ones.

    Raises:
        UsageError: An unknown name, a mode that a model cannot do, a setting that cannot train, a template
            that a task does not have.
        CannotStartError: Data or weights that should be here are missing.
    """
    precision: Precision = "bfloat16" if all(device.fast_bfloat16 for device in devices) else "float32"
    cells = list(_cells(profile, registry))
    tasks = {cell.task.name: cell.task for cell in cells}
    models = {cell.model.name: cell.model for cell in cells}
    data = _find("task", tasks, lambda task: resolve_data(task, profile.data), absent)
    weights = _find("model", models, weights_identity, absent)
    plan: dict[str, Experiment] = {}
    for cell in (c for c in cells if c.task.name in data and c.model.name in weights):
        where = f"profile {profile.name}, {cell.model.name}/{cell.task.name}/{cell.mode}"
        experiment = Experiment(
            model=cell.model,
            task=cell.task,
            mode=cell.mode,
            data=data[cell.task.name],
            weights_identity=weights[cell.model.name],
            precision=precision,
            seed=cell.seed,
            subset=Subset(dev=cell.block.limit),
            shots=cell.block.shots if cell.mode == "few-shot" else 0,
            train=_train_settings(cell, where),
        )
        for variant in _vary(experiment, cell.block, where):
            plan.setdefault(variant.key, variant)
    return list(plan.values())


def _find(
    kind: Literal["model", "task"],
    items: Mapping[str, Item],
    find: Callable[[Item], Found],
    absent: dict[Subject, CannotStartError] | None,
) -> dict[str, Found]:
    """Return what is found for each model or task; what is not here is noted, or raised."""
    found = {}
    for name, item in items.items():
        try:
            found[name] = find(item)
        except CannotStartError as error:
            if absent is None:
                raise
            absent[Subject(kind, name)] = error
    return found


def _cells(profile: Profile, registry: Registry) -> Iterator[Cell]:
    for block in profile.blocks:
        tasks = [registry.task(name) for name in block.tasks]
        for model in (registry.model(name) for name in block.models):
            for mode in block.modes:
                if mode not in model.modes:
                    raise UsageError(
                        f"the {model.family} {model.name} cannot do {mode}",
                        f"It can do {', '.join(model.modes)}.",
                    )
                seeds = profile.seeds_of(block)
                yield from (Cell(block, model, mode, task, s) for task in tasks for s in seeds)


def _vary(experiment: Experiment, block: Block, where: str) -> Iterator[Experiment]:
    """Return an experiment at each training limit and with each template of its block that it can use."""
    task = experiment.task
    # The variants that are not used are no part of what is recorded of an experiment.
    variants = {"": msgspec.structs.replace(task, templates={})}
    if experiment.uses_prompt and block.templates:
        prompts = {name_template(name): find_prompt(task, name, where) for name in block.templates}
        variants = {n: msgspec.structs.replace(task, prompt=p, templates={}) for n, p in prompts.items()}
    for limit in _train_limits(experiment, block):
        subset = msgspec.structs.replace(experiment.subset, train=limit)
        for name, variant in variants.items():
            yield msgspec.structs.replace(experiment, task=variant, template=name, subset=subset)


def _train_limits(experiment: Experiment, block: Block) -> list[int | None]:
    """Return the training limits of a block that give different rows."""
    if experiment.mode not in TRAINED_MODES:
        return [None]
    rows = most_train_rows(experiment.task, experiment.data)
    enough = sorted({limit for limit in block.train_limits if limit and rows and limit >= rows})
    return [limit for limit in block.train_limits if limit not in enough[1:]]


def _train_settings(cell: Cell, where: str) -> TrainSettings | None:
    if cell.mode not in TRAINED_MODES:
        return None
    overrides = [*manifest_overrides(cell.model, cell.task, cell.mode), settings_of(cell.block, cell.mode)]
    return resolve_train(cell.model.family, cell.mode, overrides, where)
