"""A file becomes a task: what is named, what is usual, and the prompt that is made of the label names."""

from __future__ import annotations

from pathlib import Path

import pytest

from nlu_arena.dataref import resolve_data, split_files
from nlu_arena.errors import UsageError
from nlu_arena.manifest_checks import check_task
from nlu_arena.naming import is_name
from nlu_arena.ownfile.draft import OwnFile, draft_prompt, draft_task, name_task
from nlu_arena.settings import LORA_DEFAULTS
from nlu_arena.spec import Columns, DevSplit
from tests.ownfile.files import write_csv, write_reviews


def test_a_file_becomes_a_task_that_a_manifest_could_describe(tmp_path: Path) -> None:
    path = write_reviews(tmp_path / "reviews.csv", 60)
    draft = draft_task(OwnFile(path, text="review", label="stars"), "reviews")
    task = draft.task
    check_task(task, "the draft")
    assert (task.name, task.title, task.labels, task.train_rows) == (
        "reviews", "reviews.csv", ("1", "2", "3"), 48,
    )  # fmt: skip
    table = task.data.file
    assert table is not None
    assert (table.folder, table.train, table.dev) == (str(tmp_path), "reviews.csv", {})
    assert (table.columns, table.split) == (
        Columns(text="review", label="stars"),
        DevSplit(share=0.2, seed=42),
    )
    assert draft.counts == {"train": [16, 16, 16], "dev": [4, 4, 4]}


