"""Reading tables of examples from files, with label ids mapped by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from nlu_arena.dataref import data_table, split_files
from nlu_arena.errors import RunError
from nlu_arena.label_names import parse_label
from nlu_arena.ownfile.notes import Note
from nlu_arena.ownfile.splits import read_splits
from nlu_arena.spec import Columns, DataRef, Example, TaskSpec

Row = Mapping[str, Any]


def read_file_split(task: TaskSpec, ref: DataRef, split: str) -> list[Example]:
    """Read all examples of "train" or of a dev split whose data are files here.

    Raises:
        UsageError: A person's own file has something that cannot be used.
        RunError: The file is no table, has no rows, or a column or a label does not fit the task.
    """
    if ref.source == "file":
        return read_splits(task, ref).examples[split]
    path = split_files(task, ref)[split]
    rows = read_jsonl(path) if path.suffix == ".jsonl" else read_tsv(path)
    try:
        return parse_rows(rows, data_table(task, ref.source).columns, task, str(path))
    except UnicodeDecodeError as error:
        raise RunError(f"{path}: not UTF-8 text", "Save it as UTF-8.") from error


def read_notes(task: TaskSpec, ref: DataRef) -> tuple[Note, ...]:
    """Return what is odd in the splits of a task: known of a person's own files only.

    Raises:
        UsageError: A file has something that cannot be used.
    """
    return read_splits(task, ref).notes if ref.source == "file" else ()


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
    """Read a table of the GLUE download: tabs, a header, quotation marks are plain characters.

    A row that is too short has None in its last columns.
    """
    # Read by hand: the csv module refuses long texts and ends a row at a carriage return inside a text.
    with path.open(encoding="utf-8-sig", newline="\n") as lines:
        header = next(lines, "").rstrip("\r\n").split("\t")
        for line in lines:
            if line.strip():
                fields: list[str | None] = [*line.rstrip("\r\n").split("\t")]
                fields += [None] * (len(header) - len(fields))
                yield dict(zip(header, fields, strict=False))


def parse_rows(rows: Iterable[Row], columns: Columns, task: TaskSpec, origin: str) -> list[Example]:
    """Turn table rows into examples; `origin` names the table in errors.

    Raises:
        RunError: There are no rows; a column, a value or a label is missing or not the task's.
    """
    wanted = [columns.text, columns.label, *([columns.pair] if columns.pair else [])]
    examples: list[Example] = []
    for number, row in enumerate(rows, 1):
        if number == 1:
            _check_header(row, wanted, origin)
        missing = [name for name in wanted if row.get(name) is None]
        if missing:
            raise RunError(f"{origin}, row {number}: no value in column {', '.join(missing)}")
        label = parse_label(row[columns.label], task, f"{origin}, row {number}")
        pair = str(row[columns.pair]) if columns.pair else None
        # Some copies of a data set do not have the column, or have it empty.
        genre = str(row.get(columns.genre) or "").strip() if columns.genre else ""
        examples.append(Example(text=str(row[columns.text]), label=label, pair=pair, genre=genre or None))
    if not examples:
        raise RunError(f"{origin}: the table has no rows", "Every split needs at least one example.")
    return examples


def _check_header(row: Row, wanted: Iterable[str], origin: str) -> None:
    """Find missing columns from the first row: its keys are those of the header."""
    missing = [name for name in wanted if name not in row]
    if missing:
        raise RunError(
            f"{origin}: no column {', '.join(missing)} (it has: {', '.join(row)})",
            "The task's manifest names the columns that are read.",
        )
