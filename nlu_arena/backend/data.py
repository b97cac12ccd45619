"""Reading a task's examples from its source, with label ids mapped by name."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from nlu_arena.dataref import TRAIN, data_table, split_files
from nlu_arena.errors import RunError
from nlu_arena.sample import take_subset
from nlu_arena.spec import Columns, DataRef, Example, Experiment, HubData, TaskSpec

Row = Mapping[str, Any]


class TaskExamples(NamedTuple):
    """The examples an experiment uses: the subset of train, and each dev split in the task's order."""

    train: list[Example]
    dev: dict[str, list[Example]]


def read_examples(experiment: Experiment) -> TaskExamples:
    """Read the train and dev examples of an experiment and take its subset.

    Raises:
        RunError: A file, a column or a label is missing or does not fit the task.
    """
    task, source, subset = experiment.task, experiment.data.source, experiment.subset
    train = read_split(task, experiment.data, TRAIN)
    dev = {name: read_split(task, experiment.data, name) for name in data_table(task, source).dev}
    return TaskExamples(
        train=take_subset(train, subset.train, subset.seed),
        dev={name: take_subset(rows, subset.dev, subset.seed) for name, rows in dev.items()},
    )


def read_split(task: TaskSpec, ref: DataRef, split: str) -> list[Example]:
    """Read all examples of "train" or of a dev split."""
    table = data_table(task, ref.source)
    if isinstance(table, HubData):
        name = table.train if split == TRAIN else table.dev[split]
        rows, origin = read_hub_split(table, name), f"{table.repo} {name}"
    else:
        path = split_files(task, ref)[split]
        rows, origin = read_jsonl(path) if path.suffix == ".jsonl" else read_tsv(path), str(path)
    return list(parse_rows(rows, table.columns, task, origin))


def read_hub_split(table: HubData, split: str) -> Iterator[Row]:
    """Read one split of a hub data set at its pinned commit, from the standard cache where it is there.

    Label ids become the data set's own names where it has some: its order need not be the manifest's.
    """
    import datasets

    rows = datasets.load_dataset(table.repo, table.config, split=split, revision=table.revision)
    column = table.columns.label
    feature = rows.features.get(column)
    names = dict(enumerate(feature.names)) if isinstance(feature, datasets.ClassLabel) else {}
    for row in rows:
        yield {**row, column: names.get(row.get(column), row.get(column))}


def read_jsonl(path: Path) -> Iterator[Row]:
    """Read one JSON object a line."""
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                yield msgspec.json.decode(line, type=dict[str, Any])
            except msgspec.MsgspecError as error:
                raise RunError(f"{path}, line {number}: not a JSON object: {error}") from error


def read_tsv(path: Path) -> Iterator[Row]:
    """Read a table of the GLUE download: tabs, a header, quotation marks are plain characters."""
    # Read by hand: the csv module refuses long texts and ends a row at a carriage return inside a text.
    with path.open(encoding="utf-8-sig", newline="\n") as lines:
        header = next(lines, "").rstrip("\r\n").split("\t")
        for line in lines:
            if line.strip():
                # A row that is too short lacks its last columns, which is found where they are read.
                yield dict(zip(header, line.rstrip("\r\n").split("\t"), strict=False))


def parse_rows(rows: Iterable[Row], columns: Columns, task: TaskSpec, origin: str) -> Iterator[Example]:
    """Turn table rows into examples; `origin` names the table in errors."""
    for number, row in enumerate(rows, 1):
        wanted = [columns.text, columns.label, *([columns.pair] if columns.pair else [])]
        missing = [name for name in wanted if row.get(name) is None]
        if missing:
            raise RunError(f"{origin}, row {number}: no column {', '.join(missing)}")
        label = parse_label(row[columns.label], task, f"{origin}, row {number}")
        pair = str(row[columns.pair]) if columns.pair else None
        yield Example(text=str(row[columns.text]), label=label, pair=pair)


def parse_label(value: object, task: TaskSpec, origin: str) -> int:
    """Return the id of a label given by name, or by its number in the data set's own label order.

    Names are compared without case: label ids of another order are the classic silent error.
    """
    text = str(value).strip()
    names = [label.lower() for label in task.labels]
    if text.lower() in names:
        return names.index(text.lower())
    if text.isdecimal() and int(text) < len(names):
        return int(text)
    raise RunError(f"{origin}: label {text!r} is none of {', '.join(task.labels)}")


def fingerprint(examples: Iterable[Example], task: TaskSpec) -> str:
    """Hash the ordered texts and label names: the same for the same split, whatever file it came from."""
    digest = hashlib.sha256()
    for example in examples:
        row = [example.text, example.pair, task.labels[example.label]]
        digest.update(json.dumps(row, ensure_ascii=False).encode() + b"\n")
    return digest.hexdigest()[:16]
