"""A task as its manifest describes it: labels, prompt, and where its examples are."""

from __future__ import annotations

import msgspec

from nlu_arena.spec.base import DataSource, Mode, Spec
from nlu_arena.spec.training import TrainOverrides


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


class PromptVariant(Spec, frozen=True):
    """What a variant of a task's prompt says in place of the task's own prompt; what is None stays."""

    instruction: str | None = None
    template: str | None = None
    cue: str | None = None
    words: dict[str, str] | None = None


class Columns(Spec, frozen=True):
    """The names of the columns of a table of examples; no `pair` for single texts.

    `genre` says where a text is from, in some tables of a data set; it changes no answer.
    """

    text: str
    label: str
    pair: str = ""
    genre: str = ""


class HubData(Spec, frozen=True):
    """A data set on the hub at a pinned commit; `dev` maps our split names to its own."""

    repo: str
    revision: str
    config: str
    columns: Columns
    train: str
    dev: dict[str, str]

    @property
    def dev_splits(self) -> tuple[str, ...]:
        """Return our names of the dev splits."""
        return tuple(self.dev)


class DevSplit(Spec, frozen=True):
    """How a dev split is cut from the training file: a share of each label's rows, drawn by a seed."""

    share: float = 0.2
    seed: int = 42

    def __post_init__(self) -> None:
        """Refuse a share that leaves less for training than for scoring."""
        if not 0 < self.share <= 0.5:
            raise ValueError(f"split.share is a part of the rows, above 0 and at most 0.5, not {self.share}")


class TableData(Spec, frozen=True):
    """Files in one folder, read by their ending; `dev` maps our split names to files.

    Without dev files, `split` says how the split "dev" is cut from the training file.
    """

    folder: str
    columns: Columns
    train: str
    dev: dict[str, str] = {}
    split: DevSplit | None = None

    @property
    def dev_splits(self) -> tuple[str, ...]:
        """Return our names of the dev splits."""
        return tuple(self.dev) if self.split is None else ("dev",)


class TaskData(Spec, frozen=True):
    """Where a task's examples are, for each source that has them."""

    hub: HubData | None = None
    glue_dir: TableData | None = msgspec.field(default=None, name="glue-dir")
    starter: TableData | None = None
    file: TableData | None = None

    @property
    def by_source(self) -> dict[DataSource, HubData | TableData]:
        """Return the places that the manifest names, by their source."""
        places: dict[DataSource, HubData | TableData | None] = {
            "hub": self.hub,
            "glue-dir": self.glue_dir,
            "starter": self.starter,
            "file": self.file,
        }
        return {source: place for source, place in places.items() if place is not None}


class Published(Spec, frozen=True):
    """A data set that others know by its name, and what is counted in its splits.

    `counts` has for "train" and our dev splits the number of rows, or the rows of each label in the order
    of the task's labels.
    """

    name: str
    counts: dict[str, int | tuple[int, ...]]


class TaskSpec(Spec, frozen=True):
    """A classification task as its manifest describes it; the order of `labels` gives the label ids.

    `templates` has the variants of its prompt by name. The task of an experiment has none, and its prompt is
    the one that is used.
    """

    name: str
    title: str
    type: str
    labels: tuple[str, ...]
    train_rows: int
    difficulty: str
    licence: str
    prompt: PromptSpec
    data: TaskData
    templates: dict[str, PromptVariant] = {}
    published: Published | None = None
    version: int = 1
    aliases: tuple[str, ...] = ()
    train: dict[Mode, TrainOverrides] = {}

    @property
    def is_pair(self) -> bool:
        """Say whether an example is two texts."""
        return "{pair}" in self.prompt.template

    @property
    def published_rows(self) -> dict[str, int]:
        """Return the published number of rows by split, empty where nothing is published."""
        counts = self.published.counts if self.published else {}
        return {split: count if isinstance(count, int) else sum(count) for split, count in counts.items()}
