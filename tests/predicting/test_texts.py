"""The file to label: which columns, every row looked at, chunks of bounded size."""

from __future__ import annotations

from pathlib import Path

import pytest

from nlu_arena.errors import UsageError
from nlu_arena.predicting import texts
from nlu_arena.predicting.texts import TextColumns, choose_columns, read_chunks, take_survey
from nlu_arena.spec import Example
from tests.views.ledgers import quick_plan

SINGLE = next(e for e in quick_plan() if e.task.name == "sst2")
PAIRS = next(e for e in quick_plan() if e.task.name == "rte")


def write(folder: Path, text: str, name: str = "file.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("header", "text", "pair", "found"),
    [
        ("text,premise,hypothesis,pair", None, None, ("premise", "hypothesis")),
        ("pair,text,hypothesis", None, None, ("text", "hypothesis")),
        ("pair,text", None, None, ("text", "pair")),
        ("premise,hypothesis,other", "other", None, ("other", "hypothesis")),
        ("premise,hypothesis,other", None, "other", ("premise", "other")),
    ],
)
def test_columns_are_those_named_then_the_tasks_then_text_and_pair(
    header: str, text: str | None, pair: str | None, found: tuple[str, str], tmp_path: Path
) -> None:
    path = write(tmp_path, f"{header}\n")
    assert choose_columns(path, PAIRS, text, pair) == TextColumns(*found)


def test_a_missing_column_is_named_with_the_option_that_helps(tmp_path: Path) -> None:
    path = write(tmp_path, "review,stars\n")
    with pytest.raises(UsageError, match="has no column 'text'") as error:
        choose_columns(path, SINGLE, None, None)
    assert error.value.hint == "Name it with --text COLUMN; there is review, stars."
    with pytest.raises(UsageError, match="has no column 'reviews'") as error:
        choose_columns(path, SINGLE, "reviews", None)
    assert error.value.hint == "Did you mean review?"


def test_single_texts_have_no_pair(tmp_path: Path) -> None:
    path = write(tmp_path, "text,pair\n")
    assert choose_columns(path, SINGLE, None, None) == TextColumns("text")
    with pytest.raises(UsageError, match="is about single texts"):
        choose_columns(path, SINGLE, None, "pair")


def test_a_survey_counts_rows_characters_and_types(tmp_path: Path) -> None:
    lines = [
        '{"text": "four", "pair": "six666", "n": 1, "odd": [1]}',
        '{"text": "", "n": 2.5, "late": true, "odd": null}',
        f'{{"text": null, "big": {2**63}}}',
    ]
    path = write(tmp_path, "\n".join(lines), "file.jsonl")
    survey = take_survey(path, TextColumns("text", "pair"))
    assert (survey.rows, survey.characters) == (3, 10)
    assert (survey.texts, survey.empty, survey.first_empty) == (1, 2, 2)
    assert list(survey.types) == ["text", "pair", "n", "odd", "late", "big"]
    assert survey.types == {
        "text": {str},
        "pair": {str},
        "n": {int, float},
        "odd": {object},
        "late": {bool},
        # Of more than 64 bits: no column of numbers holds it.
        "big": {object},
    }


@pytest.mark.parametrize("pair", ["", " \t"])
def test_a_pair_without_its_second_text_is_no_text(tmp_path: Path, pair: str) -> None:
    path = write(tmp_path, f"text,pair\na,b\nc,{pair}\n")
    columns = TextColumns("text", "pair")
    survey = take_survey(path, columns)
    assert (survey.texts, survey.empty, survey.first_empty, survey.characters) == (1, 1, 2, 2)
    (chunk,) = read_chunks(path, columns)
    assert chunk.texts == [Example("a", 0, "b"), None]
    assert chunk.examples == [Example("a", 0, "b")]
    assert len(chunk.rows) == 2


def test_a_file_of_empty_texts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no texts to label: the text of all 2 rows is empty"):
        take_survey(write(tmp_path, "text,n\n,1\n ,2\n"), TextColumns("text"))


def test_one_column_cannot_be_both_texts(tmp_path: Path) -> None:
    path = write(tmp_path, "premise,hypothesis\n")
    with pytest.raises(UsageError, match="cannot be both texts of a pair: 'premise'"):
        choose_columns(path, PAIRS, None, "premise")


def test_a_file_without_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has no rows to label"):
        take_survey(write(tmp_path, "text\n"), TextColumns("text"))


def test_chunks_are_bounded_by_rows_and_by_characters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(texts, "CHUNK_ROWS", 3)
    monkeypatch.setattr(texts, "CHUNK_CHARACTERS", 100)
    long = "x" * 60
    path = write(tmp_path, "\n".join(["text", "a", "b", "c", "d", long, long, "e"]))
    chunks = [
        [example.text for example in chunk.examples] for chunk in read_chunks(path, TextColumns("text"))
    ]
    assert chunks == [["a", "b", "c"], ["d", long, long], ["e"]]
    monkeypatch.setattr(texts, "CHUNK_ROWS", 9)
    sizes = [len(chunk.rows) for chunk in read_chunks(path, TextColumns("text"))]
    assert sizes == [6, 1]
