"""A file instead of a task: in `sweep` and `run`, as a registered task after `new`, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.arena import Arena
from tests.cli.conftest import MakeArena
from tests.ownfile.files import write_csv, write_reviews

COLUMNS = ("--text", "review", "--label", "stars")


@pytest.fixture
def arena(make_arena: MakeArena) -> Arena:
    """A user's folder with a file of reviews."""
    arena = make_arena()
    write_reviews(arena.home / "reviews.csv", labels=2)
    return arena


def test_a_sweep_on_a_file_does_the_profiles_models_and_modes_on_it(arena: Arena) -> None:
    first = arena.run("sweep", "--profile", "toys", "--task", "reviews.csv", *COLUMNS)
    for line in (
        "task: reviews, from reviews.csv: columns text 'review', label 'stars'",
        "splits: train 32, dev 8 rows",
        "labels with their words and rows: 1 (20), 2 (20)",
        "to change any of it: nlu-arena new task reviews --from reviews.csv --text review --label stars",
        f"data: file, {arena.home / 'reviews.csv'}",
        "1 of 1 done",
    ):
        assert line in first.stderr
    (cell,) = arena.status()["cells"]
    assert (cell["task"], cell["data_source"]) == ("reviews", "file")
    assert (
        "1 done already" in arena.run("sweep", "--profile", "toys", "--task", "reviews.csv", *COLUMNS).stderr
    )


def test_one_experiment_takes_a_file_and_the_usual_limits(arena: Arena) -> None:
    order = (
        "run",
        "--model",
        "toy",
        "--mode",
        "zero-shot",
        "--task",
        "reviews.csv",
        *COLUMNS,
        "--limit",
        "3",
    )
    plan = json.loads(arena.run(*order, "--dry-run", "--json").stdout)["plan"]
    assert [(step["data_source"], step["state"]) for step in plan] == [("file", "waiting")]
    assert not arena.results.exists()
    events = [json.loads(line)["event"] for line in arena.run(*order, "--json").stdout.splitlines()]
    assert events[-1] == "sweep_finished"


def test_a_dry_run_says_what_is_odd_in_the_rows(arena: Arena) -> None:
    with (arena.home / "reviews.csv").open("a") as file:
        file.write(",1\n")
    order = ("sweep", "--profile", "toys", "--task", "reviews.csv", *COLUMNS)
    note = "reviews.csv: 1 row without a text left out (row 41)"
    assert f"note: {note}" in arena.run(*order, "--dry-run").stderr
    assert arena.run(*order).stderr.count(note) == 1


def test_a_file_is_asked_with_the_templates_that_fit_it_and_the_others_are_said(arena: Arena) -> None:
    path = arena.home / "profiles" / "worded.toml"
    toys = (arena.home / "profiles" / "toys.toml").read_text()
    path.write_text(
        toys.replace("[[block]]", '[[block]]\ntemplates = ["default", "question", "Say: {text}"]')
    )
    process = arena.run(
        "sweep", "--profile", "worded", "--task", "reviews.csv", *COLUMNS, "--dry-run", "--json"
    )
    assert "reviews has no template 'question', which worded names: left out" in process.stderr
    names = [step["experiment"] for step in json.loads(process.stdout)["plan"]]
    assert names == ["toy/reviews/zero-shot", "toy/reviews/zero-shot (Say: {text})"]


def test_a_registered_task_takes_the_place_of_the_profiles(arena: Arena) -> None:
    process = arena.run("sweep", "--profile", "toys", "--task", "More", "--dry-run")
    assert "toy/more/zero-shot" in process.stdout
    assert "toy/answers" not in process.stdout


