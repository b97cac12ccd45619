"""Rows of values as CSV, JSON lines and Parquet: what is read back is what was there."""

from __future__ import annotations

import csv
import datetime
import io
import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from nlu_arena.datafile import list_columns, read_rows
from nlu_arena.predicting import writers
from nlu_arena.predicting.writers import open_writer

ANYWHERE = Path("input.csv")
AWKWARD = ['with "quotes"', "a, b", "two\nlines", "return\rinside", "both\r\n", "", " ", "名前 🙂", "=1+1"]


def written(
    ending: str, types: dict[str, set[type]], rows: Sequence[Sequence[Any]], source: Path = ANYWHERE
) -> io.BytesIO:
    file = io.BytesIO()
    with open_writer(ending, file, types, source) as write:
        for row in rows:
            write([row])
    return io.BytesIO(file.getvalue())


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".parquet"])
def test_texts_come_back_as_they_were_whatever_is_in_them(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"out{ending}"
    path.write_bytes(written(ending, {"a": {str}, "b": {str}}, [[text, "end"] for text in AWKWARD]).read())
    assert list_columns(path) == ("a", "b")
    assert [row.values["a"] or "" for row in read_rows(path)] == AWKWARD


def test_any_other_reader_of_csv_agrees() -> None:
    file = written(".csv", {"a, b": {str}}, [[text] for text in AWKWARD if text])
    rows = list(csv.reader(io.TextIOWrapper(file, encoding="utf-8", newline="")))
    assert rows == [["a, b"], *([text] for text in AWKWARD if text)]


def test_values_that_csv_has_no_form_for_are_written_as_in_json() -> None:
    values = [None, True, 3, 0.1, [1, "a"], {"k": None}, datetime.date(2024, 2, 29), Decimal("1.50"), b"\x00"]
    columns = {f"c{number}": {object} for number in range(len(values))}
    text = written(".csv", columns, [values]).read().decode()
    (row,) = [row for row in csv.reader(io.StringIO(text)) if row[0] != "c0"]
    assert row == ["", "true", "3", "0.1", '[1,"a"]', '{"k":null}', "2024-02-29", "1.50", "AA=="]


def test_json_lines_keep_types_and_probabilities_to_the_last_bit() -> None:
    share = 0.1 + 0.2
    line = written(".jsonl", {"a": {object}, "b": {float}}, [[{"k": [1, None]}, share]]).read()
    assert json.loads(line) == {"a": {"k": [1, None]}, "b": share}


def test_parquet_columns_have_the_type_of_what_was_met_and_text_for_mixtures() -> None:
    types: dict[str, set[type]] = {
        "whole": {int},
        "number": {int, float},
        "mixed": {int, str},
        "nested": {object},
        "empty": set(),
        "truth": {bool},
    }
    rows = [[1, 2**60 + 1, 7, [1], None, True], [None, 0.5, "x", None, None, None]]
    table = pyarrow.parquet.read_table(written(".parquet", types, rows))
    assert [str(kind) for kind in table.schema.types] == [
        *("int64", "double", "string", "string", "string", "bool")
    ]
    first, second = table.to_pylist()
    assert [*first.values()] == [1, float(2**60 + 1), "7", "[1]", None, True]
    assert [*second.values()] == [None, 0.5, "x", None, None, None]


def test_parquet_from_parquet_keeps_its_types(tmp_path: Path) -> None:
    source = tmp_path / "in.parquet"
    given = pyarrow.table(
        {
            "day": pyarrow.array([datetime.date(2024, 2, 29), None]),
            "small": pyarrow.array([1, 2], pyarrow.int8()),
            "kind": pyarrow.array(["a", "b"]).dictionary_encode(),
            "list": pyarrow.array([[1.5], []], pyarrow.list_(pyarrow.float32())),
            "at": pyarrow.array([datetime.datetime(2024, 1, 1), None], pyarrow.timestamp("ms")),
        }
    )
    pyarrow.parquet.write_table(given, source)
    rows = [[*row.values.values(), "yes"] for row in read_rows(source)]
    types: dict[str, set[type]] = {name: {object} for name in given.column_names} | {"label": {str}}
    table = pyarrow.parquet.read_table(written(".parquet", types, rows, source))
    assert table.drop_columns("label").schema.equals(pyarrow.parquet.read_schema(source))
    assert table.drop_columns("label").equals(pyarrow.parquet.read_table(source))


def test_parquet_rows_wait_for_a_group_but_not_for_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writers, "GROUP_ROWS", 4)
    file = pyarrow.parquet.ParquetFile(written(".parquet", {"a": {str}}, [["x"]] * 10))
    assert [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)] == [4, 4, 2]
    monkeypatch.setattr(writers, "GROUP_BYTES", 10_000)
    file = pyarrow.parquet.ParquetFile(written(".parquet", {"a": {str}}, [["x" * 6000]] * 4))
    assert file.num_row_groups == 2
