"""What is known of a run's data and stays with its number: oddities of a person's own files, by mode."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nlu_arena.events import Facts, Log
from tests.modes.runs import MakeCell, do


def add_rows(folder: Path, split: str, *rows: tuple[str, str]) -> None:
    with (folder / f"{split}.jsonl").open("a", encoding="utf-8") as file:
        file.writelines(json.dumps({"text": text, "label": label}) + "\n" for text, label in rows)


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("encoder fine-tune", ["train", "overlap", "dev"]),
        ("decoder few-shot", ["train", "dev"]),
        ("decoder zero-shot", ["dev"]),
    ],
)
def test_what_is_odd_in_the_data_is_a_warning_of_the_runs_whose_numbers_it_touches(
    cell: str, said: list[str], make_cell: MakeCell, opinion_data: Path, tmp_path: Path
) -> None:
    first = json.loads((opinion_data / "train.jsonl").read_text(encoding="utf-8").splitlines()[0])
    add_rows(opinion_data, "train", ("", "positive"))
    add_rows(opinion_data, "dev", (first["text"].upper(), first["label"]), (" ", "negative"))
    warnings = {
        "train": "train.jsonl: 1 row without a text left out (row 33)",
        "overlap": "dev.jsonl: 1 of 22 rows of dev have a text that is also in train:"
        " they flatter what is trained",
        "dev": "dev.jsonl: 1 row without a text left out (row 23)",
    }
    run = do(make_cell(cell), tmp_path / "run")
    found = [text for event in run.of(Facts) for text in event.facts.get("warnings", [])]
    assert set(found) & set(warnings.values()) == {warnings[name] for name in said}
    assert set(found) <= {log.text for log in run.of(Log) if log.level == "warning"}


def test_calm_data_leave_no_warning(make_cell: MakeCell, tmp_path: Path) -> None:
    run = do(make_cell("decoder zero-shot"), tmp_path / "run")
    assert not [event for event in run.of(Facts) if "warnings" in event.facts]
