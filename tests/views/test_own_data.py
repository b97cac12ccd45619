"""What is said of a file before its sweep: columns, splits, labels with their words, the prompt."""

from __future__ import annotations

from pathlib import Path

from nlu_arena.ownfile.draft import OwnFile, draft_task
from nlu_arena.views.own_data import draft_lines, new_command
from tests.ownfile.files import write_csv, write_reviews


def test_a_draft_is_described_in_four_lines(tmp_path: Path) -> None:
    path = write_reviews(tmp_path / "reviews.csv", 60)
    lines = list(draft_lines(draft_task(OwnFile(path, text="review", label="stars"), "reviews")))
    assert lines == [
        f"task: reviews, from {path}: columns text 'review', label 'stars'",
        "splits: train 48, dev 12 rows (20% of each label for dev by seed 42, equal texts on one side)",
        "labels with their words and rows: 1 (20), 2 (20), 3 (20)",
        "asked as: Classify the text. Answer with one of: 1, 2, 3",
    ]


def test_of_many_labels_the_most_frequent_are_shown_and_a_long_instruction_is_said(tmp_path: Path) -> None:
    rows = [(f"text {n}", f"some_label_{n % 50}") for n in range(260)]
    draft = draft_task(OwnFile(write_csv(tmp_path / "a.csv", ("text", "label"), rows)), "a")
    _, _, labels, asked, long = draft_lines(draft)
    assert "some_label_0 → 'some label 0' (6), " in labels
    assert labels.endswith("and 42 more (the rarest has 5)")
    assert asked.endswith("…")
    assert "LoRA through it reads up to" in long


def test_pairs_and_dev_files_are_said(tmp_path: Path) -> None:
    header, rows = ("text", "pair", "label"), [("a", "b", "x"), ("c", "d", "y")]
    path = write_csv(tmp_path / "a.csv", header, rows)
    task, splits, *_ = draft_lines(
        draft_task(OwnFile(path, dev=write_csv(tmp_path / "b.csv", header, rows)), "a")
    )
    assert "text 'text', second text 'pair', label 'label'" in task
    assert splits == "splits: train 2, dev 2 rows (each from its own file)"


def test_nothing_of_a_file_is_obeyed_by_a_terminal(tmp_path: Path) -> None:
    rows = [(f"text {n}", f"\x1b[31mlabel\x1b]0;title\x07 {n % 2}") for n in range(20)]
    draft = draft_task(OwnFile(write_csv(tmp_path / "a.csv", ("text", "label"), rows)), "a")
    said = "".join(draft_lines(draft))
    assert "\x1b" not in said
    # The word is what is shown of the name: no arrow to the same.
    assert "→" not in said


def test_a_long_label_is_shown_by_its_beginning(tmp_path: Path) -> None:
    rows = [(f"text {n}", ("short", "l" + "o" * 60 + "ng")[n % 2]) for n in range(20)]
    draft = draft_task(OwnFile(write_csv(tmp_path / "a.csv", ("text", "label"), rows)), "a")
    labels = next(line for line in draft_lines(draft) if line.startswith("labels"))
    assert labels.endswith(f": l{'o' * 39}… (10), short (10)")


def test_the_command_repeats_what_was_said_of_the_file() -> None:
    own = OwnFile(Path("my reviews.csv"), text="review", label="stars", dev=Path("dev.csv"))
    assert new_command(own, "my-reviews") == (
        "nlu-arena new task my-reviews --from 'my reviews.csv' --text review --label stars --dev dev.csv"
    )
