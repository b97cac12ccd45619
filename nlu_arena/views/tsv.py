"""A list of records as tab-separated lines, for pipes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nlu_arena.views.text import clean

Record = Mapping[str, Any]


def tsv_lines(columns: Sequence[str], records: Sequence[Record]) -> Iterator[str]:
    """Return a header and one line a record: nothing is cut, absent values are empty."""
    yield "\t".join(columns)
    for record in records:
        yield "\t".join(_plain(record.get(column)) for column in columns)


def _plain(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return " ".join(f"{key}={_plain(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return " ".join(_plain(item) for item in value)
    return clean(str(value))
