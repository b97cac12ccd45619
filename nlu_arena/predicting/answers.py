"""From scores to rows: what stands beside the columns of the file."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import Any

from nlu_arena.predicting.texts import Chunk


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
    chunk: Chunk, scores: Sequence[Sequence[float]], columns: Sequence[str], labels: Sequence[str]
) -> list[list[Any]]:
    """Return rows of values: the file's columns, then label, its probability and that of each label.

    A row without a text has no answer.

    Args:
        chunk: Rows of the file.
        scores: The labels' natural log-probabilities of each text.
        columns: The file's columns.
        labels: The labels in the order of their ids.
    """
    with_text = [place for place, text in enumerate(chunk.texts) if text is not None]
    answered = dict(zip(with_text, scores, strict=True))
    records = []
    for place, row in enumerate(chunk.rows):
        logs = answered.get(place)
        answer = [None] * (2 + len(labels)) if logs is None else _answer(logs, labels)
        records.append([*(row.values.get(name) for name in columns), *answer])
    return records


def _answer(logs: Sequence[float], labels: Sequence[str]) -> list[Any]:
    # As in a run: the label with the highest score, the first of equal ones.
    best = logs.index(max(logs))
    shares = [math.exp(log) for log in logs]
    return [labels[best], shares[best], *shares]
