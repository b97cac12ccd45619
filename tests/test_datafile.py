"""Files as people have them: every format gives the same rows, and what is wrong is named by its row."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nlu_arena.datafile import MAX_CELL, DataRow, list_columns, read_rows, text_of
from nlu_arena.errors import UsageError

TEXTS = ["plain", 'a "quoted", word', "two\nlines\r\n\tand a tab", "\U0001f600 \u8fd9\u90e8\u7535\u5f71", " "]


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    if path.suffix == ".parquet":
        import pyarrow
        from pyarrow.parquet import write_table

        write_table(pyarrow.Table.from_pylist(rows), path)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    else:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, rows[0], delimiter="\t" if path.suffix == ".tsv" else ",")
            writer.writeheader()
            writer.writerows(rows)
    return path


def values(path: Path) -> list[dict[str, Any]]:
    return [dict(row.values) for row in read_rows(path)]


def refusal(path: Path, data: bytes = b"") -> UsageError:
    if data:
        path.write_bytes(data)
    with pytest.raises(UsageError) as caught:
        list(read_rows(path))
    return caught.value


@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl", "parquet", "CSV"])
def test_every_format_gives_the_same_rows_in_the_files_order(tmp_path: Path, ending: str) -> None:
    rows = [{"text": text, "label": "x"} for text in TEXTS]
    path = write(tmp_path / f"a.{ending}", rows)
    assert list_columns(path) == ("text", "label")
    assert values(path) == rows
    assert [row.number for row in read_rows(path)] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_rows_are_read_one_after_the_other(tmp_path: Path, ending: str) -> None:
    rows: Iterator[DataRow] = read_rows(write(tmp_path / f"a.{ending}", [{"text": "a"}] * 9_000))
    assert next(rows).number == 1
    assert sum(1 for _ in rows) == 8_999


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path: Path, ending: str) -> None:
    path = write(tmp_path / f"a.{ending}", [{"text": "caf\u00e9", "label": "x"}])
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert values(path) == [{"text": "caf\u00e9", "label": "x"}]


def test_empty_lines_are_no_rows(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("\ntext,label\n\na,x\n\nb,y\n\n")
    assert [(row.number, row.values["text"]) for row in read_rows(tmp_path / "a.csv")] == [(1, "a"), (2, "b")]


@pytest.mark.parametrize("ending", ["csv", "tsv"])
def test_an_empty_line_of_a_single_column_is_an_empty_cell(tmp_path: Path, ending: str) -> None:
    (tmp_path / f"a.{ending}").write_text('\ntext\na\n\n"b"\n\n')
    assert [(row.number, row.values["text"]) for row in read_rows(tmp_path / f"a.{ending}")] == [
        *((1, "a"), (2, ""), (3, "b"), (4, "")),
    ]


def test_quotation_marks_inside_a_cell_without_quotes_are_plain(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('text,label\nThe 24" screen,good\n')
    assert values(tmp_path / "a.csv") == [{"text": 'The 24" screen', "label": "good"}]


@pytest.mark.parametrize(
    ("data", "place", "problem"),
    [
        (
            b"text,label\na,x\nb\n",
            "row 2 (line 3)",
            "no cell for column 'label' (1 of 2 cells)",
        ),
        (
            b"text,label\n\na,x\nb,y,z\n",
            "row 2 (line 4)",
            "no column for the cell 'z' (3 cells, 2 columns)",
        ),
        (b'text,label\na,x\n"b\nc,y\nd,z\n', "row 2 (line 3), column 'text'", "open at the end of the file"),
        (b'text,label\na,x\nb,"y\n"c",z\n', "row 2 (line 3)", "goes on after its closing quotation mark"),
        (b'text,"label\na,x\n', "the header (line 1), cell 2", "open at the end of the file"),
        (b"text,label\na,x\nb,caf\xe9\n", "row 2 (line 3), column 'label'", "not UTF-8 text"),
        (b"caf\xe9,label\na,x\n", "the header (line 1), cell 1", "not UTF-8 text"),
    ],
)
def test_a_broken_row_is_named_with_its_line(tmp_path: Path, data: bytes, place: str, problem: str) -> None:
    error = refusal(tmp_path / "a.csv", data)
    assert f"{tmp_path / 'a.csv'}, {place}" in error.message
    assert problem in error.message
    assert error.hint


@pytest.mark.parametrize("closed", [True, False])
def test_a_cell_with_a_whole_file_in_it_is_refused_long_before_its_end(tmp_path: Path, closed: bool) -> None:
    cell = b'"' + b"ten bytes\n" * 1_000_000 + (b'"' if closed else b"")
    error = refusal(tmp_path / "a.csv", b"label,text\nx,a\ny," + cell + b"\nz,b\n")
    assert "row 2 (line 3), column 'text': a cell of more than 1,000,000 characters" in error.message
    assert "quotation mark is never closed" in error.hint
    assert csv.field_size_limit() == MAX_CELL


@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl"])
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
def test_wide_text_is_recognised(tmp_path: Path, ending: str, encoding: str) -> None:
    error = refusal(tmp_path / f"a.{ending}", "text,label\na,x\n".encode(encoding))
    assert "UTF-16" in error.message
    assert "UTF-8" in error.hint


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.csv", b"\n", "a.csv is empty"),
        ("a.jsonl", b"\n", "a.jsonl is empty"),
        ("a.csv", b"text,label,text\na,x,b\n", "a.csv: two columns have the name 'text'"),
        ("a.jsonl", b'{"text": "a"}\n\n["b"]\n', "a.jsonl, row 2 (line 3): not a JSON object"),
        ("a.jsonl", b'{"text": "a"}\n{"text": "caf\xe9"}\n', "a.jsonl, row 2 (line 2): not UTF-8 text"),
        ("a.parquet", b"text,label\na,x\n", "a.parquet is no Parquet file, or damaged"),
        ("a.xlsx", b"PK", "a.xlsx: .xlsx is no format that can be read"),
        ("a", b"text\n", "a name without an ending is no format that can be read"),
    ],
)
def test_a_file_that_is_no_table_is_refused(tmp_path: Path, name: str, data: bytes, message: str) -> None:
    assert message in refusal(tmp_path / name, data).message


def test_a_file_that_is_not_there_or_a_folder_is_named(tmp_path: Path) -> None:
    assert refusal(tmp_path / "gone.csv").message == f"there is no file {tmp_path / 'gone.csv'}"
    for name in ("folder.csv", "folder.tsv", "folder"):
        (tmp_path / name).mkdir()
        assert refusal(tmp_path / name).message == f"{tmp_path / name} is a folder"
    assert "File name too long" in refusal(tmp_path / f"{'a' * 300}.csv").message


def test_a_parquet_text_that_is_no_utf8_is_named(tmp_path: Path) -> None:
    import pyarrow
    from pyarrow.parquet import write_table

    texts = pyarrow.array([b"fine", b"caf\xe9"]).view(pyarrow.utf8())
    write_table(pyarrow.table({"label": ["x", "y"], "text": texts}), tmp_path / "a.parquet")
    assert "a.parquet, row 2, column 'text': not UTF-8 text" in refusal(tmp_path / "a.parquet").message


def test_a_text_cell_is_text_and_a_missing_one_is_empty() -> None:
    path = Path("a.parquet")
    assert text_of(DataRow(1, {"text": "4"}), "text", path) == "4"
    assert text_of(DataRow(1, {"text": None}), "text", path) == ""
    assert text_of(DataRow(1, {}), "text", path) == ""


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (4.5, "the number 4.5"),
        (True, "the truth value true"),
        (["a"], "a list"),
        ({"a": 1}, "an object"),
        (b"a", "a value of type bytes"),
    ],
)
def test_a_column_that_is_not_text_is_refused(value: object, said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(f"a.parquet, row 7, column 'text': {said}, where a text")):
        text_of(DataRow(7, {"text": value}), "text", Path("a.parquet"))


def test_a_text_that_is_too_long_is_refused_in_every_format() -> None:
    assert text_of(DataRow(7, {"text": "a" * MAX_CELL}), "text", Path("a.jsonl"))
    with pytest.raises(UsageError, match=r"a\.jsonl, row 7, column 'text': 1,000,001 characters"):
        text_of(DataRow(7, {"text": "a" * (MAX_CELL + 1)}), "text", Path("a.jsonl"))
