"""The wrong answers of a run as a table for a spreadsheet or pandas."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from nlu_arena.metrics import label_probability
from nlu_arena.spec import Example, Prediction, TaskSpec
from nlu_arena.views.text import clean


def write_errors(
    task: TaskSpec,
    examples: Mapping[str, Sequence[Example]],
    answers: Mapping[str, Sequence[Prediction]],
    path: Path,
) -> None:
    """Write every wrong answer, the most confident ones of each split first.

    Args:
        task: Gives the labels their names.
        examples: The texts of each split.
        answers: The predictions of each split.
        path: The file.
    """
    texts = ["premise", "hypothesis"] if task.is_pair else ["text"]
    header = ["split", "index", *texts, "gold", "predicted", "confidence"]
    header += [f"p({clean(label)})" for label in task.labels]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        for split, predictions in answers.items():
            wrong = [p for p in predictions if p.predicted != p.gold]
            for prediction in sorted(wrong, key=lambda p: (-_shares(p)[p.predicted], p.index)):
                writer.writerow(_row(split, examples[split][prediction.index], prediction, task))


def _row(split: str, example: Example, prediction: Prediction, task: TaskSpec) -> list[str | int]:
    shares = _shares(prediction)
    texts = [example.text, example.pair or ""] if task.is_pair else [example.text]
    return [
        split,
        prediction.index,
        *map(clean, [*texts, task.labels[prediction.gold], task.labels[prediction.predicted]]),
        f"{shares[prediction.predicted]:.4f}",
        *(f"{share:.4f}" for share in shares),
    ]


def _shares(prediction: Prediction) -> list[float]:
    return [label_probability(prediction.scores, label) for label in range(len(prediction.scores))]
