"""The splits of a task whose data are a person's files: read once in a process, with what is odd in them."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from nlu_arena.dataref import TRAIN, split_files
from nlu_arena.errors import UsageError
from nlu_arena.label_names import LabelNames
from nlu_arena.ownfile.cut import cut_dev
from nlu_arena.ownfile.labels import SHOWN_LABELS, look_like_amounts, show_label, show_labels
from nlu_arena.ownfile.notes import (
    USES_TRAIN,
    Note,
    note_contradictions,
    note_dev,
    note_file,
    note_labels,
    note_unscored,
)
from nlu_arena.ownfile.table import FileTable, read_table
from nlu_arena.sample import normalise
from nlu_arena.spec import MODES, DataRef, DevSplit, Example, TableData, TaskSpec


class FileSplits(NamedTuple):
    """Examples by split, "train" first, and what a person should know of them."""

    examples: dict[str, list[Example]]
    notes: tuple[Note, ...]


_lock = threading.Lock()
_latest: dict[object, FileSplits] = {}


def read_splits(task: TaskSpec, ref: DataRef) -> FileSplits:
    """Read all splits of a task with files of its own; the latest ones are kept.

    Raises:
        UsageError: A file or a row cannot be used; the message names file, row and column.
    """
    table = _table_of(task)
    with _lock:
        key = _key_of(task, ref)
        if key in _latest:
            return _latest[key]
        files = {split: read_table(path, table.columns) for split, path in split_files(task, ref).items()}
        return _keep(key, arrange(files, task.labels, table))


def remember(task: TaskSpec, ref: DataRef, splits: FileSplits) -> None:
    """Keep the splits that were read while a task was drafted from its file."""
    with _lock:
        _keep(_key_of(task, ref), splits)


def _keep(key: object, splits: FileSplits) -> FileSplits:
    # One at a time: a worker reads the tasks of a plan one after the other, and a file may be large.
    _latest.clear()
    _latest[key] = splits
    return splits


def _key_of(task: TaskSpec, ref: DataRef) -> object:
    return ref.identity, ref.location, task.labels, msgspec.json.encode(task.data.file)


def _table_of(task: TaskSpec) -> TableData:
    if task.data.file is None:
        raise UsageError(f"the task {task.name} has no files of its own")
    return task.data.file


def arrange(files: Mapping[str, FileTable], labels: Sequence[str], table: TableData) -> FileSplits:
    """Turn the rows of files into examples by split, the dev split cut from train where the table says so.

    Args:
        files: What was read, by split, "train" first.
        labels: The task's labels, whose places are the label ids.
        table: Where the columns and the split are.

    Raises:
        UsageError: A row has a label that is none of the task's, or that no training row has.
    """
    names = LabelNames(labels)
    examples = {split: _label_rows(file, names, labels, table) for split, file in files.items()}
    keys = {split: list(map(normalise, rows)) for split, rows in examples.items()}
    notes = note_labels(files[TRAIN].path, labels)
    for split, file in files.items():
        notes += note_file(file, USES_TRAIN if split == TRAIN and table.split is None else MODES)
    if table.split is not None:
        examples, keys = _cut(examples[TRAIN], keys[TRAIN], table.split)
    _check_learnable(examples, files, labels, table)
    notes += note_contradictions(files.values(), examples, keys)
    for split in (split for split in examples if split != TRAIN):
        origin = files.get(split, files[TRAIN]).path
        notes += note_dev(origin, split, keys[split], keys[TRAIN])
        notes += note_unscored(origin, split, examples[split], labels)
    return FileSplits(examples, tuple(notes))


def _label_rows(file: FileTable, names: LabelNames, labels: Sequence[str], table: TableData) -> list[Example]:
    ids = {name: names.find(name) for name in set(file.labels)}
    if None in ids.values():
        place = next(place for place, name in enumerate(file.labels) if ids[name] is None)
        where = f"{file.path}, row {file.rows[place]:,}, column {table.columns.label!r}"
        name, known = file.labels[place], show_labels(labels, SHOWN_LABELS)
        remark = " A number, too, is a name, and never the place of a label." if name.isdecimal() else ""
        raise UsageError(
            f"{where}: label {show_label(name)!r} is none of {known}",
            f"Correct the row, or the labels in the task's manifest.{remark}",
        )
    numbers = [number for name in file.labels if (number := ids[name]) is not None]
    pairs: Sequence[str | None] = file.pairs if file.pairs is not None else [None] * len(file.texts)
    rows = zip(file.texts, numbers, pairs, strict=True)
    return [Example(text, label, pair) for text, label, pair in rows]


def _cut(
    rows: Sequence[Example], keys: Sequence[str], split: DevSplit
) -> tuple[dict[str, list[Example]], dict[str, list[str]]]:
    """Return the examples and their normalised texts, by split."""
    in_dev = cut_dev(keys, [example.label for example in rows], split)
    examples: dict[str, list[Example]] = {TRAIN: [], "dev": []}
    texts: dict[str, list[str]] = {TRAIN: [], "dev": []}
    for example, key, is_dev in zip(rows, keys, in_dev, strict=True):
        side = "dev" if is_dev else TRAIN
        examples[side].append(example)
        texts[side].append(key)
    return examples, texts


def _check_learnable(
    examples: Mapping[str, Sequence[Example]],
    files: Mapping[str, FileTable],
    labels: Sequence[str],
    table: TableData,
) -> None:
    """Refuse a dev split with a label that no training row has, and one without rows."""
    trained = {example.label for example in examples[TRAIN]}
    for split, rows in examples.items():
        if not rows:
            looks = "; most labels are fractions: is it a regression?" if look_like_amounts(labels) else ""
            raise UsageError(
                f"{files[TRAIN].path}: no row can be spared for the dev split{looks}",
                "It takes a label with two different texts; or give a file of its own with --dev FILE.",
            )
        place = next((place for place, row in enumerate(rows) if row.label not in trained), None)
        if place is not None:
            file = files[split]
            raise UsageError(
                f"{file.path}, row {file.rows[place]:,}, column {table.columns.label!r}: no training row has"
                f" the label {show_label(labels[rows[place].label])!r}",
                f"Add rows with it to {files[TRAIN].path}, or take it out of the dev file.",
            )
