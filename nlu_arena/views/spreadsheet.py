"""A list of records as CSV, line by line, for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from nlu_arena.views.tsv import Record, as_plain


def csv_lines(columns: Sequence[str], records: Iterable[Record]) -> Iterator[str]:
    """Return a header and one line a record as in RFC 4180: nothing is cut, absent values are empty."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="")

    def write(values: Iterable[object]) -> str:
        stream.seek(0)
        stream.truncate()
        # A text without line breaks: a record stays one line.
        writer.writerow(map(as_plain, values))
        return stream.getvalue()

    yield write(columns)
    for record in records:
        yield write(record.get(column) for column in columns)
