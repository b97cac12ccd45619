"""What a manifest must say beyond its types: labels with words, pinned weights, templates with a text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, get_args

from nlu_arena.dataref import TRAIN
from nlu_arena.errors import UsageError
from nlu_arena.manifest import convert
from nlu_arena.naming import NAME_FORM, is_name, suggest
from nlu_arena.settings import BY_TASK, resolve_train
from nlu_arena.spec import (
    TRAINED_MODES,
    Columns,
    DataSource,
    HubWeights,
    LocalWeights,
    Mode,
    ModelSpec,
    PromptSpec,
    Published,
    TableData,
    TaskSpec,
    WheelWeights,
)
from nlu_arena.variants import DEFAULT, apply_variant, check_places, check_template

COMMIT = re.compile(r"[0-9a-f]{40}")
SHA256 = re.compile(r"[0-9a-f]{64}")
PINNED_PACKAGE = re.compile(r"[A-Za-z0-9._-]+==[A-Za-z0-9.!+_-]+")


def check_model(model: ModelSpec, where: str) -> None:
    """Check a model's manifest.

    Raises:
        UsageError: It says something that cannot work; the message begins with `where`.
    """
    _check_names((model.name, *model.aliases, model.slug), where)
    if model.parameters < 1:
        raise UsageError(f"{where}: parameters must be above 0, not {model.parameters}")
    _check_weights(model, where)
    for mode, overrides in model.train.items():
        _check_trained(mode, where)
        general = {key: value for key, value in overrides.items() if key != BY_TASK}
        tables = convert(
            overrides.get(BY_TASK, {}), dict[str, dict[str, Any]], f"{where}: train.{mode}.tasks"
        )
        for table in ({}, *tables.values()):
            resolve_train(model.family, mode, [general, table], f"{where}: train.{mode}")


def check_task(task: TaskSpec, where: str) -> None:
    """Check a task's manifest.

    Raises:
        UsageError: It says something that cannot work; the message begins with `where`.
    """
    _check_names((task.name, *task.aliases), where)
    if len(task.labels) < 2 or len(set(task.labels)) < len(task.labels):
        raise UsageError(f"{where}: labels must be two or more different names")
    _check_prompt(task.prompt, task.labels, f"{where}: prompt")
    _check_variants(task, where)
    _check_data(task, where)
    if task.published_rows.get(TRAIN, task.train_rows) != task.train_rows:
        raise UsageError(f"{where}: train_rows is {task.train_rows}, published.counts has another number")
    for mode, overrides in task.train.items():
        _check_trained(mode, where)
        # Only a model says which family trains; a decoder's LoRA allows either head.
        resolve_train("decoder", mode, [overrides], f"{where}: train.{mode}")


def _check_names(names: Iterable[str], where: str) -> None:
    for name in names:
        if not is_name(name):
            raise UsageError(f"{where}: {name!r} cannot be a name", f"A name has {NAME_FORM}.")


def _check_trained(mode: Mode, where: str) -> None:
    if mode not in TRAINED_MODES:
        raise UsageError(
            f"{where}: train.{mode}: {mode} trains nothing", f"Settings are for {', '.join(TRAINED_MODES)}."
        )


def _check_weights(model: ModelSpec, where: str) -> None:
    weights = model.weights
    if isinstance(weights, HubWeights) and not COMMIT.fullmatch(weights.revision):
        raise UsageError(
            f"{where}: weights.revision must be a commit of 40 hexadecimal digits, not {weights.revision!r}",
            "A branch can change under the results; copy the commit from the repository's history.",
        )
    if isinstance(weights, LocalWeights) and weights.allow_pickle:
        raise UsageError(
            f"{where}: weights.allow_pickle has no meaning for a local folder",
            "A pickle checkpoint is read at a pinned revision only; save it as safetensors.",
        )
    if not isinstance(weights, WheelWeights):
        return
    if not SHA256.fullmatch(weights.sha256):
        raise UsageError(f"{where}: weights.sha256 must be 64 hexadecimal digits")
    if not weights.packages or not weights.members:
        raise UsageError(f"{where}: weights needs at least one package and one member")
    for package in weights.packages:
        if not PINNED_PACKAGE.fullmatch(package):
            raise UsageError(f"{where}: {package!r} has no pinned version", 'Write "package==1.2.3".')


def _check_variants(task: TaskSpec, where: str) -> None:
    for name, variant in task.templates.items():
        place = f"{where}: templates.{name}"
        _check_names((name,), f"{where}: templates")
        if name == DEFAULT:
            raise UsageError(
                f"{place}: that is the name of [prompt] itself", "Give the variant another name."
            )
        prompt = apply_variant(task.prompt, variant)
        _check_prompt(prompt, task.labels, place)
        check_places(prompt.template, task.is_pair, f"{place}.template")


def _check_prompt(prompt: PromptSpec, labels: tuple[str, ...], where: str) -> None:
    for label in labels:
        if not prompt.words.get(label, "").strip():
            raise UsageError(
                f"{where}.words has no word for the label {label!r}", "Every label needs its answer."
            )
    for label in prompt.words:
        if label not in labels:
            raise UsageError(f"{where}.words: there is no label {label!r}", suggest(label, labels))
    if len(set(prompt.words.values())) < len(labels):
        raise UsageError(f"{where}.words gives two labels the same word", "Each needs its own answer.")
    check_template(prompt.template, f"{where}.template")


def _check_data(task: TaskSpec, where: str) -> None:
    sources = task.data.by_source
    if not sources:
        raise UsageError(f"{where}: data names no source", f"Valid here: {', '.join(get_args(DataSource))}.")
    for name, data in sources.items():
        if isinstance(data, TableData) and data.split is not None:
            _check_split(data, name, f"{where}: data.{name}")
    splits = {name: list(data.dev_splits) for name, data in sources.items()}
    if not all(splits.values()) or len({tuple(names) for names in splits.values()}) > 1:
        raise UsageError(
            f"{where}: every source must name the same dev splits in the same order",
            "; ".join(f"{name}: {', '.join(names) or 'none'}" for name, names in splits.items()) + ".",
        )
    for name, data in sources.items():
        _check_columns(data.columns, task.is_pair, f"{where}: data.{name}.columns")
        if name == "file" and data.columns.genre:
            raise UsageError(
                f"{where}: data.file.columns.genre has no meaning", "Genres are read from GLUE's tables."
            )
    known = next(iter(splits.values()))
    if TRAIN in known:
        raise UsageError(f"{where}: a dev split cannot be named {TRAIN!r}: that is the training split's name")
    if task.published is not None:
        _check_published(task.published, task.labels, (TRAIN, *known), f"{where}: published")


def _check_split(table: TableData, source: DataSource, where: str) -> None:
    if source != "file":
        raise UsageError(f"{where}.split has no meaning", "Only a file of your own (data.file) can be split.")
    if table.dev:
        raise UsageError(
            f"{where} has both a dev file and a split", "Keep `dev`, or `split`, which cuts dev from train."
        )


def _check_columns(columns: Columns, is_pair: bool, where: str) -> None:
    if is_pair and not columns.pair:
        raise UsageError(f"{where}: no column for the {{pair}} of the template", "Name it with `pair`.")
    if columns.pair and not is_pair:
        raise UsageError(f"{where}: a column for a pair, but the template has no {{pair}}")


def _check_published(published: Published, labels: Sequence[str], splits: Sequence[str], where: str) -> None:
    if not published.name.strip():
        raise UsageError(f"{where}.name is empty", 'It stands beside every number: "not GLUE".')
    for split, count in published.counts.items():
        if split not in splits:
            raise UsageError(f"{where}.counts: there is no split {split!r}", suggest(split, splits))
        numbers = (count,) if isinstance(count, int) else count
        if isinstance(count, tuple) and len(count) != len(labels):
            raise UsageError(
                f"{where}.counts.{split} has {len(count)} numbers for {len(labels)} labels",
                f"Give one for each of {', '.join(labels)}, in this order, or the number of all rows.",
            )
        if min(numbers) < 1:
            raise UsageError(f"{where}.counts.{split}: a number of rows must be above 0, not {min(numbers)}")
