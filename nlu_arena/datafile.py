"""A person's file of rows: CSV, TSV, JSONL or Parquet, read in its order with constant memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from nlu_arena.csvfile import read_csv, read_header
from nlu_arena.errors import UsageError
from nlu_arena.jsonlfile import read_jsonl
from nlu_arena.parquetfile import list_parquet_columns, read_parquet
from nlu_arena.tsvfile import choose_reading, read_tsv, read_tsv_header

FORMATS = (".csv", ".tsv", ".jsonl", ".parquet")
COMMA = ","
# No short text is longer: it is a quotation mark that never closes, or a whole file in a cell.
MAX_CELL = 1_000_000


class DataRow(NamedTuple):
    """One row by the names of its columns; `number` counts data rows from 1."""

    number: int
    values: Mapping[str, Any]


def list_columns(path: Path) -> tuple[str, ...]:
    """Return the names of a file's columns: of its header, its schema, or its first object's keys.

    Raises:
        UsageError: It cannot be read, is empty or of another format, or names a column twice.
    """
    ending = _format_of(path)
    with _naming_trouble(path):
        if ending == ".parquet":
            columns = list_parquet_columns(path)
        elif ending == ".jsonl":
            columns = tuple(next(read_jsonl(path), {}))
        elif ending == ".tsv":
            columns = read_tsv_header(path, MAX_CELL)
        else:
            columns = read_header(path, COMMA, MAX_CELL)
    if not columns:
        raise UsageError(f"{path} is empty", "A file of examples has named columns and at least one row.")
    twice = next((name for name in columns if columns.count(name) > 1), None)
    if twice is not None:
        raise UsageError(
            f"{path}: two columns have the name {twice!r}",
            "The first row must be the names of the columns, each of its own.",
        )
    return columns


def read_rows(path: Path) -> Iterator[DataRow]:
    """Read the rows of a file one after the other, in its order.

    Empty lines are no rows; of a CSV or TSV file with one column only they are empty cells.

    Raises:
        UsageError: The file or a row cannot be read; the message names it.
    """
    list_columns(path)
    ending = _format_of(path)
    with _naming_trouble(path):
        if ending == ".parquet":
            rows = read_parquet(path)
        elif ending == ".jsonl":
            rows = read_jsonl(path)
        elif ending == ".tsv":
            rows = read_tsv(path, MAX_CELL)
        else:
            rows = read_csv(path, COMMA, MAX_CELL)
        for number, values in enumerate(rows, 1):
            yield DataRow(number, values)


def note_reading(path: Path) -> str:
    """Say how a file was read where that is not plain to see, "" where it is.

    Raises:
        UsageError: The file cannot be read.
    """
    if _format_of(path) != ".tsv":
        return ""
    with _naming_trouble(path):
        return choose_reading(path, MAX_CELL).note


def whole_path(path: Path) -> Path:
    """Return the absolute path of a file, ~ replaced by the user's folder.

    Raises:
        UsageError: There is no such user, or the path is no text that could be recorded.
    """
    try:
        expanded = path.expanduser()
    except RuntimeError as error:
        raise UsageError(f"{path}: there is no user {path.parts[0][1:]!r}", "Give the whole path.") from error
    try:
        whole = expanded.resolve()
        str(whole).encode()
    except RuntimeError as error:
        raise UsageError(f"{path} is a link that leads back to itself") from error
    except UnicodeEncodeError as error:
        raise UsageError(
            f"the name of {whole} is not UTF-8, and cannot be recorded", "Rename the file, or its folder."
        ) from error
    return whole


def is_blank(text: str) -> bool:
    """Say whether a text has nothing but white space."""
    return not text or text.isspace()


def text_of(row: DataRow, column: str, path: Path) -> str:
    """Return a cell that must be a text; one without a value is the empty text.

    Raises:
        UsageError: It is a number, a list or an object, or too long.
    """
    value = row.values.get(column)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise UsageError(
            f"{name_cell(path, row, column)}: {describe_value(value)}, where a text is expected",
            "Name the column of the texts, or store them as text.",
        )
    if len(value) > MAX_CELL:
        raise UsageError(
            f"{name_cell(path, row, column)}: {len(value):,} characters; at most {MAX_CELL:,} are read",
            "Shorten the text, or leave the row out.",
        )
    return value


def name_cell(path: Path, row: DataRow, column: str) -> str:
    """Say for an error where a cell is."""
    return f"{path}, row {row.number:,}, column {column!r}"


def describe_value(value: object) -> str:
    """Say for people what kind of value a cell has."""
    if isinstance(value, bool):
        return f"the truth value {str(value).lower()}"
    if isinstance(value, int | float):
        return f"the number {value}"
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, Sequence) and not isinstance(value, bytes | str):
        return "a list"
    return f"a value of type {type(value).__name__}"


def _format_of(path: Path) -> str:
    with _naming_trouble(path):
        if path.is_dir():
            raise UsageError(f"{path} is a folder", f"Name a file in it: {', '.join(FORMATS)}.")
    ending = path.suffix.lower()
    if ending not in FORMATS:
        raise UsageError(
            f"{path}: {ending or 'a name without an ending'} is no format that can be read",
            f"Save it as one of {', '.join(FORMATS)}.",
        )
    return ending


@contextmanager
def _naming_trouble(path: Path) -> Iterator[None]:
    """Turn what the system says of a file into an error that names it."""
    try:
        yield
    except FileNotFoundError as error:
        raise UsageError(f"there is no file {path}", f"Files of {', '.join(FORMATS)} are read.") from error
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}") from error
