"""Rows of values as CSV, JSON lines or Parquet."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import msgspec

if TYPE_CHECKING:
    import pyarrow

Write = Callable[[Sequence[Sequence[Any]]], None]

# A row group of Parquet is written when it has so many rows or bytes: it is what stays in memory.
GROUP_ROWS = 8192
GROUP_BYTES = 32_000_000
NEEDS_QUOTES = frozenset('",\r\n')


def open_writer(
    ending: str, file: BinaryIO, types: Mapping[str, set[type]], source: Path
) -> AbstractContextManager[Write]:
    """Give what writes rows.

    Args:
        ending: ".csv", ".jsonl" or ".parquet".
        file: Takes the bytes.
        types: The columns in their order, with the types of their values.
        source: The file that most columns come from; one of Parquet gives them its own types.
    """
    match ending:
        case ".parquet":
            return _open_parquet(file, types, source)
        case ".jsonl":
            return _open_jsonl(file, [*types])
        case _:
            return _open_csv(file, [*types])


# ── Text formats ──────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def _open_csv(file: BinaryIO, columns: list[str]) -> Iterator[Write]:
    def write(rows: Sequence[Sequence[Any]]) -> None:
        lines = (",".join(_quote(_as_text(value)) for value in row) for row in rows)
        file.write("".join(f"{line}\n" for line in lines).encode())

    write([columns])
    yield write


def _quote(text: str) -> str:
    """Quote a cell where it must be; the csv module leaves a lone carriage return bare, which ends a row."""
    if NEEDS_QUOTES.isdisjoint(text):
        return text
    doubled = text.replace('"', '""')
    return f'"{doubled}"'


def _as_text(value: Any) -> str:
    """Return a value as text: nothing is empty, and what CSV has no form for is written as in JSON."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if type(value) in (int, float):
        return repr(value)
    plain = _as_plain(value)
    return plain if isinstance(plain, str) else msgspec.json.encode(plain).decode()


@contextmanager
def _open_jsonl(file: BinaryIO, columns: list[str]) -> Iterator[Write]:
    encode = msgspec.json.Encoder(enc_hook=str).encode

    def write(rows: Sequence[Sequence[Any]]) -> None:
        file.write(b"".join(encode(dict(zip(columns, row, strict=True))) + b"\n" for row in rows))

    yield write


def _as_plain(value: Any) -> Any:
    """Return a value in JSON's own types: dates and the like become texts, bytes base64."""
    return msgspec.to_builtins(value, enc_hook=str, str_keys=True)


# ── Parquet ───────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def _open_parquet(file: BinaryIO, types: Mapping[str, set[type]], source: Path) -> Iterator[Write]:
    import pyarrow
    from pyarrow.parquet import ParquetWriter

    schema = _make_schema(types, source)
    waiting: list[pyarrow.RecordBatch] = []
    with ParquetWriter(file, schema) as parquet:

        def flush() -> None:
            if waiting:
                parquet.write_table(pyarrow.Table.from_batches(waiting))
                waiting.clear()

        def write(rows: Sequence[Sequence[Any]]) -> None:
            columns = zip(*rows, strict=True)
            cells = [_make_array(column, field) for column, field in zip(columns, schema, strict=True)]
            waiting.append(pyarrow.RecordBatch.from_arrays(cells, schema=schema))
            rows_waiting = sum(batch.num_rows for batch in waiting)
            if rows_waiting >= GROUP_ROWS or sum(batch.nbytes for batch in waiting) >= GROUP_BYTES:
                flush()

        yield write
        flush()


def _make_schema(types: Mapping[str, set[type]], source: Path) -> pyarrow.Schema:
    import pyarrow
    from pyarrow.parquet import read_schema

    known = {}
    if source.suffix.lower() == ".parquet":
        known = {field.name: field.type for field in read_schema(source)}
    usual = {str: pyarrow.string(), bool: pyarrow.bool_(), int: pyarrow.int64(), float: pyarrow.float64()}

    def choose(name: str, met: set[type]) -> pyarrow.DataType:
        if name in known:
            return known[name]
        if met == {int, float}:
            return pyarrow.float64()
        # Columns without any value, of several types, or of what has no column of its own.
        return usual[next(iter(met))] if len(met) == 1 and met <= usual.keys() else pyarrow.string()

    return pyarrow.schema([(name, choose(name, met)) for name, met in types.items()])


def _make_array(values: Sequence[Any], field: pyarrow.Field) -> pyarrow.Array:
    import pyarrow

    if field.type == pyarrow.string():
        values = [None if value is None else _as_text(value) for value in values]
    elif field.type == pyarrow.float64():
        values = [None if value is None else float(value) for value in values]
    return pyarrow.array(values, type=field.type)
