"""Profiles: TOML files that name a matrix of experiments, and what the command line changes in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec

from nlu_arena.errors import UsageError
from nlu_arena.manifest import convert, read_toml
from nlu_arena.naming import NAME_FORM, is_name, unknown_name
from nlu_arena.paths import manifest_dirs
from nlu_arena.settings import merge_settings, resolve_train
from nlu_arena.spec import PROMPTED_MODES, TRAINED_MODES, Mode, Spec, TaskSpec
from nlu_arena.variants import has_prompt

Count = Annotated[int, msgspec.Meta(ge=1)]
Seed = Annotated[int, msgspec.Meta(ge=0, lt=2**32)]
Seeds = Annotated[tuple[Seed, ...], msgspec.Meta(min_length=1)]
Names = Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
Counts = Annotated[tuple[Count, ...], msgspec.Meta(min_length=1)]


class Block(Spec, frozen=True):
    """Every one of its models in every one of its modes on every one of its tasks.

    `limit` bounds the rows of each dev split, `train_limit` those of the trained modes: several limits are a
    learning curve, an experiment each. Few-shot examples are drawn from all of train. `templates` are the
    prompts that a language model is asked with, an experiment each. `train` changes the training settings,
    `train.lora` those of the adapter. `seeds` stand for the profile's in this block.
    """

    models: Names
    modes: Annotated[tuple[Mode, ...], msgspec.Meta(min_length=1)]
    tasks: Names
    shots: Count = 5
    limit: Count | None = None
    train_limit: Count | Counts | None = None
    templates: Names | None = None
    seeds: Seeds | None = None
    train: dict[str, Any] = msgspec.field(default_factory=dict)

    @property
    def trained_modes(self) -> tuple[Mode, ...]:
        """Return those of its modes that train."""
        return tuple(mode for mode in self.modes if mode in TRAINED_MODES)

    @property
    def prompt_modes(self) -> tuple[Mode, ...]:
        """Return those of its modes that ask a language model: LoRA does without a classifier head."""
        asks = self.train.get("lora", {}).get("head") != "classifier"
        return tuple(mode for mode in self.modes if mode in PROMPTED_MODES or (mode == "lora" and asks))

    @property
    def train_limits(self) -> tuple[int | None, ...]:
        """Return the limits of the training rows, None for all of them."""
        return self.train_limit if isinstance(self.train_limit, tuple) else (self.train_limit,)


class Profile(Spec, frozen=True):
    """A matrix of experiments; the name is that of its file.

    `data` is "hub", "starter" or a folder, seen from the current one.
    """

    name: str
    description: str
    blocks: Annotated[tuple[Block, ...], msgspec.Meta(min_length=1)] = msgspec.field(name="block")
    data: str = "hub"
    seeds: Seeds = (42,)

    def seeds_of(self, block: Block) -> tuple[int, ...]:
        """Return the seeds of a block's experiments."""
        return self.seeds if block.seeds is None else block.seeds


def load_profile(name_or_path: str) -> Profile:
    """Read a profile by its name, or from the path of a .toml file.

    Raises:
        UsageError: There is none of that name or path, two folders have different ones, or the file is wrong.
    """
    path = Path(name_or_path).expanduser()
    if path.suffix == ".toml":
        if not path.is_file():
            raise UsageError(f"there is no profile file {path}", "`nlu-arena list profiles` shows all.")
        return _read(path)
    files = _find_files()
    if name_or_path.lower() not in files:
        raise unknown_name("profile", name_or_path, files)
    return _read(files[name_or_path.lower()])


def list_profiles() -> list[Profile]:
    """Return every profile: the project's own, the user's, those of the current folder."""
    return [_read(path) for path in _find_files().values()]


def single_profile(
    model: str,
    task: str,
    mode: Mode,
    *,
    data: str,
    seeds: Sequence[int] = (42,),
    **block: Any,
) -> Profile:
    """Return the profile of one experiment.

    Args:
        model: Its name or alias.
        task: Its name or alias.
        mode: How the model is used.
        data: "hub", "starter" or a folder.
        seeds: One experiment each.
        block: What else a block says: shots, limit, train_limit, train.

    Raises:
        UsageError: A value that is not allowed.
    """
    cell = {"models": [model], "modes": [mode], "tasks": [task], **block}
    raw = {"name": "run", "description": f"{model}/{task}/{mode}", "data": data, "seeds": list(seeds)}
    return _check(raw | {"block": [cell]}, "the command line")


def focus(profile: Profile, task: TaskSpec, model_name: Callable[[str], str]) -> Profile:
    """Return a profile with one task in place of its own.

    Models, modes and settings stay; a model in a mode is done once, as the first block that has it says.
    Templates that the task does not have are left out.

    Args:
        profile: What the file says.
        task: The task.
        model_name: Gives a model's name for a name or alias.

    Raises:
        UsageError: A model is not known.
    """
    blocks, seen = [], set[tuple[str, Mode]]()
    for block in profile.blocks:
        for model in block.models:
            name = model_name(model)
            modes = tuple(mode for mode in dict.fromkeys(block.modes) if (name, mode) not in seen)
            seen |= {(name, mode) for mode in modes}
            blocks += [_narrow(block, name, modes, task)] if modes else []
    raw = msgspec.to_builtins(profile) | {"block": blocks}
    return _check(raw, f"the profile {profile.name} with --task")


