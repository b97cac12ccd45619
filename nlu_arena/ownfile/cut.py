"""Cutting a dev split from one file: by a seed, by label, and with all rows of a text on one side."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from nlu_arena.spec import DevSplit


class _Text(NamedTuple):
    """One text in all its spellings: how many rows have it, and their labels."""

    rows: int
    labels: frozenset[int]


def cut_dev(texts: Sequence[str], labels: Sequence[int], split: DevSplit) -> list[bool]:
    """Say for each row whether it goes to dev.

    A text's rows stay together, so that no dev text was seen in training. Each label gives its share of rows
    to dev, and keeps at least one text on either side; one with a single text keeps it in train. The draw
    depends on the order of the rows and on the seed alone.

    Args:
        texts: The normalised text of each row.
        labels: The label id of each row.
        split: The share and the seed.
    """
    ids: dict[str, int] = {}
    text_of_row = [ids.setdefault(text, len(ids)) for text in texts]
    found = _describe_texts(text_of_row, labels, len(ids))
    owned = _share_out(found)
    in_dev = [False] * len(found)
    for label in sorted(owned):
        generator = random.Random(f"cut/{split.seed}/{label}")
        for text in _draw(owned[label], found, split.share, generator):
            in_dev[text] = True
    _repair(found, in_dev)
    return [in_dev[text] for text in text_of_row]


def _describe_texts(text_of_row: Sequence[int], labels: Sequence[int], n_texts: int) -> list[_Text]:
    rows = [0] * n_texts
    found: list[frozenset[int] | None] = [None] * n_texts
    # Nearly all texts have one label: one set for all of these.
    alone = {label: frozenset({label}) for label in set(labels)}
    for text, label in zip(text_of_row, labels, strict=True):
        rows[text] += 1
        known = found[text]
        found[text] = alone[label] if known is None else known if label in known else known | {label}
    return [_Text(count, known or frozenset()) for count, known in zip(rows, found, strict=True)]


def _share_out(found: Sequence[_Text]) -> dict[int, list[int]]:
    """Give each text to one label; one with several labels to the label with the fewest texts."""
    n_texts = Counter(label for text in found for label in text.labels)
    owned: dict[int, list[int]] = defaultdict(list)
    for number, text in enumerate(found):
        owned[min(text.labels, key=lambda label: (n_texts[label], label))].append(number)
    return owned


def _draw(texts: list[int], found: Sequence[_Text], share: float, generator: random.Random) -> list[int]:
    """Draw texts of one label until they have its share of rows."""
    if len(texts) == 1:
        return []
    wanted = max(1, round(share * sum(found[text].rows for text in texts)))
    generator.shuffle(texts)
    drawn, rows = [], 0
    for text in texts:
        # A text with so many rows that it would be more than the share stays in train.
        if rows + found[text].rows <= wanted:
            drawn.append(text)
            rows += found[text].rows
    return drawn or [min(texts, key=lambda text: found[text].rows)]


def _repair(found: Sequence[_Text], in_dev: list[bool]) -> None:
    """Move texts of several labels, so that a label with two texts or more has one on either side.

    Where two labels want the same text on different sides, train keeps it.
    """
    if all(len(text.labels) == 1 for text in found):
        return
    sides: dict[int, Counter[bool]] = defaultdict(Counter)
    for text, side in zip(found, in_dev, strict=True):
        for label in text.labels:
            sides[label][side] += 1
    # What train lacks comes last: it has the last word.
    for side in (True, False):
        for label in sorted(sides):
            if sides[label][side] or sides[label][not side] < (2 if side else 1):
                continue
            number = _find_movable(found, in_dev, sides, label, side)
            if number is not None:
                in_dev[number] = side
                for other in found[number].labels:
                    sides[other][side] += 1
                    sides[other][not side] -= 1


def _find_movable(
    found: Sequence[_Text],
    in_dev: Sequence[bool],
    sides: dict[int, Counter[bool]],
    label: int,
    side: bool,
) -> int | None:
    """Return the smallest text of a label that can go to a side without leaving the other without a label."""
    numbers = [n for n, text in enumerate(found) if label in text.labels and in_dev[n] is not side]
    free = [n for n in numbers if all(sides[other][not side] > 1 for other in found[n].labels)]
    candidates = free or ([] if side else numbers)
    return min(candidates, key=lambda number: found[number].rows, default=None)
