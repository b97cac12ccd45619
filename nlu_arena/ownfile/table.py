"""The rows of one file that can be used: their texts and the names of their labels."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path
from sys import intern
from typing import NamedTuple

from nlu_arena.datafile import DataRow, describe_value, is_blank, list_columns, name_cell, read_rows, text_of
from nlu_arena.errors import UsageError
from nlu_arena.spec import Columns

NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)(e[+-]?\d+)?", re.IGNORECASE)
# Characters of a label: no name of a class is so long, and every screen and prompt shows it.
MAX_LABEL = 200


class FileTable(NamedTuple):
    """Texts, second texts of pairs, and label names, in the order of the file.

    `rows` has the number of each in the file: rows with an empty text are left out, and `empty` has how many
    and `first_empty` the first.
    """

    path: Path
    texts: list[str]
    pairs: list[str] | None
    labels: list[str]
    rows: list[int]
    empty: int = 0
    first_empty: int = 0


def read_table(path: Path, columns: Columns) -> FileTable:
    """Read the columns of a task from a file.

    Raises:
        UsageError: A column is missing, a text is no text, a row has no label, or there is no row to use.
    """
    check_columns(path, columns)
    texts: list[str] = []
    pairs: list[str] = []
    labels: list[str] = []
    numbers: list[int] = []
    empty = first_empty = unlabelled = first_unlabelled = 0
    for row in read_rows(path):
        text = text_of(row, columns.text, path)
        pair = text_of(row, columns.pair, path) if columns.pair else None
        if is_blank(text) or (pair is not None and is_blank(pair)):
            empty, first_empty = empty + 1, first_empty or row.number
            continue
        label = label_of(row, columns.label, path)
        if label is None:
            unlabelled, first_unlabelled = unlabelled + 1, first_unlabelled or row.number
            continue
        texts.append(text)
        if pair is not None:
            pairs.append(pair)
        # A label has few names: one string for all rows that have it.
        labels.append(intern(label))
        numbers.append(row.number)
    if unlabelled:
        rows = f" ({unlabelled:,} such rows in all)" if unlabelled > 1 else ""
        raise UsageError(
            f"{path}, row {first_unlabelled:,}, column {columns.label!r}: no label{rows}",
            "Give every row its label, or take the rows without one out of the file.",
        )
    if not texts:
        said = f": the text of all {empty:,} is empty" if empty else ""
        raise UsageError(f"{path} has no rows to use{said}", "Every split needs at least one example.")
    _refuse_numbers(path, columns.text, texts, numbers)
    _refuse_numbers(path, columns.pair, pairs, numbers)
    return FileTable(path, texts, pairs if columns.pair else None, labels, numbers, empty, first_empty)


def _refuse_numbers(path: Path, column: str, texts: Sequence[str], rows: Sequence[int]) -> None:
    """Refuse a column that is not text: in a CSV file numbers, too, come as texts."""
    if texts and all(NUMBER.fullmatch(text.strip()) for text in texts):
        first = texts[0].strip()[:MAX_LABEL]
        raise UsageError(
            f"{path}, row {rows[0]:,}, column {column!r}: the number {first}, and nothing but numbers in the"
            " whole column, where texts are expected",
            "Name the column of the texts with --text, that of second texts with --text-pair.",
        )


def check_columns(path: Path, columns: Columns) -> None:
    """Check that a file has the columns of a task.

    Raises:
        UsageError: One is missing; the message has those that there are.
    """
    there = list_columns(path)
    wanted = [name for name in (columns.text, columns.pair, columns.label) if name]
    missing = [name for name in wanted if name not in there]
    if missing:
        raise UsageError(
            f"{path}: no column {', '.join(missing)} (it has: {name_columns(there)})", explain_columns(there)
        )


def name_columns(columns: tuple[str, ...]) -> str:
    """List columns for people; of a row that is no header, the beginning is enough."""
    return ", ".join(name if len(name) <= 40 else f"{name[:40]}…" for name in columns[:50])


def explain_columns(columns: tuple[str, ...]) -> str:
    """Say what to do about columns that are not the expected ones."""
    if len(columns) == 1 and ";" in columns[0]:
        return "Its cells seem to be divided by semicolons: save it with commas, or as .tsv with tabs."
    if len(columns) == 1 and "\t" in columns[0]:
        return "Its cells seem to be divided by tabs: name the file .tsv."
    return (
        "Name the columns with --text, --text-pair and --label (in a manifest: `columns`);"
        " the first row of a file has their names."
    )


def label_of(row: DataRow, column: str, path: Path) -> str | None:
    """Return the name of a row's label without spaces around it, None where the cell is empty.

    A whole number is written without a fraction, whatever its type: 4.0 is the label "4".

    Raises:
        UsageError: The cell is a list, an object or another thing that names no label, or is too long.
    """
    name = _name_label(row, column, path)
    if name is not None and len(name) > MAX_LABEL:
        raise UsageError(
            f"{name_cell(path, row, column)}: {len(name):,} characters; a label has at most {MAX_LABEL}",
            "Name the column of the classes with --label; this one looks like free text.",
        )
    return name


def _name_label(row: DataRow, column: str, path: Path) -> str | None:
    value = row.values.get(column)
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float) and math.isfinite(value):
        return str(int(value)) if value.is_integer() else str(value)
    raise UsageError(
        f"{name_cell(path, row, column)}: {describe_value(value)}, which is no label",
        "A label is a text, a whole number, or true or false.",
    )