def list_strange(profile: Profile, task: TaskSpec) -> list[str]:
    """Return the templates of a profile that a task does not have."""
    named = dict.fromkeys(name for block in profile.blocks for name in block.templates or ())
    return [name for name in named if not has_prompt(task, name)]


def _narrow(block: Block, model: str, modes: tuple[Mode, ...], task: TaskSpec) -> dict[str, Any]:
    """Return a part of a block, without settings that none of its modes has."""
    part = msgspec.structs.replace(block, models=(model,), modes=modes, tasks=(task.name,))
    templates = [template for template in block.templates or () if has_prompt(task, template)]
    raw: dict[str, Any] = msgspec.to_builtins(part)
    raw["templates"] = templates if templates and part.prompt_modes else None
    if not part.trained_modes:
        return raw | {"train": {}, "train_limit": None}
    return raw | {"train": _fit(block.train, modes)}


def override(
    profile: Profile,
    *,
    data: str | None = None,
    seeds: Sequence[int] | None = None,
    limit: int | None = None,
    train_limit: int | None = None,
    train: Mapping[str, Any] | None = None,
) -> Profile:
    """Return a profile with the command line's changes; None keeps what the profile says.

    Args:
        profile: What the file says.
        data: "hub", "starter" or a folder.
        seeds: One experiment each, in every block.
        limit: The most rows of each dev split, in every block.
        train_limit: The most training rows, in every block that trains, in place of all its limits.
        train: Training settings, over those of every block that trains; the adapter's where there is one.

    Raises:
        UsageError: A value that is not allowed.
    """
    everywhere: dict[str, Any] = {} if limit is None else {"limit": limit}
    everywhere |= {} if seeds is None else {"seeds": None}
    where_trained: dict[str, Any] = {} if train_limit is None else {"train_limit": train_limit}
    if train and not any(block.trained_modes for block in profile.blocks):
        raise UsageError(
            f"--set train.{next(iter(train))} changes nothing: {profile.name} has no mode that trains",
            f"Those are {' and '.join(TRAINED_MODES)}.",
        )
    if train and "lora" in train and not any("lora" in block.modes for block in profile.blocks):
        raise UsageError(f"--set train.lora changes nothing: {profile.name} has no mode lora")
    blocks = [
        msgspec.to_builtins(block)
        | everywhere
        | (where_trained | _set_train(block, train or {}) if block.trained_modes else {})
        for block in profile.blocks
    ]
    changes: dict[str, Any] = {"data": data, "seeds": None if seeds is None else list(seeds)}
    changes = {key: value for key, value in changes.items() if value is not None}
    raw = msgspec.to_builtins(profile) | changes | {"block": blocks}
    return _check(raw, f"the profile {profile.name} with the command line's changes")


def _set_train(block: Block, train: Mapping[str, Any]) -> dict[str, Any]:
    """Return a block's training settings with changes; the adapter's are for blocks that have one."""
    return {"train": merge_settings(block.train, _fit(train, block.modes))}


def _fit(train: Mapping[str, Any], modes: Sequence[Mode]) -> dict[str, Any]:
    return {key: value for key, value in train.items() if key != "lora" or "lora" in modes}


def _find_files() -> dict[str, Path]:
    """Return every profile's file by name; the same bytes met in two folders are one profile."""
    files: dict[str, Path] = {}
    for path in (file for folder in manifest_dirs("profiles") for file in sorted(folder.glob("*.toml"))):
        known = files.setdefault(path.stem, path)
        if known.read_bytes() != path.read_bytes():
            raise UsageError(
                f"there are two profiles {path.stem!r}: {known} and {path}", "Rename one of the files."
            )
    return files


def _read(path: Path) -> Profile:
    raw = read_toml(path)
    if "name" in raw:
        raise UsageError(f"{path}: a profile has no `name`", "It is named by its file: remove the line.")
    if not is_name(path.stem):
        raise UsageError(f"{path}: {path.stem!r} cannot be a profile's name", f"A name has {NAME_FORM}.")
    return _check(raw | {"name": path.stem}, str(path))


def _check(raw: dict[str, Any], where: str) -> Profile:
    profile = convert(raw, Profile, where)
    for number, block in enumerate(profile.blocks):
        place = f"{where}: block[{number}]"
        unused = [key for key in ("train", "train_limit") if getattr(block, key)]
        if unused and not block.trained_modes:
            raise UsageError(
                f"{place}: {' and '.join(unused)} without a mode that trains",
                f"Those are {' and '.join(TRAINED_MODES)}.",
            )
        if "lora" in block.train and "lora" not in block.modes:
            raise UsageError(f"{place}: train.lora without the mode lora")
        for mode in block.trained_modes:
            # The registry is not known here; a decoder's LoRA allows either head.
            resolve_train("decoder", mode, [settings_of(block, mode)], f"{place}.train")
        if block.templates and not block.prompt_modes:
            raise UsageError(
                f"{place}: templates without a mode that asks a language model",
                "Those are zero-shot, few-shot, and lora without a classifier head.",
            )
    return profile


def settings_of(block: Block, mode: Mode) -> dict[str, Any]:
    """Return what a block changes in the training of a mode: the adapter's table is LoRA's alone."""
    return {key: value for key, value in block.train.items() if key != "lora" or mode == "lora"}
