from __future__ import annotations

import csv
from pathlib import Path

import msgspec

from nlu_arena.report.errors import write_errors
from nlu_arena.spec import Example, Prediction, TaskSpec


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_labels_are_cleaned_in_the_header_and_in_the_rows(tmp_path: Path, opinion_task: TaskSpec) -> None:
    task = msgspec.structs.replace(opinion_task, labels=("b\x1b[31mad", "go\u202eod"))
    answers = [Prediction(0, 0, 1, (-3.0, -0.1))]
    write_errors(task, {"dev": [Example("fine", 0)]}, {"dev": answers}, tmp_path / "errors.csv")
    (row,) = read(tmp_path / "errors.csv")
    assert (row["gold"], row["predicted"]) == ("bad", "good")
    assert {"p(bad)", "p(good)"} <= row.keys()


def test_texts_are_cleaned_and_the_most_confident_error_comes_first(
    tmp_path: Path, opinion_task: TaskSpec
) -> None:
    examples = [Example(text, 0) for text in ("fine", "sly \x1b[31mred\x1b[0m", 'a, "quoted"\nline', "same")]
    answers = [
        Prediction(0, 0, 0, (-0.1, -3.0)),
        Prediction(1, 0, 1, (-0.9, -0.6)),
        Prediction(2, 0, 1, (-4.0, -0.1)),
        Prediction(3, 0, 1, (-0.9, -0.6)),
    ]
    write_errors(opinion_task, {"dev": examples}, {"dev": answers}, tmp_path / "errors.csv")
    rows = read(tmp_path / "errors.csv")
    assert [row["text"] for row in rows] == ['a, "quoted" line', "sly red", "same"]
    assert {row["gold"] for row in rows} == {"negative"}
    assert rows[0]["confidence"] == rows[0]["p(positive)"] == "0.9802"
