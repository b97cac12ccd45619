"""What is odd in a person's files but can be gone on with: one line for each thing, with its count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from nlu_arena.datafile import note_reading
from nlu_arena.dataref import TRAIN
from nlu_arena.ownfile.labels import look_like_amounts, show_labels
from nlu_arena.ownfile.table import FileTable
from nlu_arena.spec import MODES, TRAINED_MODES, Example, Mode

MANY_ROWS = 500_000
MOST_NAMED = 5
# Different texts for each row below which it is said: with 4 for 5 rows, an interval that takes all rows for
# independent is a tenth too narrow where equal texts get equal answers.
FEW_TEXTS = 0.8

USES_TRAIN: tuple[Mode, ...] = tuple(mode for mode in MODES if mode != "zero-shot")


class Note(NamedTuple):
    """One line that names its file, and the modes whose numbers it is about; a mere hint has none."""

    text: str
    modes: tuple[Mode, ...] = ()


def note_file(file: FileTable, modes: tuple[Mode, ...]) -> list[Note]:
    """Say how a file was read, what was left out of it, and what helps where it is very long.

    Args:
        file: What was read.
        modes: Those that use its rows.
    """
    notes = []
    name = file.path.name
    if reading := note_reading(file.path):
        notes.append(Note(f"{name}: {reading}"))
    if file.empty:
        rows = "1 row" if file.empty == 1 else f"{file.empty:,} rows"
        first = "" if file.empty == 1 else "the first is "
        text = f"{name}: {rows} without a text left out ({first}row {file.first_empty:,})"
        notes.append(Note(text, modes))
    if len(file.texts) > MANY_ROWS:
        rows = f"{len(file.texts):,} rows"
        text = f"{name} has {rows}: --limit and --train-limit take a seeded, stratified part of dev and train"
        notes.append(Note(text))
    return notes


def note_labels(path: Path, labels: Sequence[str]) -> list[Note]:
    """Say that labels look like amounts."""
    if not look_like_amounts(labels):
        return []
    text = (
        f"{path.name}: most labels are fractions ({show_labels(labels, 3)}): if they are amounts, to estimate"
        " them is a regression; here each is a class of its own"
    )
    return [Note(text, MODES)]


def note_contradictions(
    files: Iterable[FileTable], examples: Mapping[str, Sequence[Example]], keys: Mapping[str, Sequence[str]]
) -> list[Note]:
    """Count the texts that stand in the files with more than one label.

    Args:
        files: What was read.
        examples: The rows by split.
        keys: The normalised text of each row, by split.
    """
    first: dict[str, int] = {}
    contradicted: set[str] = set()
    for split, rows in examples.items():
        for row, key in zip(rows, keys[split], strict=True):
            if first.setdefault(key, row.label) != row.label:
                contradicted.add(key)
    if not contradicted:
        return []
    texts = "1 text has" if len(contradicted) == 1 else f"{len(contradicted):,} texts have"
    tested = any(not contradicted.isdisjoint(rows) for split, rows in keys.items() if split != TRAIN)
    names = ", ".join(file.path.name for file in files)
    text = f"{names}: {texts} different labels in different rows: no model can be right on all of them"
    return [Note(text, MODES if tested else USES_TRAIN)]


def note_dev(path: Path, split: str, keys: Sequence[str], trained: Sequence[str]) -> list[Note]:
    """Count the rows of a dev split whose text is also in train, and the different texts that it has.

    Args:
        path: The file that the split's rows come from.
        split: The split's name.
        keys: The normalised text of each of its rows.
        trained: Those of the training rows.
    """
    notes = []
    known = set(trained)
    if seen := sum(key in known for key in keys):
        rows = f"{seen:,} of {len(keys):,} rows of {split}"
        text = f"{path.name}: {rows} have a text that is also in train: they flatter what is trained"
        # The examples that a few-shot prompt shows are never among the texts that are asked.
        notes.append(Note(text, TRAINED_MODES))
    texts = len(set(keys))
    if texts < FEW_TEXTS * len(keys):
        count = "1 text only" if texts == 1 else f"only {texts:,} different texts"
        text = (
            f"{path.name}: the {len(keys):,} rows of {split} have {count}: intervals and comparisons, which"
            " count rows, look surer than they are"
        )
        notes.append(Note(text, MODES))
    return notes


def note_unscored(path: Path, split: str, rows: Sequence[Example], labels: Sequence[str]) -> list[Note]:
    """Name the labels that a dev split has no row of.

    Args:
        path: The file that the split's rows come from.
        split: The split's name.
        rows: Its rows.
        labels: The task's labels.
    """
    found = Counter(example.label for example in rows)
    missing = [label for number, label in enumerate(labels) if not found[number]]
    if not missing:
        return []
    known = "a label has" if len(missing) == 1 else f"{len(missing)} labels have"
    names = show_labels(missing, MOST_NAMED)
    return [Note(f"{path.name}: {known} no row in {split} and cannot be scored: {names}", MODES)]
