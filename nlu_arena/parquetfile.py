"""Parquet files, read in batches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nlu_arena.errors import UsageError

if TYPE_CHECKING:
    from pyarrow import RecordBatch
    from pyarrow.parquet import ParquetFile

# So few rows that a batch even of long texts is small beside a model.
BATCH_ROWS = 4096


def list_parquet_columns(path: Path) -> tuple[str, ...]:
    """Return the names of the columns.

    Raises:
        UsageError: It is no Parquet file.
        OSError: The file cannot be read.
    """
    with _open(path) as file:
        return tuple(file.schema_arrow.names)


def count_parquet_rows(path: Path) -> int:
    """Return the number of rows, which the file says of itself.

    Raises:
        UsageError: It is no Parquet file.
        OSError: The file cannot be read.
    """
    with _open(path) as file:
        return int(file.metadata.num_rows)


def read_parquet(path: Path) -> Iterator[Mapping[str, Any]]:
    """Read the rows in their order.

    Raises:
        UsageError: It is no Parquet file, or a text in it is no UTF-8.
        OSError: The file cannot be read.
    """
    with _open(path) as file:
        begin = 1
        for batch in file.iter_batches(batch_size=BATCH_ROWS):
            try:
                rows = batch.to_pylist()
            except UnicodeDecodeError as error:
                raise _lost_text(path, batch, begin) from error
            yield from rows
            begin += len(rows)


@contextmanager
def _open(path: Path) -> Iterator[ParquetFile]:
    import pyarrow
    from pyarrow.parquet import ParquetFile

    try:
        with path.open("rb") as raw, ParquetFile(raw) as file:
            yield file
    except pyarrow.ArrowException as error:
        problem = f"{path} is no Parquet file, or damaged: {error}"
        raise UsageError(problem, "Write it again.") from error


def _lost_text(path: Path, batch: RecordBatch, begin: int) -> UsageError:
    """Return the error that names the first cell of a batch that is no UTF-8."""
    for offset in range(batch.num_rows):
        for name in batch.schema.names:
            try:
                batch.column(name)[offset].as_py()
            except UnicodeDecodeError:
                where = f"{path}, row {begin + offset:,}, column {name!r}"
                return UsageError(f"{where}: not UTF-8 text", "Store it as bytes of UTF-8.")
    raise AssertionError("a batch that cannot be decoded has a cell that cannot")
