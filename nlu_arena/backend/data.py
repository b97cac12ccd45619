"""Reading a task's examples from its source, with label ids mapped by name."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from nlu_arena.census import count_labels
from nlu_arena.dataref import TRAIN, check_unchanged, data_table
from nlu_arena.errors import RunError
from nlu_arena.ownfile.notes import Note
from nlu_arena.sample import take_subset
from nlu_arena.sources import hub_data
from nlu_arena.spec import DataRef, Example, Experiment, HubData, TaskSpec
from nlu_arena.tables import Row, parse_rows, read_file_split, read_notes


class TaskExamples(NamedTuple):
    """The examples an experiment uses: the subset of train, and each dev split in the task's order.

    `counts` has the rows of each label of the whole splits, "train" among them, before the subset is taken;
    `notes` what is odd in the whole splits.
    """

    train: list[Example]
    dev: dict[str, list[Example]]
    counts: dict[str, tuple[int, ...]]
    notes: tuple[Note, ...]


def read_examples(experiment: Experiment) -> TaskExamples:
    """Read the train and dev examples of an experiment and take its subset.

    Raises:
        RunError: A file, a column or a label is missing or does not fit the task.
    """
    task, source, subset = experiment.task, experiment.data.source, experiment.subset
    check_unchanged(task, experiment.data)
    train = read_split(task, experiment.data, TRAIN)
    dev = {name: read_split(task, experiment.data, name) for name in data_table(task, source).dev_splits}
    return TaskExamples(
        train=take_subset(train, subset.train, subset.seed),
        dev={name: take_subset(rows, subset.dev, subset.seed) for name, rows in dev.items()},
        counts={name: count_labels(rows, len(task.labels)) for name, rows in {TRAIN: train, **dev}.items()},
        notes=read_notes(task, experiment.data),
    )


def read_split(task: TaskSpec, ref: DataRef, split: str) -> list[Example]:
    """Read all examples of "train" or of a dev split."""
    table = data_table(task, ref.source)
    if not isinstance(table, HubData):
        return read_file_split(task, ref, split)
    name = table.train if split == TRAIN else table.dev[split]
    return parse_rows(read_hub_split(task, table, name), table.columns, task, f"{table.repo} {name}")


def read_hub_split(task: TaskSpec, table: HubData, split: str) -> Iterator[Row]:
    """Read one split of a hub data set from its snapshot at the pinned commit, never over the network.

    Label ids become the data set's own names where it has some: its order need not be the manifest's.

    Raises:
        RunError: The data are not on this machine, or have no such configuration or split.
    """
    import datasets

    folder = hub_data.data_dir(task, table)
    if folder is None:
        raise RunError(
            f"the data of {task.name} are not on this machine",
            f"Fetch them with: {hub_data.find_repo(task, table).repair}",
        )
    try:
        names = hub_data.list_snapshot(task, table)
        files = {split: hub_data.name_split_files(names, task, table, split)}
        # The split's own files, because the card may name configurations whose files are not here; streamed,
        # because a second cache could give other rows back.
        rows = datasets.load_dataset(str(folder), table.config, data_files=files, split=split, streaming=True)
        yield from _name_labels(rows, table.columns.label)
    except (ValueError, OSError) as error:
        raise RunError(f"{table.repo}: {table.config}, {split} cannot be read: {error}") from error


def _name_labels(rows: Any, column: str) -> Iterator[Row]:
    """Replace the ids of a label column by the names that the data set gives them."""
    import datasets

    feature = (rows.features or {}).get(column)
    if not isinstance(feature, datasets.ClassLabel):
        yield from rows
        return
    names = dict(enumerate(feature.names))
    for row in rows:
        yield {**row, column: names.get(row[column], row[column])}


def fingerprint(examples: Iterable[Example], task: TaskSpec) -> str:
    """Hash the ordered texts and label names: the same for the same split, whatever file it came from."""
    digest = hashlib.sha256()
    for example in examples:
        row = [example.text, example.pair, task.labels[example.label]]
        digest.update(json.dumps(row, ensure_ascii=False).encode() + b"\n")
    return digest.hexdigest()[:16]
