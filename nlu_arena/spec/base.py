"""What all nouns share, and the words for modes, families, sources and precisions."""

from __future__ import annotations

from typing import Literal, get_args

import msgspec

Mode = Literal["fine-tune", "zero-shot", "few-shot", "lora"]
Family = Literal["encoder", "decoder"]
PromptStyle = Literal["plain", "chat"]
DataSource = Literal["starter", "hub", "glue-dir", "file"]
Precision = Literal["float32", "bfloat16"]
LoraHead = Literal["label-words", "classifier"]

MODES: tuple[Mode, ...] = get_args(Mode)
MODES_OF_FAMILY: dict[Family, tuple[Mode, ...]] = {
    "encoder": ("fine-tune", "lora"),
    "decoder": ("fine-tune", "zero-shot", "few-shot", "lora"),
}
PROMPTED_MODES: tuple[Mode, ...] = ("zero-shot", "few-shot")
TRAINED_MODES: tuple[Mode, ...] = ("fine-tune", "lora")


class Spec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, dict=True):
    """A frozen record that refuses unknown keys and wrong types when it is read."""
