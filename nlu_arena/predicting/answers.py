"""From scores to rows: what stands beside the columns of the file."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from nlu_arena.datafile import DataRow


def name_answers(taken: Collection[str], labels: Sequence[str]) -> dict[str, str]:
    """Return what the new columns are called, by what they are: label, probability, p(<label>).

    A name that the file has already gets a number.
    """
    names: dict[str, str] = {}
    for name in ("label", "probability", *(f"p({label})" for label in labels)):
        free, number = name, 2
        while free in taken:
            free, number = f"{name}_{number}", number + 1
        names[name] = free
    return names


def make_records(
    rows: Iterable[DataRow], scores: Iterable[Sequence[float]], columns: Sequence[str], labels: Sequence[str]
) -> list[list[Any]]:
    """Return rows of values: the file's columns, then label, its probability and that of each label.

    Args:
        rows: Rows of the file.
        scores: The labels' natural log-probabilities of each row.
        columns: The file's columns.
        labels: The labels in the order of their ids.
    """
    records = []
    for row, logs in zip(rows, scores, strict=True):
        # As in a run: the label with the highest score, the first of equal ones.
        best = logs.index(max(logs))
        shares = [math.exp(log) for log in logs]
        given = [row.values.get(name) for name in columns]
        records.append([*given, labels[best], shares[best], *shares])
    return records
