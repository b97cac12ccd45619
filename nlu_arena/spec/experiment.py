"""An experiment: model x task x mode x seed plus its settings, and the key that names it."""

from __future__ import annotations

import hashlib
import json
from functools import cached_property
from typing import Any

import msgspec

from nlu_arena.spec.base import PROMPTED_MODES, DataSource, Mode, Precision, Spec
from nlu_arena.spec.model import ModelSpec
from nlu_arena.spec.task import HubData, TaskSpec
from nlu_arena.spec.training import TrainSettings

# Part of every key: raise it when the same settings would give other answers than before.
KEY_VERSION = 1
# The rule by which a dev split is cut (ownfile.cut): a new rule that draws other rows gets a new name.
CUT = "cut-by-text/1"


class DataRef(Spec, frozen=True):
    """Which data an experiment reads: `location` finds it, `identity` names its content."""

    source: DataSource
    location: str
    identity: str


class Subset(Spec, frozen=True):
    """How many rows are used (none: all), drawn as a prefix of one seeded, stratified order."""

    train: int | None = None
    dev: int | None = None
    seed: int = 0


class Experiment(Spec, frozen=True):
    """Model x task x mode x seed plus the settings: the unit of work.

    `precision` is the type the matrix products run in: with full fine-tuning the weights stay float32
    and bfloat16 means autocast, as with a classification head below LoRA; prompted models and the base
    of LoRA through the prompt hold their weights in it. `template` says which variant of the task's prompt
    its task has, empty for the task's own: a name for people, as the prompt itself is in the identity.
    """

    model: ModelSpec
    task: TaskSpec
    mode: Mode
    data: DataRef
    weights_identity: str
    precision: Precision
    seed: int = 42
    subset: Subset = Subset()
    shots: int = 0
    train: TrainSettings | None = None
    template: str = ""

    @cached_property
    def identity(self) -> dict[str, Any]:
        """Everything that can change the answers and is known before anything is read."""
        prompt = {
            "style": self.model.prompt_style,
            "spec": msgspec.to_builtins(self.task.prompt),
            "scoring": "label-loglikelihood/1",
        }
        return {
            "key_version": KEY_VERSION,
            "weights": self.weights_identity,
            "attention": self.model.attention,
            "task": [self.task.name, self.task.version, *self.task.labels],
            "data": self.data.identity,
            "reading": self._reading,
            "subset": msgspec.to_builtins(self.subset),
            "mode": self.mode,
            "shots": self.shots,
            # Nothing is drawn in zero-shot: one answer, whatever the seed.
            "seed": None if self.mode == "zero-shot" else self.seed,
            "prompt": prompt if self.uses_prompt else None,
            "precision": self.precision,
            "train": msgspec.to_builtins(self.train),
        }

    @property
    def _reading(self) -> Any:
        """How the data are read: their columns, and the splits that their identity does not name.

        Those are the hub's, and a dev split that is cut from the training file.
        """
        table = self.task.data.by_source.get(self.data.source)
        if table is None:
            return None
        if isinstance(table, HubData):
            splits: Any = [table.train, table.dev]
        else:
            splits = None if table.split is None else [CUT, msgspec.to_builtins(table.split)]
        columns = table.columns
        # A genre changes no answer: the column that has it is no part of the key.
        return [{"text": columns.text, "label": columns.label, "pair": columns.pair}, splits]

    @cached_property
    def key(self) -> str:
        """A hash of the identity: the same on every machine, device and source of the same bytes."""
        text = json.dumps(self.identity, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def uses_prompt(self) -> bool:
        """Say whether a language model is asked: in the prompted modes, and in LoRA through the prompt."""
        return self.mode in PROMPTED_MODES or self.uses_label_words

    @property
    def uses_label_words(self) -> bool:
        """Say whether LoRA trains and scores through the prompt (a decoder without a classifier head)."""
        lora = self.train.lora if self.train else None
        return self.model.family == "decoder" and lora is not None and lora.head == "label-words"

    @property
    def title(self) -> str:
        """Name the experiment for people: model/task/mode."""
        return f"{self.model.name}/{self.task.name}/{self.mode}"
