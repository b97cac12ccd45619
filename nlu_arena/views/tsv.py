"""A list of records as tab-separated lines, for pipes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from nlu_arena.views.text import clean

Record = Mapping[str, Any]


def tsv_lines(columns: Sequence[str], records: Iterable[Record]) -> Iterator[str]:
    """Return a header and one line a record: nothing is cut, absent values are empty."""
    yield "\t".join(columns)
    for record in records:
        yield "\t".join(as_plain(record.get(column)) for column in columns)


def as_plain(value: Any) -> str:
    """Return a value as one line without control characters, empty where there is none."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return " ".join(f"{key}={as_plain(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return " ".join(as_plain(item) for item in value)
    return clean(str(value))
