"""Own files as splits: read once, cut by their texts, and what a person should know of the rows."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from nlu_arena.dataref import resolve_data
from nlu_arena.errors import UsageError
from nlu_arena.ownfile import notes
from nlu_arena.ownfile import splits as module
from nlu_arena.ownfile.draft import OwnFile, draft_task
from nlu_arena.ownfile.splits import FileSplits, read_splits
from nlu_arena.spec import MODES, DataRef, Example, TaskSpec
from tests.ownfile.files import write_csv, write_reviews

Rows = list[tuple[str, str]]
FILLER: Rows = [(f"{word} {number}", word) for word in ("good", "bad") for number in range(10)]


def read(folder: Path, train: Rows, dev: Rows | None = None) -> FileSplits:
    """Draft a task of rows of text and label, and return what was read."""
    path = write_csv(folder / "train.csv", ("text", "label"), train)
    other = None if dev is None else write_csv(folder / "dev.csv", ("text", "label"), dev)
    return draft_task(OwnFile(path, dev=other), "task").splits


def said(splits: FileSplits) -> list[str]:
    return [note.text for note in splits.notes]


def task_of(path: Path) -> tuple[TaskSpec, DataRef]:
    task = draft_task(OwnFile(path, text="review", label="stars"), "reviews").task
    return task, resolve_data(task, "hub")


def test_rows_of_one_text_in_any_spelling_are_on_one_side(tmp_path: Path) -> None:
    spellings = [(text, label) for text, label in FILLER for text in (text, f"  {text.upper()} ")]
    examples = read(tmp_path, spellings).examples
    train, dev = ({row.text.lower().strip() for row in examples[split]} for split in ("train", "dev"))
    assert not train & dev
    assert (len(examples["train"]), len(examples["dev"])) == (32, 8)


def test_both_splits_keep_the_order_of_the_file(tmp_path: Path) -> None:
    examples = read(tmp_path, FILLER).examples
    place = {text: number for number, (text, _) in enumerate(FILLER)}
    for rows in examples.values():
        assert [place[row.text] for row in rows] == sorted(place[row.text] for row in rows)


def test_a_dev_file_is_the_dev_split(tmp_path: Path) -> None:
    found = read(tmp_path, FILLER, [("quite good", "good"), ("quite bad", "bad")])
    assert found.examples["dev"] == [Example("quite good", 1), Example("quite bad", 0)]
    assert len(found.examples["train"]) == 20
    assert not found.notes


def test_files_are_read_once_whoever_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task, ref = task_of(write_reviews(tmp_path / "reviews.csv"))
    monkeypatch.setattr(module, "read_table", lambda *_: pytest.fail("a file was read a second time"))
    assert read_splits(task, ref) is read_splits(task, ref)


def test_another_content_rule_or_label_order_is_read_anew(tmp_path: Path) -> None:
    path = write_reviews(tmp_path / "reviews.csv")
    task, ref = task_of(path)
    assert [row.label for row in read_splits(task, ref).examples["dev"][:3]] == [0, 2, 1]
    other = msgspec.structs.replace(task, labels=("3", "2", "1"))
    labels = [row.label for row in read_splits(other, ref).examples["train"]]
    assert labels == [2 - int(row.text.split()[-1]) % 3 for row in read_splits(other, ref).examples["train"]]
    write_reviews(path, 80)
    again, new = task_of(path)
    assert new.identity != ref.identity
    assert sum(map(len, read_splits(again, new).examples.values())) == 80


def test_left_out_rows_are_noted_with_their_count_and_the_first(tmp_path: Path) -> None:
    assert said(read(tmp_path, [*FILLER, ("", "bad"), (" ", "good")])) == [
        "train.csv: 2 rows without a text left out (the first is row 21)",
    ]
    assert said(read(tmp_path, [("", "bad"), *FILLER])) == [
        "train.csv: 1 row without a text left out (row 1)",
    ]


def test_texts_with_contradicting_labels_are_noted_with_their_count(tmp_path: Path) -> None:
    rows = [*FILLER, ("GOOD 1", "bad"), ("good 2", "bad"), ("good  2", "good"), ("bad 1", "bad")]
    (note,) = said(read(tmp_path, rows))
    assert note.startswith("train.csv: 2 texts have different labels")


def test_dev_texts_that_are_also_in_train_are_kept_and_noted(tmp_path: Path) -> None:
    found = read(tmp_path, FILLER, [("Good 1", "good"), ("bad  3", "bad"), ("new", "bad")])
    assert len(found.examples["dev"]) == 3
    assert said(found) == [
        "dev.csv: 2 of 3 rows of dev have a text that is also in train: they flatter what is trained",
    ]


def test_a_label_with_one_text_stays_in_train_and_is_noted_by_name(tmp_path: Path) -> None:
    found = read(tmp_path, [*FILLER, ("so so", "mixed")])
    assert [row.text for row in found.examples["train"] if row.label == 2] == ["so so"]
    assert said(found) == ["train.csv: a label has no row in dev and cannot be scored: mixed"]
    rare = [(f"rare {number}", f"rare {number}") for number in range(8)]
    assert said(read(tmp_path, [*FILLER, *rare])) == [
        "train.csv: 8 labels have no row in dev and cannot be scored:"
        " rare 0, rare 1, rare 2, rare 3, rare 4, …",
    ]


def test_a_dev_split_of_few_different_texts_is_noted_and_one_of_nearly_as_many_is_not(tmp_path: Path) -> None:
    copies = [(text, label) for text, label in FILLER for _ in range(20)]
    assert said(read(tmp_path, copies)) == [
        "train.csv: the 80 rows of dev have only 4 different texts: intervals and comparisons, which count"
        " rows, look surer than they are",
    ]
    note, _ = said(read(tmp_path, FILLER, [("new", "bad"), ("NEW ", "bad")]))
    assert note.startswith("dev.csv: the 2 rows of dev have 1 text only: ")
    five_of_four = [("new 0", "bad"), *((f"new {n}", "good") for n in (1, 1, 2, 3))]
    assert not said(read(tmp_path, FILLER, five_of_four))


def test_labels_that_are_mostly_fractions_are_noted_as_a_regression(tmp_path: Path) -> None:
    def note(labels: list[str]) -> list[str]:
        rows = [(f"text {n}", labels[n % len(labels)]) for n in range(10 * len(labels))]
        return said(read(tmp_path, rows))

    (text,) = note(["0.37", "0.5", "1,25", "2"])
    assert text.startswith("train.csv: most labels are fractions (0.37, 0.5, 1,25, …): if they are amounts")
    assert not note(["0.5", "1", "1.5", "2"])
    assert not note(["1.0", "2.0", "3.0"])
    with pytest.raises(
        UsageError, match=r"no row can be spared .*; most labels are fractions: is it a regression"
    ):
        read(tmp_path, [(f"text {n}", f"0.{n}7") for n in range(9)])


def test_a_note_is_about_the_modes_that_use_what_is_odd(tmp_path: Path) -> None:
    def modes(train: Rows, dev: Rows | None = None) -> list[tuple[str, ...]]:
        return [note.modes for note in read(tmp_path, train, dev).notes]

    new = [("new", "bad"), ("new too", "good")]
    trained, with_train = ("fine-tune", "lora"), ("fine-tune", "few-shot", "lora")
    assert modes([*FILLER, ("", "bad")]) == [MODES]
    assert modes([*FILLER, ("", "bad")], new) == [with_train]
    assert modes(FILLER, [*new, ("", "bad")]) == [MODES]
    assert modes([*FILLER, ("good 1", "bad")], new) == [with_train]
    assert modes(FILLER, [*new, ("new", "good"), ("new 3", "good")]) == [MODES, MODES]
    # The examples that a few-shot prompt shows are never among the texts that are asked.
    assert modes(FILLER, [*new, ("good 1", "good")]) == [trained]


def test_a_very_long_file_is_told_of_the_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notes, "MANY_ROWS", 19)
    (note,) = read(tmp_path, FILLER).notes
    assert "20 rows" in note.text
    assert "--limit and --train-limit" in note.text
    assert not note.modes


def test_no_text_to_spare_for_dev_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no row can be spared for the dev split") as caught:
        read(tmp_path, [("a", "good"), ("b", "bad")])
    assert "--dev" in caught.value.hint


def test_a_label_that_the_manifest_does_not_have_is_named_with_its_row(tmp_path: Path) -> None:
    task, ref = task_of(write_reviews(tmp_path / "reviews.csv"))
    short = msgspec.structs.replace(task, labels=("1", "2"))
    with pytest.raises(UsageError, match=r"reviews\.csv, row 3, column 'stars': label '3' is none of 1, 2"):
        read_splits(short, ref)


def test_a_number_is_a_name_and_never_the_place_of_a_label(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", ("text", "label"), [(f"text {n}", n % 2) for n in range(20)])
    task = draft_task(OwnFile(path), "a").task
    named = msgspec.structs.replace(task, labels=("negative", "positive"))
    with pytest.raises(UsageError, match=r"a\.csv, row 1, column 'label': label '0' is none of") as caught:
        read_splits(named, resolve_data(named, "hub"))
    assert "never the place of a label" in caught.value.hint


def test_a_dev_label_that_no_training_row_has_is_named_with_its_row(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "train.csv", ("text", "label"), FILLER)
    dev = write_csv(tmp_path / "dev.csv", ("text", "label"), [("a", "good"), ("b", "mixed")])
    task = draft_task(OwnFile(path, dev=write_csv(tmp_path / "d.csv", ("text", "label"), FILLER)), "t").task
    table = msgspec.structs.replace(task.data.file, dev={"dev": dev.name})
    wider = msgspec.structs.replace(
        task, labels=(*task.labels, "mixed"), data=msgspec.structs.replace(task.data, file=table)
    )
    with pytest.raises(UsageError, match=r"dev\.csv, row 2, column 'label': no training row has the label"):
        read_splits(wider, resolve_data(wider, "hub"))


def test_a_pair_is_one_text(tmp_path: Path) -> None:
    rows = [(f"a {n % 10}", f"b {n}", ("no", "yes")[n % 2]) for n in range(40)]
    path = write_csv(tmp_path / "pairs.csv", ("text", "pair", "label"), rows)
    examples = draft_task(OwnFile(path), "pairs").splits.examples
    assert (len(examples["train"]), len(examples["dev"])) == (32, 8)
    assert examples["dev"][0].pair is not None
