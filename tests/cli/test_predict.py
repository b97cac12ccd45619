"""`nlu-arena predict` from the outside: what it reads, writes, says and refuses."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet
import pytest

from tests.cli.arena import ROOT, Arena, finish, read_until
from tests.toys import wait_for

TOY = [sys.executable, str(ROOT / "tests" / "toy_labeller.py")]
PROGRAM = f"""
from nlu_arena.cli import app, predict
from nlu_arena.workers import ProcessWorker
predict.make_worker = lambda device: ProcessWorker(device, command={TOY!r})
app.main()
"""
TEXTS = 'text,stars\nyes indeed,5\n"no, never",1\n,\n'
LABELLED = [
    {"text": "yes indeed", "stars": "5", "label": "yes", "probability": 0.75, "p(no)": 0.25, "p(yes)": 0.75},
    {"text": "no, never", "stars": "1", "label": "no", "probability": 0.875, "p(no)": 0.875, "p(yes)": 0.125},
    {"text": "", "stars": "", "label": "", "probability": "", "p(no)": "", "p(yes)": ""},
]


class Desk(Arena):
    """A user's folder with finished runs and a file of texts; the toy labeller stands in for the models."""

    def command(self, *arguments: str) -> list[str]:
        if arguments[0] != "predict":
            return super().command(*arguments)
        return [sys.executable, "-c", PROGRAM, *arguments]

    def write(self, name: str, text: str) -> Path:
        path = self.home / name
        path.write_text(text, encoding="utf-8")
        return path

    def predict(self, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        return self.run("predict", *arguments, code=code)

    def refuse(self, *arguments: str, code: int) -> str:
        """Return what a command says that cannot be done, and see that it leaves nothing behind."""
        before = sorted(self.home.iterdir())
        refused = self.predict(*arguments, code=code)
        assert "Traceback" not in refused.stderr
        assert refused.stdout == ""
        assert sorted(self.home.iterdir()) == before
        return refused.stderr


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a sweep of the tasks "answers" and "more" is done, and of "fails" has failed."""
    desk = Desk(tmp_path_factory.mktemp("desk"), ("answers", "more", "fails"))
    desk.run("sweep", "--profile", "toys", code=1)
    return desk.home


@pytest.fixture
def desk(swept: Path, tmp_path: Path) -> Desk:
    # The weights and data stay where they were: their places are part of the recorded runs.
    desk = Desk(tmp_path / "desk", ("answers", "more", "fails"))
    shutil.copytree(swept / "results", desk.results)
    desk.write("texts.csv", TEXTS)
    return desk


def numbered(row: dict[str, str]) -> dict[str, object]:
    figures = ("probability", "p(no)", "p(yes)")
    return row | {name: pytest.approx(float(row[name])) for name in figures if row[name]}


def test_csv_goes_to_a_pipe_with_every_column_kept_and_the_answers_beside_them(desk: Desk) -> None:
    done = desk.predict("toy/answers/zero-shot", "texts.csv")
    assert [*map(numbered, csv.DictReader(io.StringIO(done.stdout)))] == LABELLED


def test_before_it_starts_it_says_the_run_the_rows_and_the_time_to_expect(desk: Desk) -> None:
    said = desk.predict("toy/answers/zero-shot", "texts.csv").stderr.splitlines()
    assert said[0] == "run 1 (toy/answers/zero-shot, seed 42) labels texts.csv, texts from 'text'"
    # The toy worker has measured no rate.
    assert said[-2] == "2 texts; expected: not known: the run was not timed on this kind of device"
    assert said[-1].startswith("labelled 2 texts in ")
    assert said[-1].endswith(" texts a second")


def test_what_a_reader_of_the_runs_numbers_must_know_is_said_again(desk: Desk) -> None:
    facts = json.dumps({"warnings": ["3 texts were cut"], "alarms": {"dev": {"ties": "2 answers are equal"}}})
    with sqlite3.connect(desk.results / "arena.db") as ledger:
        ledger.execute("UPDATE runs SET facts = ? WHERE run_id = 1", (facts,))
    said = desk.predict("1", "texts.csv").stderr.splitlines()
    assert said[1:3] == [
        "warning: about this run: 3 texts were cut",
        "warning: about this run: 2 answers are equal",
    ]


def test_json_lines_and_parquet_keep_the_types_of_the_input(desk: Desk) -> None:
    desk.write("texts.jsonl", '{"text": "yes", "n": 1, "tags": ["a"]}\n{"text": null, "n": null, "x": 0.5}\n')
    desk.predict("1", "texts.jsonl", "--output", "labelled.jsonl")
    rows = [json.loads(line) for line in (desk.home / "labelled.jsonl").read_text().splitlines()]
    assert [[row[name] for name in ("text", "n", "tags", "x", "label")] for row in rows] == [
        ["yes", 1, ["a"], None, "yes"],
        [None, None, None, 0.5, None],
    ]
    desk.predict("1", "texts.jsonl", "--output", "labelled.parquet")
    table = pyarrow.parquet.read_table(desk.home / "labelled.parquet")
    assert [str(kind) for kind in table.schema.types] == [
        *("string", "int64", "string", "double"),
        *("string", "double", "double", "double"),
    ]
    assert table.column("tags").to_pylist() == ['["a"]', None]
    assert table.column("label").to_pylist() == ["yes", None]
    assert table.column("p(yes)").to_pylist() == [pytest.approx(0.75), None]


def test_rows_without_a_text_are_counted_before_the_start_and_get_no_answer(desk: Desk) -> None:
    done = desk.predict("toy/answers/zero-shot", "texts.csv")
    said = done.stderr.splitlines()
    warning = "warning: 1 row without a text (the first is row 3): label and probabilities stay empty there"
    assert said.index(warning) < next(n for n, line in enumerate(said) if "expected: " in line)


def test_a_blank_line_of_a_single_column_keeps_its_place(desk: Desk) -> None:
    # The toy labeller would fail on it.
    desk.write("column.csv", "text\nyes\n\nno\n")
    rows = list(csv.DictReader(io.StringIO(desk.predict("1", "column.csv").stdout)))
    assert [(row["text"], row["label"]) for row in rows] == [("yes", "yes"), ("", ""), ("no", "no")]


def test_how_a_table_with_plain_quotation_marks_was_read_is_said(desk: Desk) -> None:
    desk.write("texts.tsv", 'text\tn\n"yes\t1\nno\t2\n')
    done = desk.predict("1", "texts.tsv")
    assert [row["n"] for row in csv.DictReader(io.StringIO(done.stdout))] == ["1", "2"]
    assert "note: texts.tsv: quotation marks are read as plain characters" in done.stderr


def test_a_column_of_the_same_name_keeps_it_and_the_answer_gets_another(desk: Desk) -> None:
    desk.write("labelled.csv", "text,label,label_2\nyes,wrong,also\n")
    done = desk.predict("1", "labelled.csv")
    (row,) = csv.DictReader(io.StringIO(done.stdout))
    assert (row["label"], row["label_2"], row["label_3"]) == ("wrong", "also", "yes")
    assert "note: there is a column 'label' already: the new one is 'label_3'" in done.stderr


@pytest.mark.parametrize("name", ["id", "folder", "path", "key", "title", "aliased case"])
def test_a_run_has_many_names(name: str, desk: Desk) -> None:
    (cell, *_) = desk.status()["cells"]
    folder, key = cell["folder"], cell["key"]
    words = {
        "id": str(cell["run_id"]),
        "folder": folder,
        "path": f"{desk.results.name}/{folder}/",
        "key": key[:9],
        "title": "toy/answers/zero-shot",
        "aliased case": "Toy/Answers/zero-shot",
    }
    assert f"run {cell['run_id']} " in desk.predict(words[name], "texts.csv").stderr


def test_the_path_of_a_run_tells_the_results_folder(desk: Desk, tmp_path: Path) -> None:
    (cell, *_) = desk.status()["cells"]
    moved = desk.results.rename(tmp_path / "elsewhere")
    assert len(desk.predict(str(moved / cell["folder"]), "texts.csv").stdout.splitlines()) == 4


@pytest.mark.parametrize(
    ("run", "code", "words"),
    [
        ("toy/anwsers/zero-shot", 2, "Did you mean toy/answers/zero-shot"),
        ("77", 2, "there is no run '77'"),
        ("~nobody-of-this-name/run", 2, "there is no run '~nobody-of-this-name/run'"),
        ("a" * 300, 2, "there is no run 'aaa"),
        ("toy/fails/zero-shot", 3, "failed: the loss is not finite"),
    ],
)
def test_a_run_that_cannot_label_is_refused(run: str, code: int, words: str, desk: Desk) -> None:
    assert words in desk.refuse(run, "texts.csv", "--output", "out.csv", code=code)


def test_without_a_ledger_there_is_nothing_to_label_with(desk: Desk) -> None:
    assert "there is no ledger" in desk.refuse("1", "texts.csv", "--results", "nowhere", code=4)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--output", "labelled.xlsx"), 2, "'.xlsx' is no format"),
        (("--output", "texts.csv"), 2, "is the file to be labelled"),
        (("--output", "there.csv"), 2, "there.csv is there already"),
        (("--output", "nowhere/out.csv"), 3, "there is no folder nowhere"),
        (("--text", "body"), 2, "has no column 'body'"),
        (("--text-pair", "stars"), 2, "is about single texts"),
        (("--device", "cuda:7"), 3, "there is no device"),
    ],
)
def test_what_cannot_be_done_is_refused_before_the_work(
    arguments: tuple[str, ...], code: int, words: str, desk: Desk
) -> None:
    desk.write("there.csv", "mine")
    assert words.replace("'.xlsx'", ".xlsx") in desk.refuse("1", "texts.csv", *arguments, code=code)
    assert (desk.home / "there.csv").read_text() == "mine"
    assert (desk.home / "texts.csv").read_text() == TEXTS


def test_an_existing_output_is_replaced_with_force(desk: Desk) -> None:
    there = desk.write("there.csv", "mine")
    desk.predict("1", "texts.csv", "--output", "there.csv", "--force")
    assert len(there.read_text().splitlines()) == 4


def test_a_terminal_gets_no_table_but_the_way_to_have_one(desk: Desk) -> None:
    screen, end = pty.openpty()
    process = desk.start("predict", "1", "texts.csv", stdout=end)
    os.close(end)
    _, stderr = finish(process)
    os.close(screen)
    assert process.returncode == 2
    assert "Give --output FILE" in stderr


def test_a_row_that_cannot_be_labelled_is_found_before_the_first_is(desk: Desk) -> None:
    lines = ['{"text": "crash"}', *['{"text": "no"}'] * 600, '{"text": 7}']
    desk.write("texts.jsonl", "\n".join(lines))
    said = desk.refuse("1", "texts.jsonl", "--output", "out.jsonl", code=2)
    assert "row 602, column 'text'" in said


def test_the_order_of_many_rows_stays(desk: Desk) -> None:
    rows = [f"{number},{'yes' if number % 3 else 'no'}" for number in range(1500)]
    desk.write("many.csv", "\n".join(["n,text", *rows]))
    found = csv.DictReader(io.StringIO(desk.predict("1", "many.csv").stdout))
    assert [(row["n"], row["label"]) for row in found] == [tuple(row.split(",")) for row in rows]


@pytest.mark.parametrize(
    ("text", "words"),
    [("fail", ["a score is not finite", "hint: Use float32."]), ("crash", ["was killed (signal 9)"])],
)
def test_when_the_model_fails_nothing_is_left_under_the_output_name(
    text: str, words: list[str], desk: Desk
) -> None:
    desk.write("trouble.csv", "\n".join(["text", *["no"] * 900, text]))
    said = desk.refuse("1", "trouble.csv", "--output", "out.csv", code=1)
    assert all(word in said for word in words)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_with_nothing_half_written(number: int, code: int, desk: Desk) -> None:
    desk.write("trouble.csv", "\n".join(["text", *["no"] * 900, "hang"]))
    before = sorted(desk.home.iterdir())
    process = desk.start("predict", "1", "trouble.csv", "--output", "out.csv")
    read_until(process, "expected:")
    wait_for(lambda: any(path.stat().st_size for path in desk.home.glob(".out-*")))
    process.send_signal(number)
    finish(process)
    assert process.returncode == code
    assert sorted(desk.home.iterdir()) == before


def test_a_reader_that_has_seen_enough_ends_it_quietly(desk: Desk) -> None:
    desk.write("many.csv", "\n".join(["text", *["no"] * 50_000]))
    process = desk.start("predict", "1", "many.csv")
    assert process.stdout is not None
    process.stdout.close()
    process.stdout = None
    _, stderr = finish(process)
    assert process.returncode == 1
    assert "rror" not in stderr


def test_weights_that_have_changed_are_not_taken_for_those_of_the_run(swept: Path, desk: Desk) -> None:
    config = swept / "weights" / "config.json"
    config.write_text('{"changed": true}')
    try:
        assert "they have changed since" in desk.refuse("1", "texts.csv", "--output", "out.csv", code=3)
    finally:
        config.write_text("{}")
