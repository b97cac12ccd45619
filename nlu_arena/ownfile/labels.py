"""The labels of a file: as found, in a fixed order, and few enough to be classes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from nlu_arena.errors import UsageError
from nlu_arena.label_names import LabelNames
from nlu_arena.ownfile.table import NUMBER, FileTable

MOST_LABELS = 100
INTEGER = re.compile(r"[+-]?\d+")
# With a fraction that is not zero: 4.0 is a whole number of stars.
AMOUNT = re.compile(r"[+-]?\d*[.,]\d*[1-9]\d*(e[+-]?\d+)?", re.IGNORECASE)
# Characters of a label where it is shown, and labels in an error.
SHOWN_CHARACTERS = 40
SHOWN_LABELS = 20
# A name of a class seldom has more words.
FREE_TEXT_WORDS = 6


def find_labels(names: Sequence[str], path: Path, column: str) -> tuple[str, ...]:
    """Return the different labels of a file: integers by their value, other names as texts.

    Raises:
        UsageError: There is one only, or more than 100.
    """
    found = Counter(names)
    if len(found) == 1:
        raise UsageError(
            f"{path}, column {column!r}: all {len(names):,} rows have the one label {show_label(names[0])!r}",
            "A task has two labels or more; name another column with --label.",
        )
    if len(found) > MOST_LABELS:
        raise UsageError(
            f"{path}, column {column!r}: {len(found):,} different labels, at most {MOST_LABELS} can be told"
            f" apart; {_describe_many(found)}",
            "Name the column of the classes with --label, or join rare classes.",
        )
    return order_labels(found)


def order_labels(found: Mapping[str, int]) -> tuple[str, ...]:
    """Return labels in their order: by value if all are integers, otherwise by their text."""
    if all(INTEGER.fullmatch(name) for name in found):
        return tuple(sorted(found, key=lambda name: (int(name), name)))
    return tuple(sorted(found))


def check_dev_labels(dev: FileTable, known: Sequence[str], column: str) -> None:
    """Refuse a label of the dev file that no training row has: it could never be learnt.

    What counts as the same label is what counts when the rows are read.

    Raises:
        UsageError: There is one; the message has its first row.
    """
    names = LabelNames(known)
    unknown = {name for name in set(dev.labels) if names.find(name) is None}
    strange = [place for place, name in enumerate(dev.labels) if name in unknown]
    if not strange:
        return
    first = strange[0]
    labels = len({dev.labels[place] for place in strange})
    more = f" ({labels} such labels in all)" if labels > 1 else ""
    raise UsageError(
        f"{dev.path}, row {dev.rows[first]:,}, column {column!r}: no training row has the label"
        f" {show_label(dev.labels[first])!r}{more}",
        f"The labels of the training rows: {show_labels(known, SHOWN_LABELS)}.",
    )


def look_like_amounts(labels: Sequence[str]) -> bool:
    """Say whether most labels are numbers with a fraction."""
    return sum(AMOUNT.fullmatch(label) is not None for label in labels) * 2 > len(labels)


def show_label(label: str) -> str:
    """Return a label, or its beginning where it is long."""
    return label if len(label) <= SHOWN_CHARACTERS else f"{label[:SHOWN_CHARACTERS]}…"


def show_labels(labels: Sequence[str], most: int) -> str:
    """List labels for people, at most some of them."""
    return ", ".join([*map(show_label, labels[:most]), *(["…"] if len(labels) > most else [])])


def _describe_many(found: Mapping[str, int]) -> str:
    """Say what a column with very many values looks like, and show three of them."""
    examples = ", ".join(repr(show_label(name)) for name in list(found)[:3])
    if all(NUMBER.fullmatch(name) for name in found):
        looks = "they look like numbers to be estimated (a regression), or like row numbers"
    elif sum(len(name.split()) for name in found) > FREE_TEXT_WORDS * len(found):
        looks = "they look like free text"
    elif len(found) * 2 > sum(found.values()):
        looks = "most rows have one of their own"
    else:
        looks = "they look like names"
    return f"{looks}: {examples}"
