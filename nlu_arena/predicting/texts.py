"""The file to label: its columns, a first look at every row, and its rows in chunks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from nlu_arena.datafile import DataRow, is_blank, list_columns, read_rows, text_of
from nlu_arena.errors import UsageError
from nlu_arena.naming import suggest
from nlu_arena.spec import Example, Experiment

# Enough for several batches of a GPU, and little memory; long texts end a chunk sooner.
CHUNK_ROWS = 256
CHUNK_CHARACTERS = 1_000_000


class TextColumns(NamedTuple):
    """The columns that hold the texts; no `pair` for single texts."""

    text: str
    pair: str | None = None


class Survey(NamedTuple):
    """What a file holds: how many rows, the characters of their texts, and the values of each column.

    `empty` rows, the first of which is `first_empty`, have no text, or not both of a pair. `types` has each
    column's name in the file's order with the types of value met there: str, bool, int (of 64 bits), float,
    or object for anything else. Cells without a value do not count.
    """

    rows: int
    characters: int
    types: dict[str, set[type]]
    empty: int = 0
    first_empty: int = 0

    @property
    def texts(self) -> int:
        """Return how many rows are to be labelled."""
        return self.rows - self.empty


class Chunk(NamedTuple):
    """Some rows of the file in its order, each with its text to label, None where it has no text."""

    rows: list[DataRow]
    texts: list[Example | None]

    @property
    def examples(self) -> list[Example]:
        """Return the texts to label."""
        return [text for text in self.texts if text is not None]


def choose_columns(path: Path, experiment: Experiment, text: str | None, pair: str | None) -> TextColumns:
    """Return the columns of a file that hold an experiment's texts.

    Args:
        path: The file.
        experiment: Its data's columns are looked for, then "text" and "pair".
        text: The column that is named instead.
        pair: The column of the second text that is named instead.

    Raises:
        UsageError: The file does not have the column, it is named for both texts, or the task has no second
            text.
    """
    columns = list_columns(path)
    table = experiment.task.data.by_source.get(experiment.data.source)
    usual = table.columns if table else None
    first = _choose(path, columns, "--text", text, (usual.text if usual else "", "text"))
    if experiment.task.is_pair:
        known = (usual.pair if usual else "", "pair")
        second = _choose(path, columns, "--text-pair", pair, known)
        if second == first:
            raise UsageError(
                f"one column cannot be both texts of a pair: {first!r}",
                "--text and --text-pair name different columns.",
            )
        return TextColumns(first, second)
    if pair is not None:
        raise UsageError(
            f"--text-pair {pair}: the task {experiment.task.name} is about single texts",
            "Leave --text-pair out, or name a run on pairs.",
        )
    return TextColumns(first)


def take_survey(path: Path, columns: TextColumns) -> Survey:
    """Read every row once: one that cannot be labelled is found before the work, not hours into it.

    Raises:
        UsageError: The file or a row cannot be read, a text is none, or there are no rows with one.
    """
    rows = characters = empty = first_empty = 0
    types: dict[str, set[type]] = {name: set() for name in list_columns(path)}
    for row in read_rows(path):
        rows += 1
        example = _example(row, columns, path)
        if example is None:
            empty, first_empty = empty + 1, first_empty or row.number
        else:
            characters += _size(example)
        for name, value in row.values.items():
            # The objects of JSON lines need not all have the same names.
            types.setdefault(name, set()).update(_types_of(value))
    if not rows:
        raise UsageError(f"{path} has no rows to label", "There are only the names of its columns.")
    if empty == rows:
        raise UsageError(
            f"{path} has no texts to label: the text of all {rows:,} rows is empty",
            "Name the column of the texts with --text.",
        )
    return Survey(rows, characters, types, empty, first_empty)


def read_chunks(path: Path, columns: TextColumns) -> Iterator[Chunk]:
    """Read a file's rows in chunks, in its order.

    Raises:
        UsageError: A row cannot be read any more.
    """
    chunk, characters = Chunk([], []), 0
    for row in read_rows(path):
        example = _example(row, columns, path)
        chunk.rows.append(row)
        chunk.texts.append(example)
        characters += _size(example) if example is not None else 0
        if len(chunk.rows) == CHUNK_ROWS or characters >= CHUNK_CHARACTERS:
            yield chunk
            chunk, characters = Chunk([], []), 0
    if chunk.rows:
        yield chunk


def _choose(
    path: Path, columns: tuple[str, ...], option: str, named: str | None, usual: tuple[str, ...]
) -> str:
    known = (named,) if named is not None else usual
    for name in known:
        if name in columns:
            return name
    if named is not None:
        raise UsageError(f"{path} has no column {named!r}", suggest(named, columns))
    looked_for = " or ".join(repr(name) for name in dict.fromkeys(usual) if name)
    raise UsageError(
        f"{path} has no column {looked_for}", f"Name it with {option} COLUMN; there is {', '.join(columns)}."
    )


def _example(row: DataRow, columns: TextColumns, path: Path) -> Example | None:
    """Return a row's text or texts, None where one is empty."""
    text = text_of(row, columns.text, path)
    pair = None if columns.pair is None else text_of(row, columns.pair, path)
    if is_blank(text) or (pair is not None and is_blank(pair)):
        return None
    # The label's place has no meaning here: nobody knows it yet.
    return Example(text=text, label=0, pair=pair)


def _size(example: Example) -> int:
    return len(example.text) + len(example.pair or "")


def _types_of(value: Any) -> set[type]:
    if value is None:
        return set()
    kind = type(value)
    if kind is int and not -(2**63) <= value < 2**63:
        return {object}
    return {kind} if kind in (str, bool, int, float) else {object}
