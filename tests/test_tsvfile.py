"""Quotation marks in TSV files: they enclose cells or are plain, as the whole file fits; never a guess."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nlu_arena.datafile import MAX_CELL, list_columns, note_reading, read_rows
from nlu_arena.errors import UsageError
from nlu_arena.tsvfile import choose_reading

HEADER = "text\tlabel\n"


def write(folder: Path, text: str) -> Path:
    path = folder / "a.tsv"
    path.write_bytes(text.encode())
    return path


def cells(path: Path) -> list[tuple[str, ...]]:
    return [tuple(row.values.values()) for row in read_rows(path)]


def refusal(path: Path) -> UsageError:
    with pytest.raises(UsageError) as caught:
        list(read_rows(path))
    return caught.value


@pytest.mark.parametrize(
    "rows",
    [
        '"Great," he said.\tyes\nfine\tno\n',
        'fine\tno\n"open\tyes\nlast\tno\n',
        # The mark that closes is cells away: the rows between would be lost.
        '"one\tyes\ntwo\tno\nthree "3\tyes\n',
        # In the column of the labels, too.
        'fine\t"no\nlast\tyes\n',
    ],
)
def test_marks_that_enclose_no_cells_are_plain_where_every_line_is_a_row(tmp_path: Path, rows: str) -> None:
    path = write(tmp_path, HEADER + rows)
    assert list_columns(path) == ("text", "label")
    assert cells(path) == [tuple(line.split("\t")) for line in rows.splitlines()]
    assert note_reading(path).startswith(
        "quotation marks are read as plain characters: they enclose no cells ("
    )
    assert str(path) not in note_reading(path)


def test_cells_in_marks_are_read_as_such_and_those_of_several_lines_are_said(tmp_path: Path) -> None:
    path = write(tmp_path, HEADER + '"a ""b"" c"\tyes\n"two\nlines\tand a tab"\tno\n')
    assert cells(path) == [('a "b" c', "yes"), ("two\nlines\tand a tab", "no")]
    assert note_reading(path) == "1 quoted cell has a tab or a line break in it (in row 2)"
    whole = write(tmp_path, HEADER + '"a ""b"" c"\tyes\nb\tno\n')
    assert cells(whole) == [('a "b" c', "yes"), ("b", "no")]
    assert note_reading(whole) == ""


def test_marks_inside_a_cell_are_plain_either_way(tmp_path: Path) -> None:
    path = write(tmp_path, HEADER + 'The 24" screen\tgood\n')
    assert cells(path) == [('The 24" screen', "good")]
    assert note_reading(path) == ""


@pytest.mark.parametrize(
    ("text", "quoted", "plain"),
    [
        (HEADER + 'a\tno\n"one\tyes\ntwo"\tno\n', 2, 3),
        ('text\na\n"one\ntwo"\n', 2, 3),
    ],
)
def test_where_both_readings_fit_and_differ_nothing_is_guessed(
    tmp_path: Path, text: str, quoted: int, plain: int
) -> None:
    path = write(tmp_path, text)
    error = refusal(path)
    assert error.message == (
        f"{path} can be read in two ways: where quotation marks enclose cells it has {quoted} rows"
        f" (row 2 goes over several lines), where they are plain characters {plain}"
    )
    assert ".jsonl" in error.hint
    with pytest.raises(UsageError, match="two ways"):
        list_columns(path)


def test_where_neither_fits_both_reasons_are_said(tmp_path: Path) -> None:
    error = refusal(write(tmp_path, HEADER + '"a" b\tyes\nshort\n'))
    assert "row 1 (line 2): a text goes on after its closing quotation mark" in error.message
    assert "row 2 (line 3): no cell for column 'label' (1 of 2 cells)" in error.hint
    assert "write those inside it twice" in error.hint


def test_a_header_in_marks_says_that_they_enclose(tmp_path: Path) -> None:
    error = refusal(write(tmp_path, '"text"\t"label"\n"a" b\tyes\n'))
    assert "goes on after its closing quotation mark" in error.message
    assert "the names of the columns stand in quotation marks" in error.hint
    assert cells(write(tmp_path, '"text"\n"one\ntwo"\n')) == [("one\ntwo",)]


def test_in_plain_lines_only_a_line_feed_ends_a_row(tmp_path: Path) -> None:
    path = write(tmp_path, "\ufeff" + HEADER.replace("\n", "\r\n") + '"a\rb\tyes\r\n\r\nc\tno')
    assert cells(path) == [('"a\rb', "yes"), ("c", "no")]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b'text\tlabel\n"a\tyes\ncaf\xe9\tno\n', "row 2 (line 3): not UTF-8 text"),
        (b'text\tlabel\n"a\tyes\n' + b"x" * (MAX_CELL + 1) + b"\tno\n", "a cell of more than 1,000,000"),
        ('text\tlabel\n"a\tyes\n'.encode("utf-16"), "UTF-16"),
    ],
)
def test_what_no_reading_helps_is_said(tmp_path: Path, data: bytes, said: str) -> None:
    (tmp_path / "a.tsv").write_bytes(data)
    error = refusal(tmp_path / "a.tsv")
    assert said in error.message + error.hint


def test_a_mark_at_the_border_of_two_blocks_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = "".join(f'{"x" * n}\tno\n"{n}\tyes\n' for n in range(8))
    monkeypatch.setattr("nlu_arena.tsvfile.BLOCK", 7)
    for size in range(1, 8):
        path = write(tmp_path, f'text\tlabel\n{"x" * size}\tno\n"open\tyes\n{rows}')
        os.utime(path, ns=(size, size))
        assert choose_reading(path, MAX_CELL).is_plain


def test_a_file_that_has_changed_is_looked_at_again(tmp_path: Path) -> None:
    path = write(tmp_path, HEADER + '"a\tyes\n')
    assert choose_reading(path, MAX_CELL).is_plain
    assert not choose_reading(write(tmp_path, HEADER + '"a"\tyes\n'), MAX_CELL).is_plain
