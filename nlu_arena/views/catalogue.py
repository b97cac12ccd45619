"""The registry as records: models, tasks, modes and profiles."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

from nlu_arena.dataref import TRAIN
from nlu_arena.paths import manifest_dirs
from nlu_arena.profile import Block, Profile
from nlu_arena.registry import Registry
from nlu_arena.spec import MODES, MODES_OF_FAMILY, TRAINED_MODES, DataSource, Mode, ModelSpec, TaskSpec
from nlu_arena.variants import DEFAULT, list_templates
from nlu_arena.views.figures import format_parameters
from nlu_arena.views.sheet import Column
from nlu_arena.views.tsv import Record

MODE_DEEDS: dict[Mode, str] = {
    "fine-tune": "trains all weights and a new classification head on the training rows",
    "zero-shot": "asks with a prompt and takes the label whose words are the most likely answer",
    "few-shot": "the same with k labelled examples from train in the prompt",
    "lora": "trains small adapters beside frozen weights; decoders answer a prompt, encoders have a head",
}


def _join(values: Any) -> str:
    return ", ".join(values)


def _yes_or_no(value: Any) -> str:
    return "yes" if value else "no"


MODEL_COLUMNS = (
    Column("name"),
    Column("family"),
    Column("size", right=True),
    Column("licence"),
    Column("source"),
    Column("here", _yes_or_no),
    Column("about", detail=True),
    Column("modes", _join, detail=True),
)
TASK_COLUMNS = (
    Column("name"),
    Column("type"),
    Column("training_rows", lambda rows: f"{rows:,}", right=True),
    Column("difficulty"),
    Column("labels", lambda labels: f"labels: {_join(labels)}", detail=True),
    Column("templates", lambda templates: f"templates: {_join(templates)}", detail=True),
    Column("sources", lambda sources: f"data: {_join(sources)}", detail=True),
    Column("licence", lambda licence: f"licence: {licence}", detail=True),
)
MODE_COLUMNS = (
    Column("name"),
    Column("families", _join),
    Column("trains", _yes_or_no),
    Column("does", detail=True),
)
PROFILE_COLUMNS = (
    Column("name"),
    Column("experiments", right=True),
    Column("data"),
    Column("description", detail=True),
    Column("file", detail=True),
)


def model_records(registry: Registry, weights_dir: Callable[[ModelSpec], Path | None]) -> list[Record]:
    """Return every model, `here` where its weights are on this machine."""
    return [_model_record(model, weights_dir(model)) for model in registry.models.values()]


def _model_record(model: ModelSpec, folder: Path | None) -> Record:
    source = str(model.weights.__struct_config__.tag)
    return {
        "name": model.name,
        "aliases": list(model.aliases),
        "title": model.title,
        "family": model.family,
        "parameters": model.parameters,
        "size": format_parameters(model.parameters),
        "modes": list(model.modes),
        "use_case": model.use_case,
        "about": "; ".join([f"{model.title}: {model.use_case}", *_also(model.aliases)]),
        "licence": model.licence,
        "licence_note": model.licence_note,
        "quantisation": model.quantisation,
        "source": f"{source}, {model.quantisation}" if model.quantisation else source,
        "here": folder is not None,
        "folder": None if folder is None else str(folder),
    }


def _also(aliases: tuple[str, ...]) -> list[str]:
    return [f"also called {_join(aliases)}"] if aliases else []


def task_records(registry: Registry) -> list[Record]:
    """Return every task with the places its data can come from."""
    return [_task_record(task) for task in registry.tasks.values()]


def _task_record(task: TaskSpec) -> Record:
    return {
        "name": task.name,
        "aliases": list(task.aliases),
        "title": task.title,
        "type": task.type,
        "labels": list(task.labels),
        "templates": list_templates(task),
        "training_rows": task.train_rows,
        "dev_rows": {split: rows for split, rows in task.published_rows.items() if split != TRAIN},
        "difficulty": task.difficulty,
        "licence": task.licence,
        "sources": [s for s in get_args(DataSource) if getattr(task.data, s.replace("-", "_")) is not None],
    }


def mode_records() -> list[Record]:
    """Return every mode, what it does and for which families."""
    return [
        {
            "name": mode,
            "families": [family for family, modes in MODES_OF_FAMILY.items() if mode in modes],
            "trains": mode in TRAINED_MODES,
            "does": MODE_DEEDS[mode],
        }
        for mode in MODES
    ]


def profile_records(profiles: list[Profile]) -> list[Record]:
    """Return every profile with how many experiments it names and the file that says so."""
    return [
        {
            "name": profile.name,
            "description": profile.description,
            "experiments": count_experiments(profile),
            "data": profile.data,
            "seeds": list(profile.seeds),
            "file": str(_file_of(profile)),
        }
        for profile in profiles
    ]


def count_experiments(profile: Profile) -> int:
    """Return how many experiments a profile names, before equal ones are joined."""
    return sum(
        len(block.models) * len(block.tasks) * _count_variants(block, mode, len(profile.seeds_of(block)))
        for block in profile.blocks
        for mode in block.modes
    )


def _count_variants(block: Block, mode: Mode, seeds: int) -> int:
    """Return how often a model does a task in a mode: by seed, training limit and template."""
    limits = len(block.train_limits) if mode in TRAINED_MODES else 1
    templates = len(block.templates or (DEFAULT,)) if mode in block.prompt_modes else 1
    return (1 if mode == "zero-shot" else seeds) * limits * templates


def _file_of(profile: Profile) -> Path:
    files = (folder / f"{profile.name}.toml" for folder in manifest_dirs("profiles"))
    return next(file for file in files if file.is_file())
