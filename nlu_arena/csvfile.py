"""Cells in quotation marks as in RFC 4180, in UTF-8, and what is wrong named by its row."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TextIO

from nlu_arena.errors import UsageError

NO_LIMIT = 2**31 - 1
NOT_UTF8 = "Save it as UTF-8: of Excel's formats that is `CSV UTF-8`."
UNCLOSED = "Usually a quotation mark is never closed; one inside a quoted cell is written twice."


def read_header(path: Path, delimiter: str, max_cell: int) -> tuple[str, ...]:
    """Return the cells of the first row, none for an empty file.

    Raises:
        UsageError: It is no text in UTF-8, or its quoting is broken.
        OSError: The file cannot be read.
    """
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        return tuple(next(_Table(path, file, delimiter, max_cell).records(), ()))


def read_csv(path: Path, delimiter: str, max_cell: int) -> Iterator[Mapping[str, str]]:
    """Read the rows below the header.

    Empty lines are no rows; where there is one column only, they are empty cells.

    Args:
        path: The file; a byte-order mark is no part of its first name.
        delimiter: What stands between two cells.
        max_cell: The most characters of a cell.

    Raises:
        UsageError: A row has not the header's cells, is no UTF-8, or its quoting is broken.
        OSError: The file cannot be read.
    """
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        table = _Table(path, file, delimiter, max_cell)
        records = table.records()
        header = next(records, [])
        for record in records:
            if len(record) != len(header):
                raise table.wrong_width(record)
            yield dict(zip(header, record, strict=True))


def refuse_wide_text(path: Path, start: bytes) -> None:
    """Refuse UTF-16 and UTF-32, which are known by their mark or by a zero byte beside a plain sign.

    Raises:
        UsageError: The first bytes of the file are not those of UTF-8.
    """
    if start.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in start[:4]:
        raise UsageError(f"{path} is text in UTF-16 or UTF-32, or no text at all", NOT_UTF8)


def describe_width(record: Sequence[str], header: Sequence[str]) -> str:
    """Say what is wrong with a row that has not the header's cells."""
    cells, columns = len(record), len(header)
    if cells < columns:
        return f"no cell for column {header[cells]!r} ({cells} of {columns} cells)"
    return f"no column for the cell {record[columns][:40]!r} ({cells} cells, {columns} columns)"


def is_whole(text: str) -> bool:
    """Say whether a text has no lone surrogates: the bytes that were no UTF-8 have become such."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class _Table:
    """Reads records and remembers the lines of the present one: they show where in it something is wrong."""

    def __init__(self, path: Path, file: TextIO, delimiter: str, max_cell: int) -> None:
        self._path = path
        self._file = file
        self._delimiter = delimiter
        self._max_cell = max_cell
        self._header: list[str] = []
        self._row = 0  # The header; data rows count from 1.
        self._line = 0
        self._lines: list[str] = []
        self._is_lost = False

    def records(self) -> Iterator[list[str]]:
        """Read the header and all rows."""
        with self._path.open("rb") as start:
            refuse_wide_text(self._path, start.read(4))
        # The limit is the process's, and the default of 131,072 is below ours.
        csv.field_size_limit(self._max_cell)
        reader = csv.reader(self._read_lines(), delimiter=self._delimiter, strict=True)
        while True:
            self._lines.clear()
            try:
                record = next(reader, None)
            except csv.Error as error:
                raise self._broken(str(error)) from error
            if record is None:
                return
            if self._is_lost:
                raise self._lost(record)
            if record or len(self._header) == 1:
                self._header = self._header or record
                yield record or [""]
                self._row += 1

    def wrong_width(self, record: Sequence[str]) -> UsageError:
        """Return the error for a row that has not the header's cells."""
        return UsageError(
            f"{self._place}: {describe_width(record, self._header)}",
            "A cell that has a delimiter, a quotation mark or a line break in it stands in quotation marks.",
        )

    def _read_lines(self) -> Iterator[str]:
        for line in self._file:
            self._line += 1
            self._lines.append(line)
            # Invalid bytes were made lone surrogates, so that reading comes to the row that has them.
            if not (line.isascii() or is_whole(line)):
                self._is_lost = True
            yield line

    @property
    def _place(self) -> str:
        first = self._line - len(self._lines) + 1
        row = f"row {self._row:,}" if self._row else "the header"
        return f"{self._path}, {row} (line {first:,})"

    def _broken(self, problem: str) -> UsageError:
        cells = self._read_leniently()
        too_long = [place for place, cell in enumerate(cells) if len(cell) > self._max_cell]
        column = self._column((too_long or [len(cells) - 1])[0])
        if too_long:
            text = f"a cell of more than {self._max_cell:,} characters"
            return UsageError(f"{self._place}, {column}: {text}", UNCLOSED)
        if problem == "unexpected end of data":
            text = "a quotation mark opens here and is open at the end of the file"
            return UsageError(f"{self._place}, {column}: {text}", UNCLOSED)
        return UsageError(f"{self._place}: a text goes on after its closing quotation mark", UNCLOSED)

    def _read_leniently(self) -> list[str]:
        csv.field_size_limit(NO_LIMIT)
        try:
            return next(csv.reader(self._lines, delimiter=self._delimiter), [])
        finally:
            csv.field_size_limit(self._max_cell)

    def _lost(self, record: Sequence[str]) -> UsageError:
        place = next(place for place, cell in enumerate(record) if not is_whole(cell))
        return UsageError(f"{self._place}, {self._column(place)}: not UTF-8 text", NOT_UTF8)

    def _column(self, place: int) -> str:
        return f"column {self._header[place]!r}" if place < len(self._header) else f"cell {place + 1}"