def test_new_writes_a_task_that_is_then_known_by_its_name(arena: Arena) -> None:
    order = ("new", "task", "stars", "--from", "reviews.csv", *COLUMNS)
    written = arena.run(*order)
    assert "written: plugins/tasks/stars.toml" in written.stderr
    assert "next: nlu-arena sweep --profile laptop --task stars" in written.stderr
    assert (
        "toy/stars/zero-shot"
        in arena.run("sweep", "--profile", "toys", "--task", "stars", "--dry-run").stdout
    )
    path = arena.home / "plugins" / "tasks" / "stars.toml"
    edited = path.read_text().replace('cue = "Label:"', 'cue = "Stars:"')
    path.write_text(edited)
    assert "--force replaces it" in arena.run(*order, code=2).stderr
    assert path.read_text() == edited
    arena.run(*order, "--force")
    assert path.read_text() != edited


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("answers", "plugins/tasks/answers.toml is there already"),
        ("sst-2", "there is a task 'sst-2' already"),
        ("../up", "cannot be a task's name"),
    ],
)
def test_new_refuses_names_that_are_taken_or_none(arena: Arena, name: str, said: str) -> None:
    assert said in arena.run("new", "task", name, "--from", "reviews.csv", *COLUMNS, code=2).stderr


# ── Bad input: what is said, with exit code 2, and nothing left behind ────────────────────────────────

