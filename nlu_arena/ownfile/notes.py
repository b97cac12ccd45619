"""What is odd in a person's files but can be gone on with: one line for each thing, with its count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from nlu_arena.dataref import TRAIN
from nlu_arena.ownfile.table import FileTable
from nlu_arena.spec import Example

MANY_ROWS = 500_000
MOST_NAMED = 5


def note_file(file: FileTable) -> list[str]:
    """Say what was left out of a file, and what helps where it is very long."""
    notes = []
    if file.empty:
        rows = "1 row" if file.empty == 1 else f"{file.empty:,} rows"
        first = "" if file.empty == 1 else "the first is "
        notes.append(f"{file.path.name}: {rows} without a text left out ({first}row {file.first_empty:,})")
    if len(file.texts) > MANY_ROWS:
        notes.append(
            f"{file.path.name} has {len(file.texts):,} rows: --limit and --train-limit take a seeded,"
            " stratified part of dev and train"
        )
    return notes


def note_contradictions(
    examples: Mapping[str, Sequence[Example]], keys: Mapping[str, Sequence[str]]
) -> list[str]:
    """Count the texts that stand in the files with more than one label."""
    first: dict[str, int] = {}
    contradicted: set[str] = set()
    for split, rows in examples.items():
        for row, key in zip(rows, keys[split], strict=True):
            if first.setdefault(key, row.label) != row.label:
                contradicted.add(key)
    if not contradicted:
        return []
    texts = "1 text has" if len(contradicted) == 1 else f"{len(contradicted):,} texts have"
    return [f"{texts} different labels in different rows: no model can be right on all of them"]


def note_overlap(keys: Mapping[str, Sequence[str]]) -> list[str]:
    """Count the rows of each dev split whose normalised text is also in train."""
    trained = set(keys[TRAIN])
    notes = []
    for split in (split for split in keys if split != TRAIN):
        seen = sum(key in trained for key in keys[split])
        if seen:
            rows = f"{seen:,} of {len(keys[split]):,} rows"
            notes.append(f"{rows} of {split} have a text that is also in train: they flatter what is trained")
    return notes


def note_unscored(examples: Mapping[str, Sequence[Example]], labels: Sequence[str]) -> list[str]:
    """Name the labels that a dev split has no row of."""
    notes = []
    for split in (split for split in examples if split != TRAIN):
        found = Counter(example.label for example in examples[split])
        missing = [label for number, label in enumerate(labels) if not found[number]]
        if missing:
            known = "a label has" if len(missing) == 1 else f"{len(missing)} labels have"
            notes.append(f"{known} no row in {split} and cannot be scored: {_shorten(missing)}")
    return notes


def _shorten(names: Sequence[str]) -> str:
    return ", ".join([*names[:MOST_NAMED], *(["…"] if len(names) > MOST_NAMED else [])])