def test_a_dev_file_takes_the_place_of_the_split(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    dev = write_reviews(tmp_path / "other" / "held.csv", 9, first=90)
    path = write_reviews(tmp_path / "reviews.csv")
    task = draft_task(OwnFile(path, text="review", label="stars", dev=dev), "reviews").task
    check_task(task, "the draft")
    assert task.data.file is not None
    assert task.data.file.split is None
    assert split_files(task, resolve_data(task, "hub"))["dev"].samefile(dev)


def test_a_dev_label_is_never_taken_for_the_number_of_another(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", ("text", "label"), [("a", "no"), ("b", "yes")])
    dev = write_csv(tmp_path / "b.csv", ("text", "label"), [("c", "0")])
    with pytest.raises(UsageError, match=r"b\.csv, row 1, column 'label': no training row has the label '0'"):
        draft_task(OwnFile(path, dev=dev), "a")


@pytest.mark.parametrize("name", ["Good", "GOOD"])
def test_a_dev_label_in_another_case_is_the_same_whoever_reads_it(tmp_path: Path, name: str) -> None:
    path = write_csv(tmp_path / "a.csv", ("text", "label"), [("a", "bad"), ("b", "good")])
    dev = write_csv(tmp_path / "b.csv", ("text", "label"), [("c", name)])
    draft = draft_task(OwnFile(path, dev=dev), "a")
    assert [row.label for row in draft.splits.examples["dev"]] == [1]


def test_the_training_file_is_no_dev_file(tmp_path: Path) -> None:
    path = write_reviews(tmp_path / "reviews.csv")
    with pytest.raises(UsageError, match="--dev is the training file itself"):
        draft_task(OwnFile(path, text="review", label="stars", dev=path), "reviews")


@pytest.mark.parametrize(
    ("header", "own", "columns"),
    [
        (("text", "label", "x"), {}, Columns(text="text", label="label")),
        (("text", "pair", "label"), {}, Columns(text="text", pair="pair", label="label")),
        (("text", "pair", "label"), {"text": "pair"}, Columns(text="pair", label="label")),
        (("a", "label", "b"), {"text": "a", "pair": "b"}, Columns(text="a", pair="b", label="label")),
    ],
)
def test_columns_that_are_not_named_have_their_usual_names(
    tmp_path: Path, header: tuple[str, ...], own: dict[str, str], columns: Columns
) -> None:
    rows = [[f"{name} {n} {n % 2}" if name != "label" else n % 2 for name in header] for n in range(20)]
    path = write_csv(tmp_path / "a.csv", header, rows)
    task = draft_task(OwnFile(path, **own), "a").task  # type: ignore[arg-type]
    assert task.data.file is not None
    assert task.data.file.columns == columns


def test_no_other_name_is_guessed(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", ("Text", "sentence", "labels"), [("a", "b", "c")])
    with pytest.raises(UsageError, match=r"no column text, label \(it has: Text, sentence, labels\)"):
        draft_task(OwnFile(path), "a")


def test_a_column_cannot_be_two_things(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", ("text", "label"), [("a", "b")])
    with pytest.raises(UsageError, match="one column cannot be two things"):
        draft_task(OwnFile(path, text="label"), "a")


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("Reviews 2024 (final).csv", "reviews-2024-final"),
        ("sst2.tsv", "sst2-file"),
        ("\u8bc4\u8bba.csv", "rows-6849b8"),
        ("\u8bc4\u8bba 2024.csv", "2024-5215c1"),
        ("\u00c9t\u00e9.csv", "ete"),
        ("E\u0301te\u0301.csv", "ete"),
        ("!.csv", "rows-bb7208"),
        (f"{'long' * 60}.csv", f"{'long' * 15}-521181"),
        ("a_b.c.jsonl", "a_b.c"),
    ],
)
def test_a_task_is_named_by_its_file(file: str, name: str) -> None:
    assert name_task(Path("some", file), {"sst2", "mnli"}) == name
    assert is_name(name)
    assert name_task(Path("a.csv"), {"a", "a-file"}) == "a-file-file"


def test_files_of_other_letters_alone_have_different_names() -> None:
    names = {
        name_task(Path(f"{stem}.csv"), ())
        for stem in ("\u8bc4\u8bba", "\u65b0\u95fb", "\u041e", "\U0001f600")
    }
    assert len(names) == 4


def test_an_unknown_user_and_a_name_that_is_no_text_are_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no user 'nobody-of-this-name'"):
        draft_task(OwnFile(Path("~nobody-of-this-name/a.csv")), "a")
    path = write_reviews(tmp_path / "bad\udcff.csv")
    with pytest.raises(UsageError, match="is not UTF-8") as caught:
        draft_task(OwnFile(path, text="review", label="stars"), "a")
    assert "Rename" in caught.value.hint


def test_the_prompt_lists_the_label_words() -> None:
    single = draft_prompt(["card_arrival", "cardLost"], is_pair=False)
    assert single.instruction == "Classify the text. Answer with one of: card arrival, card lost"
    assert (single.template, single.cue) == ("Text: {text}", "Label:")
    assert single.words == {"card_arrival": "card arrival", "cardLost": "card lost"}
    pair = draft_prompt(["yes", "no"], is_pair=True)
    assert pair.instruction.startswith("Classify the pair of texts.")
    assert pair.template == "First: {text}\nSecond: {pair}"


@pytest.mark.parametrize("label", ["a_label_with_a_long_name", "\u4e00\u4e2a\u5f88\u957f\u7684\u6807\u7b7e"])
def test_lora_has_room_for_a_long_instruction_and_a_text(tmp_path: Path, label: str) -> None:
    rows = [(f"text {n}", f"{label}_{n % 80}") for n in range(400)]
    task = draft_task(OwnFile(write_csv(tmp_path / "a.csv", ("text", "label"), rows)), "a").task
    # A token is four bytes of English or a Chinese sign, which is three.
    tokens = len(task.prompt.instruction.encode()) // 3
    assert task.train["lora"]["max_length"] > tokens + LORA_DEFAULTS["max_length"]


def test_two_to_a_hundred_labels_become_a_task(tmp_path: Path) -> None:
    for n_labels in (2, 100):
        rows = [(f"text {n}", f"label {n % n_labels}") for n in range(500)]
        draft = draft_task(OwnFile(write_csv(tmp_path / "a.csv", ("text", "label"), rows)), "a")
        check_task(draft.task, "the draft")
        assert len(draft.task.labels) == n_labels
        assert sum(draft.counts["dev"]) == 100
