"""A list of records as a table for people."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.padding import Padding
from rich.text import Text

from nlu_arena.views.text import clean
from nlu_arena.views.tsv import Record

GAP = 2


class Column(NamedTuple):
    """One value of each record: its key, how people read it, and where it stands in a table.

    A `detail` is shown below the record's line, where a long text does not widen the table.
    """

    key: str
    show: Callable[[Any], str] = str
    right: bool = False
    detail: bool = False


class Sheet:
    """A table of records for a terminal: one line each, details below it."""

    def __init__(self, columns: Sequence[Column], records: Sequence[Record]) -> None:
        self._lines = [column for column in columns if not column.detail]
        self._details = [column for column in columns if column.detail]
        self._records = records

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Render the header and every record; a line that is too long is folded, never cut."""
        texts = [[clean(c.show(record[c.key])) for c in self._lines] for record in self._records]
        headings = [column.key.replace("_", " ") for column in self._lines]
        widths = [max(map(cell_len, column)) for column in zip(headings, *texts, strict=True)]
        yield self._line(headings, widths, "bold")
        for record, row in zip(self._records, texts, strict=True):
            yield self._line(row, widths, "")
            for column in self._details:
                if detail := clean(column.show(record[column.key])):
                    yield Padding(Text(detail, style="dim"), (0, 0, 0, GAP))

    def _line(self, row: Sequence[str], widths: Sequence[int], style: str) -> Text:
        line = Text(style=style, overflow="fold")
        for column, text, width in zip(self._lines, row, widths, strict=True):
            pad = " " * (width - cell_len(text))
            line.append(f"{pad}{text}" if column.right else f"{text}{pad}")
            line.append(" " * GAP)
        line.rstrip()
        return line
