"""The rows of a file that can be used: text and label as found, what is empty left out and counted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nlu_arena.datafile import DataRow
from nlu_arena.errors import UsageError
from nlu_arena.ownfile.table import label_of, read_table
from nlu_arena.spec import Columns
from tests.ownfile.files import write_csv

SINGLE = Columns(text="text", label="label")
PAIR = Columns(text="premise", pair="hypothesis", label="label")


def write(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_texts_and_labels_are_read_in_the_files_order(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", {"label": " good ", "text": " b "}, {"label": "bad", "text": "a"})
    table = read_table(path, SINGLE)
    assert (table.texts, table.labels, table.rows, table.pairs) == (
        [" b ", "a"],
        ["good", "bad"],
        [1, 2],
        None,
    )


@pytest.mark.parametrize(
    ("value", "label"),
    [("4", "4"), (4, "4"), (4.0, "4"), (4.5, "4.5"), (True, "true"), ("4.0", "4.0"), (" a b ", "a b")],
)
def test_a_label_is_a_name_whatever_its_type(value: object, label: str) -> None:
    assert label_of(DataRow(1, {"label": value}), "label", Path("a")) == label


@pytest.mark.parametrize("value", ["x" * 201, "1" * 5000, 10**250, 1e300])
def test_a_label_of_more_than_200_characters_is_refused_with_its_row(value: object) -> None:
    with pytest.raises(UsageError, match=r"a, row 7, column 'label': .* characters; a label has at most 200"):
        label_of(DataRow(7, {"label": value}), "label", Path("a"))
    assert label_of(DataRow(7, {"label": "x" * 200}), "label", Path("a")) == "x" * 200


@pytest.mark.parametrize("value", [["a"], {"a": 1}, float("inf")])
def test_what_names_no_label_is_refused(value: object) -> None:
    with pytest.raises(UsageError, match=r"a\.jsonl, row 3, column 'label': .*, which is no label"):
        label_of(DataRow(3, {"label": value}), "label", Path("a.jsonl"))


def test_rows_without_a_text_are_left_out_and_counted(tmp_path: Path) -> None:
    rows = [{"text": text, "label": "x"} for text in ("a", "", " \n", "b", None)]
    table = read_table(write(tmp_path / "a.jsonl", *rows), SINGLE)
    assert (table.texts, table.rows, table.empty, table.first_empty) == (["a", "b"], [1, 4], 3, 2)


def test_a_pair_needs_both_texts(tmp_path: Path) -> None:
    rows = [{"premise": "a", "hypothesis": text, "label": "x"} for text in ("b", "")]
    table = read_table(write(tmp_path / "a.jsonl", *rows), PAIR)
    assert (table.texts, table.pairs, table.empty) == (["a"], ["b"], 1)


@pytest.mark.parametrize("missing", [None, "", " ", float("nan")])
def test_a_row_without_a_label_is_an_error_with_the_first_row_and_the_count(
    tmp_path: Path, missing: object
) -> None:
    import pyarrow
    from pyarrow.parquet import write_table

    labels = [1.0, missing, missing] if isinstance(missing, float) else ["x", missing, missing]
    write_table(pyarrow.table({"text": ["a", "b", "c"], "label": labels}), tmp_path / "a.parquet")
    with pytest.raises(
        UsageError, match=r"a\.parquet, row 2, column 'label': no label \(2 such rows in all\)"
    ) as caught:
        read_table(tmp_path / "a.parquet", SINGLE)
    assert caught.value.hint


def test_a_row_without_text_needs_no_label(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", {"text": "a", "label": "x"}, {"text": "", "label": ""})
    assert read_table(path, SINGLE).texts == ["a"]


def test_a_missing_column_is_named_with_the_files_own(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", {"review": "fine", "stars": 1})
    with pytest.raises(
        UsageError, match=r"a\.jsonl: no column text, label \(it has: review, stars\)"
    ) as caught:
        read_table(path, SINGLE)
    assert "--text" in caught.value.hint


@pytest.mark.parametrize(("header", "hint"), [("text;label", "semicolons"), ("text\tlabel", ".tsv")])
def test_another_delimiter_is_recognised(tmp_path: Path, header: str, hint: str) -> None:
    (tmp_path / "a.csv").write_text(f"{header}\na{header[4]}x\n")
    with pytest.raises(UsageError) as caught:
        read_table(tmp_path / "a.csv", SINGLE)
    assert hint in caught.value.hint


def test_a_text_column_of_numbers_is_refused_with_its_row(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", {"text": "a", "label": "x"}, {"text": 17, "label": "y"})
    with pytest.raises(UsageError, match=r"a\.jsonl, row 2, column 'text': the number 17, where a text"):
        read_table(path, SINGLE)


@pytest.mark.parametrize(
    ("column", "texts"), [("premise", ("17", "fine")), ("hypothesis", ("fine", " -2.5e3 "))]
)
def test_a_csv_column_of_nothing_but_numbers_is_no_text(
    tmp_path: Path, column: str, texts: tuple[str, str]
) -> None:
    path = write_csv(tmp_path / "a.csv", ("premise", "hypothesis", "label"), [("", "", "x"), (*texts, "x")])
    with pytest.raises(UsageError, match=rf"a\.csv, row 2, column '{column}': the number") as caught:
        read_table(path, PAIR)
    assert "--text" in caught.value.hint
    other = write_csv(tmp_path / "b.csv", ("text", "label"), [("17", "x"), ("route 66", "y")])
    assert read_table(other, SINGLE).texts == ["17", "route 66"]


def test_an_empty_line_of_a_single_column_is_a_text_that_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text\na\n\nb\n")
    table = read_table(tmp_path / "a.csv", Columns(text="text", label="text"))
    assert (table.texts, table.empty, table.first_empty) == (["a", "b"], 1, 2)


@pytest.mark.parametrize(
    ("rows", "said"), [("", "no rows to use"), (",x\n,y\n", "no rows to use: the text of all 2 is empty")]
)
def test_a_file_without_a_row_to_use_is_refused(tmp_path: Path, rows: str, said: str) -> None:
    (tmp_path / "a.csv").write_text(f"text,label\n{rows}")
    with pytest.raises(UsageError, match=said):
        read_table(tmp_path / "a.csv", SINGLE)
