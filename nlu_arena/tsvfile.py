"""TSV files: cells in quotation marks, or quotation marks as plain characters, whichever the file fits."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from nlu_arena.csvfile import NOT_UTF8, describe_width, is_whole, read_csv, read_header, refuse_wide_text
from nlu_arena.errors import UsageError

TAB = "\t"
# Where no cell begins with a quotation mark, both readings are the same.
OPENING = re.compile(rb'[\t\r\n]"')
ENCLOSED = re.compile(r'".*"')
BLOCK = 1 << 20
CLEAR_FORMS = (
    "Save it as .jsonl or .parquet; or enclose each cell that begins with a quotation mark in such marks, and"
    " write those inside it twice."
)


class Reading(NamedTuple):
    """How the quotation marks of a file are read, and what a person should know of it, if anything."""

    is_plain: bool
    note: str = ""


def read_tsv_header(path: Path, max_cell: int) -> tuple[str, ...]:
    """Return the cells of the first row, none for an empty file.

    Raises:
        UsageError: It is no text in UTF-8, or fits neither reading, or both.
        OSError: The file cannot be read.
    """
    if choose_reading(path, max_cell).is_plain:
        return tuple(next(_read_plain(path, max_cell), ()))
    return read_header(path, TAB, max_cell)


def read_tsv(path: Path, max_cell: int) -> Iterator[Mapping[str, str]]:
    """Read the rows below the header; empty lines are rows where there is one column only.

    Args:
        path: The file.
        max_cell: The most characters of a cell.

    Raises:
        UsageError: It is no text in UTF-8, or fits neither reading, or both.
        OSError: The file cannot be read.
    """
    if not choose_reading(path, max_cell).is_plain:
        yield from read_csv(path, TAB, max_cell)
        return
    records = _read_plain(path, max_cell)
    header = next(records, [])
    for record in records:
        yield dict(zip(header, record, strict=True))


def choose_reading(path: Path, max_cell: int) -> Reading:
    """Find out whether quotation marks enclose the cells of a file, or are characters as in GLUE's files.

    They enclose cells as in RFC 4180 where the whole file fits that. Otherwise they are plain, if then every
    line has exactly the header's cells.

    Raises:
        UsageError: Neither fits, or both do and give different numbers of rows: an open quotation mark
            swallows the rows up to the next one.
        OSError: The file cannot be read.
    """
    state = path.stat()
    return _choose(path, state.st_size, state.st_mtime_ns, max_cell)


@lru_cache(maxsize=8)
def _choose(path: Path, _size: int, _changed: int, max_cell: int) -> Reading:
    """Choose once as long as the file does not change: it is read as a whole for it."""
    with path.open("rb") as start:
        refuse_wide_text(path, start.read(4))
    if not _has_opening_mark(path):
        return Reading(is_plain=False)
    quoted = _try_quoted(path, max_cell)
    plain = _try_plain(path, max_cell)
    if isinstance(plain, UsageError):
        if isinstance(quoted, _Quoted):
            return Reading(False, quoted.describe())
        if plain.hint == NOT_UTF8:
            raise plain
        also = f"With quotation marks as plain characters it does not fit either: {plain.message}."
        raise UsageError(quoted.message, f"{also} {CLEAR_FORMS}")
    if isinstance(quoted, UsageError):
        why = quoted.message.removeprefix(f"{path}, ")
        return Reading(True, f"quotation marks are read as plain characters: they enclose no cells ({why})")
    if quoted.rows != plain:
        spans = f" (row {quoted.first:,} goes over several lines)" if quoted.first else ""
        raise UsageError(
            f"{path} can be read in two ways: where quotation marks enclose cells it has {quoted.rows:,} rows"
            f"{spans}, where they are plain characters {plain:,}",
            CLEAR_FORMS,
        )
    return Reading(is_plain=False)


class _Quoted(NamedTuple):
    """What a file has with cells in quotation marks: `spanning` ones have a tab or a line break in them."""

    rows: int
    spanning: int
    first: int

    def describe(self) -> str:
        if not self.spanning:
            return ""
        cells = "1 quoted cell has" if self.spanning == 1 else f"{self.spanning:,} quoted cells have"
        first = "" if self.spanning == 1 else "the first is "
        return f"{cells} a tab or a line break in it ({first}in row {self.first:,})"


def _has_opening_mark(path: Path) -> bool:
    with path.open("rb") as file:
        before = b"\n"
        block = file.read(BLOCK).removeprefix(b"\xef\xbb\xbf")
        while block:
            if OPENING.search(before + block):
                return True
            before = block[-1:]
            block = file.read(BLOCK)
    return False


def _try_quoted(path: Path, max_cell: int) -> _Quoted | UsageError:
    rows = spanning = first = 0
    try:
        for row in read_csv(path, TAB, max_cell):
            rows += 1
            spans = sum(not {TAB, "\n", "\r"}.isdisjoint(cell) for cell in row.values())
            if spans:
                spanning, first = spanning + spans, first or rows
    except UsageError as error:
        return error
    return _Quoted(rows, spanning, first)


def _try_plain(path: Path, max_cell: int) -> int | UsageError:
    try:
        return sum(1 for _ in islice(_read_plain(path, max_cell), 1, None))
    except UsageError as error:
        return error


def _read_plain(path: Path, max_cell: int) -> Iterator[list[str]]:
    """Read the header and all rows, one a line; a carriage return inside a line is part of its cell."""
    header: list[str] = []
    row = 0
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="\n") as file:
        for number, line in enumerate(file, 1):
            text = line.removesuffix("\n").removesuffix("\r")
            if not text and len(header) != 1:
                continue
            cells = text.split(TAB)
            place = f"{path}, {f'row {row:,}' if row else 'the header'} (line {number:,})"
            if not header and any(ENCLOSED.fullmatch(cell) for cell in cells):
                raise UsageError(f"{place}: the names of the columns stand in quotation marks")
            header = header or cells
            if not (text.isascii() or is_whole(text)):
                raise UsageError(f"{place}: not UTF-8 text", NOT_UTF8)
            if len(cells) != len(header):
                raise UsageError(f"{place}: {describe_width(cells, header)}")
            if len(text) > max_cell and max(map(len, cells)) > max_cell:
                raise UsageError(f"{place}: a cell of more than {max_cell:,} characters")
            yield cells
            row += 1
