"""Reading a task's examples from its source, with label ids mapped by name."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from nlu_arena.errors import RunError
from nlu_arena.paths import starter_dir
from nlu_arena.sample import take_subset
from nlu_arena.spec import Columns, Example, Experiment, HubData, TableData, TaskSpec

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
    subset = experiment.subset
    train = read_split(experiment, None)
    dev = {name: read_split(experiment, name) for name in data_table(experiment).dev}
    return TaskExamples(
        train=take_subset(train, subset.train, subset.seed),
        dev={name: take_subset(rows, subset.dev, subset.seed) for name, rows in dev.items()},
    )


def data_table(experiment: Experiment) -> TableData | HubData:
    """Return where the experiment's source keeps the task's examples."""
    data, source = experiment.task.data, experiment.data.source
    table = {"hub": data.hub, "glue-dir": data.glue_dir, "starter": data.starter, "file": data.file}[source]
    if table is None:
        raise RunError(f"task {experiment.task.name} has no data of source {source!r}")
    return table


def read_split(experiment: Experiment, dev: str | None) -> list[Example]:
    """Read all examples of one dev split, or of train."""
    table = data_table(experiment)
    name = table.train if dev is None else table.dev[dev]
    if isinstance(table, HubData):
        return list(
            parse_rows(read_hub_split(table, name), table.columns, experiment.task, f"{table.repo} {name}")
        )
    root = starter_dir() if experiment.data.source == "starter" else Path(experiment.data.location)
    path = root / table.folder / name
    rows = read_jsonl(path) if path.suffix == ".jsonl" else read_tsv(path)
    return list(parse_rows(rows, table.columns, experiment.task, str(path)))


def read_hub_split(table: HubData, split: str) -> Iterable[Row]:
    """Read one split of a hub data set at its pinned commit, from the standard cache where it is there."""
    import datasets

    loaded = datasets.load_dataset(table.repo, table.config, split=split, revision=table.revision)
    rows: Iterable[Row] = loaded
    return rows


def read_jsonl(path: Path) -> Iterator[Row]:
    """Read one JSON object a line."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def read_tsv(path: Path) -> Iterator[Row]:
    """Read a table of the GLUE download: tabs, a header, quotation marks are plain characters."""
    with path.open(encoding="utf-8-sig", newline="") as lines:
        yield from csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)


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