GOOD = "".join(f"{word} {number},{word}\n" for word in ("good", "bad") for number in range(5)).encode()
BAD = {
    "a missing column": (b"text,stars\n" + GOOD, "a.csv: no column label (it has: text, stars)"),
    "a missing label": (b"text,label\n" + GOOD + b"x,\n", "a.csv, row 11, column 'label': no label"),
    "one class": (b"text,label\na,x\nb,x\n", "a.csv, column 'label': all 2 rows have the one label 'x'"),
    "a row too short": (
        b"text,label\n" + GOOD + b"x\n",
        "a.csv, row 11 (line 12): no cell for column 'label'",
    ),
    "10 MB in one cell": (
        b"text,label\n" + GOOD + b'"' + b"x" * 10_000_000 + b'",good\n',
        "a.csv, row 11 (line 12), column 'text': a cell of more than 1,000,000 characters",
    ),
    "an open quotation mark": (
        b"text,label\n" + GOOD + b'"x,good\n',
        "a.csv, row 11 (line 12), column 'text': a quotation mark opens here",
    ),
    "invalid UTF-8": (
        b"text,label\n" + GOOD + b"caf\xe9,good\n",
        "a.csv, row 11 (line 12), column 'text': not UTF-8 text",
    ),
    "UTF-16": (b"text,label\n".decode().encode("utf-16"), "a.csv is text in UTF-16"),
    "only empty texts": (
        b"text,label\n,good\n ,bad\n",
        "a.csv has no rows to use: the text of all 2 is empty",
    ),
    "no rows": (b"text,label\n", "a.csv has no rows to use"),
    "nothing": (b"\n", "a.csv is empty"),
    "too many labels": (
        b"text,label\n" + b"".join(b"t,%d.5\n" % number for number in range(150)),
        "150 different labels, at most 100 can be told apart; they look like numbers",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_file_that_cannot_be_used_is_refused(arena: Arena, case: str) -> None:
    data, said = BAD[case]
    (arena.home / "a.csv").write_bytes(data)
    process = arena.run("sweep", "--profile", "toys", "--task", "a.csv", code=2)
    assert f"{arena.home / said}" in process.stderr or f"column 'label': {said}" in process.stderr
    assert "hint: " in process.stderr
    assert "Traceback" not in process.stderr
    assert not process.stdout
    assert not arena.results.exists()


def test_a_column_that_is_not_text_is_refused(arena: Arena) -> None:
    (arena.home / "a.jsonl").write_text('{"text": "a", "label": 1}\n{"text": 2, "label": 0}\n')
    process = arena.run("run", "--model", "toy", "--mode", "zero-shot", "--task", "a.jsonl", code=2)
    assert "a.jsonl, row 2, column 'text': the number 2, where a text is expected" in process.stderr


def test_an_unknown_label_in_the_dev_file_is_refused(arena: Arena) -> None:
    write_csv(arena.home / "dev.csv", ("review", "stars"), [("fine", 1), ("odd", 9)])
    order = ("sweep", "--profile", "toys", "--task", "reviews.csv", *COLUMNS, "--dev", "dev.csv")
    process = arena.run(*order, code=2)
    assert "dev.csv, row 2, column 'stars': no training row has the label '9'" in process.stderr


@pytest.mark.parametrize(
    ("mark", "rows", "note"),
    [
        (b"\xef\xbb\xbf", b"", "columns text 'text', label 'label'"),
        (b"", b"so so,mixed\n", "note: a.csv: a label has no row in dev and cannot be scored: mixed"),
        (b"", b",good\n", "note: a.csv: 1 row without a text left out (row 11)"),
    ],
)
def test_what_can_be_gone_on_with_is_said(arena: Arena, mark: bytes, rows: bytes, note: str) -> None:
    (arena.home / "a.csv").write_bytes(mark + b"text,label\n" + GOOD + rows)
    process = arena.run("sweep", "--profile", "toys", "--task", "a.csv", "--dry-run")
    assert note in process.stderr
    assert "\ufeff" not in process.stderr


@pytest.mark.parametrize(
    ("arguments", "said", "hint"),
    [
        (("--task", "gone.csv"), "there is no file", ".parquet"),
        (("--task", "reviews.xlsx"), "reviews.xlsx", ""),
        (("--task", "answer"), "there is no task 'answer'", "answers"),
        (
            ("--task", "answers", *COLUMNS),
            "--text, --label: the manifest of the task 'answers' says",
            "--task FILE",
        ),
        (("--dev", "reviews.csv"), "--dev: there is no --task FILE", "--task FILE"),
    ],
)
def test_what_does_not_fit_together_is_refused(
    arena: Arena, arguments: tuple[str, ...], said: str, hint: str
) -> None:
    process = arena.run("sweep", "--profile", "toys", *arguments, code=2)
    assert said in process.stderr
    assert hint in process.stderr


def test_a_folder_cannot_be_a_task(arena: Arena, tmp_path: Path) -> None:
    assert "data is a folder" in arena.run("sweep", "--profile", "toys", "--task", "./data", code=2).stderr
    assert "data is a folder" in arena.run("new", "task", "x", "--from", "data", code=2).stderr


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("~nobody-of-this-name/sst.csv", "there is no user 'nobody-of-this-name'"),
        (f"{'a' * 300}.csv", "File name too long"),
        (b"caf\xe9.csv".decode(errors="surrogateescape"), "is not UTF-8"),
    ],
)
def test_a_path_that_cannot_be_is_refused_without_a_traceback(arena: Arena, source: str, said: str) -> None:
    if len(source) < 10:
        write_reviews(arena.home / source)
    for order in (("new", "task", "x", "--from", source), ("sweep", "--profile", "toys", "--task", source)):
        process = arena.run(*order, *COLUMNS, code=2)
        assert said in process.stderr
        assert "Traceback" not in process.stderr
    assert "there is no task" in arena.run("sweep", "--profile", "toys", "--task", "a" * 300, code=2).stderr


def test_labels_of_thousands_of_digits_are_refused(arena: Arena) -> None:
    write_csv(arena.home / "a.csv", ("text", "label"), [("a", "1" * 5000), ("b", "2" * 5000)])
    process = arena.run("sweep", "--profile", "toys", "--task", "a.csv", code=2)
    assert "a.csv, row 1, column 'label': 5,000 characters; a label has at most 200" in process.stderr


def test_an_unquoted_tsv_loses_no_row(arena: Arena) -> None:
    rows = [f'"{n} of them\t{("no", "yes")[n % 2]}\n' for n in range(20)]
    (arena.home / "a.tsv").write_text("text\tlabel\n" + "".join(rows))
    said = arena.run("sweep", "--profile", "toys", "--task", "a.tsv", "--dry-run").stderr
    assert "splits: train 16, dev 4 rows" in said
    assert "note: a.tsv: quotation marks are read as plain characters" in said
