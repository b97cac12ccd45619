"""Training settings: the defaults of a mode, then what model, task and profile change, each over the last."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from typing import Any

from nlu_arena.errors import UsageError
from nlu_arena.manifest import convert
from nlu_arena.spec import Family, LoraHead, Mode, ModelSpec, TaskSpec, TrainSettings

# In a model's `train.<mode>`: a table of tasks, each with what this model changes on that task alone.
BY_TASK = "tasks"

# The name of a setting on the command line: train.lr, train.lora.rank.
SETTING = re.compile(r"[a-z_]+\.[a-z_]+(\.[a-z_]+)?")

# Adapters start from zero and are few, so they take a rate ten times that of full fine-tuning and
# settle within an epoch on large sets (a judgement from published recipes for Qwen2.5 of this size).
# The length is that of a prompt: the instruction and the chat turns come on top of the text.
LORA_DEFAULTS: dict[str, Any] = {"epochs": 1, "lr": 2e-4, "max_length": 256}
# The tokens that BERT and its like can read.
ENCODER_POSITIONS = 512


def resolve_train(
    family: Family, mode: Mode, overrides: list[Mapping[str, Any]], where: str
) -> TrainSettings:
    """Return the settings of one training.

    Args:
        family: An encoder's LoRA trains a classifier head: it has no label words to score.
        mode: "fine-tune" or "lora".
        overrides: Tables with keys of TrainSettings, the strongest last; `lora` is merged key by key.
        where: What an error message names.

    Raises:
        UsageError: An unknown key, a wrong type, or a value that cannot train.
    """
    merged: dict[str, Any] = {}
    if mode == "lora":
        head: LoraHead = "classifier" if family == "encoder" else "label-words"
        merged = LORA_DEFAULTS | {"lora": {"head": head}}
    for override in overrides:
        merged = merge_settings(merged, override)
    settings = convert(merged, TrainSettings, where)
    if mode != "lora" and settings.lora is not None:
        raise UsageError(f"{where}: `lora` has no meaning in mode {mode}", "Move it to the settings of lora.")
    if family == "encoder" and settings.lora is not None and settings.lora.head == "label-words":
        raise UsageError(
            f"{where}: an encoder has no label words to train with", 'Leave `head` out or say "classifier".'
        )
    return settings


def manifest_overrides(model: ModelSpec, task: TaskSpec, mode: Mode) -> list[Mapping[str, Any]]:
    """Return what the manifests change for a mode: the model's, the task's, the model's on this task."""
    by_model = dict(model.train.get(mode, {}))
    by_task = by_model.pop(BY_TASK, {})
    of_task = dict(task.train.get(mode, {}))
    if model.family == "encoder" and mode == "lora" and "max_length" in of_task:
        # What a task asks for has room for an instruction, which a classification head does not read.
        of_task["max_length"] = min(of_task["max_length"], ENCODER_POSITIONS)
    return [by_model, of_task, by_task.get(task.name, {})]


def read_settings(texts: Iterable[str]) -> dict[str, Any]:
    """Read changes such as "train.lr=1e-5" or "train.lora.head=classifier" into nested tables.

    Raises:
        UsageError: A text is not of this form, or names something other than a training setting.
    """
    read: dict[str, Any] = {}
    for text in texts:
        key, is_pair, value = (part.strip() for part in text.partition("="))
        if not is_pair or not SETTING.fullmatch(key) or not value:
            raise UsageError(f"--set {text!r} is not a setting", "Write it as --set train.lr=1e-5.")
        if not key.startswith("train."):
            raise UsageError(
                f"--set {key}: only training settings can be set", "Their names begin with `train.`."
            )
        _, table, *inner = key.split(".")
        setting = {inner[0]: _read_value(value)} if inner else _read_value(value)
        read["train"] = merge_settings(read.get("train", {}), {table: setting})
    return read


def _read_value(text: str) -> Any:
    """Read a number or a truth value as TOML does; anything else is a text."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def merge_settings(base: Mapping[str, Any], override: Mapping[str, Any]) -> dict[str, Any]:
    """Return base with the override's values, tables merged one level down."""
    merged = dict(base)
    for key, value in override.items():
        old = merged.get(key)
        merged[key] = {**old, **value} if isinstance(old, dict) and isinstance(value, Mapping) else value
    return merged
