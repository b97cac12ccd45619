"""Examples from files: labels by name, quotation marks as text, errors that name file and row."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from nlu_arena.errors import RunError
from nlu_arena.registry import load_registry
from nlu_arena.spec import DataRef, Example, TaskSpec
from nlu_arena.tables import read_file_split, read_jsonl, read_tsv


@pytest.fixture
def glue(tmp_path: Path) -> Path:
    """A folder in the layout of the GLUE download, a few rows for each task."""
    (tmp_path / "SST-2").mkdir()
    sst2 = 'sentence\tlabel\na "quoted" start \t1\ndid n\'t work \t0\n'
    (tmp_path / "SST-2" / "dev.tsv").write_text(sst2, encoding="utf-8")
    (tmp_path / "RTE").mkdir()
    rte = 'index\tsentence1\tsentence2\tlabel\n0\tShe said "no.\tShe spoke.\tentailment\n'
    rte += "1\tA\tB\tnot_entailment\n"
    (tmp_path / "RTE" / "train.tsv").write_text(rte, encoding="utf-8")
    return tmp_path


def read_glue(folder: Path, task: str, split: str) -> list[Example]:
    ref = DataRef(source="glue-dir", location=str(folder), identity="glue")
    return read_file_split(load_registry().task(task), ref, split)


def test_a_glue_table_is_read_with_its_quotation_marks(glue: Path) -> None:
    assert [(e.text, e.label) for e in read_glue(glue, "sst2", "dev")] == [
        ('a "quoted" start ', 1),
        ("did n't work ", 0),
    ]
    assert [(e.text, e.pair, e.label) for e in read_glue(glue, "rte", "train")] == [
        ('She said "no.', "She spoke.", 0),
        ("A", "B", 1),
    ]


def test_a_genre_is_read_where_the_table_has_one(glue: Path) -> None:
    (glue / "MNLI").mkdir()
    for header, cell, genre in (("genre\t", "slate\t", "slate"), ("genre\t", " \t", None), ("", "", None)):
        rows = f"{header}sentence1\tsentence2\tgold_label\n{cell}A\tB\tneutral\n"
        (glue / "MNLI" / "train.tsv").write_text(rows, encoding="utf-8")
        assert read_glue(glue, "mnli", "train") == [Example("A", 1, "B", genre)]


def test_a_column_without_a_name_is_no_genre(glue: Path) -> None:
    (glue / "SST-2" / "dev.tsv").write_text("\tsentence\tlabel\n0\tfine \t1\n", encoding="utf-8")
    assert read_glue(glue, "sst2", "dev") == [Example("fine ", 1)]


def test_a_missing_column_is_named_with_the_files_own(glue: Path) -> None:
    (glue / "SST-2" / "dev.tsv").write_text("sentence\tindex\nfine \t1\n", encoding="utf-8")
    with pytest.raises(
        RunError, match=r"SST-2/dev\.tsv: no column label \(it has: sentence, index\)"
    ) as caught:
        read_glue(glue, "sst2", "dev")
    assert "manifest" in caught.value.hint


def test_a_row_without_a_value_is_named(glue: Path) -> None:
    (glue / "SST-2" / "dev.tsv").write_text("sentence\tlabel\nfine \t1\nbad\n", encoding="utf-8")
    with pytest.raises(RunError, match=r"dev\.tsv, row 2: no value in column label"):
        read_glue(glue, "sst2", "dev")


@pytest.mark.parametrize("text", ["", "sentence\tlabel\n", "\n\n"])
def test_a_table_without_rows_is_named(glue: Path, text: str) -> None:
    (glue / "SST-2" / "dev.tsv").write_text(text, encoding="utf-8")
    with pytest.raises(RunError, match=r"SST-2/dev\.tsv: the table has no rows"):
        read_glue(glue, "sst2", "dev")


def test_an_unknown_label_is_named_with_its_row(glue: Path) -> None:
    (glue / "SST-2" / "dev.tsv").write_text("sentence\tlabel\nfine \t1\nbad \t-1\n", encoding="utf-8")
    with pytest.raises(RunError, match="row 2: label '-1' is none of negative, positive"):
        read_glue(glue, "sst2", "dev")


def test_a_table_may_have_very_long_texts_and_carriage_returns_in_them(tmp_path: Path) -> None:
    path = tmp_path / "long.tsv"
    path.write_bytes(b"\xef\xbb\xbfsentence\tlabel\r\n" + b"word " * 50_000 + b"\t1\r\na\rb\t0\n\n")
    rows = list(read_tsv(path))
    assert [row["label"] for row in rows] == ["1", "0"]
    assert (len(rows[0]["sentence"]), rows[1]["sentence"]) == (250_000, "a\rb")


def test_a_line_that_is_no_json_object_is_named_and_an_empty_one_is_not_missed(tmp_path: Path) -> None:
    path = tmp_path / "dev.jsonl"
    path.write_text('{"text": "fine", "label": "positive"}\n\n["fine", "positive"]\n')
    rows = read_jsonl(path)
    assert next(rows) == {"text": "fine", "label": "positive"}
    with pytest.raises(RunError, match=r"dev\.jsonl, line 3: not a JSON object"):
        next(rows)


def test_text_that_is_not_utf8_is_named(glue: Path) -> None:
    (glue / "SST-2" / "dev.tsv").write_bytes("sentence\tlabel\ncaf\u00e9 \t1\n".encode("latin-1"))
    with pytest.raises(RunError, match=r"dev\.tsv: not UTF-8 text"):
        read_glue(glue, "sst2", "dev")


def test_a_persons_own_table_is_read_with_its_quoting(opinion_task: TaskSpec, opinion_data: Path) -> None:
    (opinion_data / "dev.tsv").write_text('text\tlabel\n"two\nlines"\tpositive\n', encoding="utf-8")
    assert opinion_task.data.file is not None
    table = msgspec.structs.replace(opinion_task.data.file, dev={"dev": "dev.tsv"})
    task = msgspec.structs.replace(opinion_task, data=msgspec.structs.replace(opinion_task.data, file=table))
    ref = DataRef(source="file", location=str(opinion_data), identity="opinions")
    assert read_file_split(task, ref, "dev") == [Example("two\nlines", 1)]
