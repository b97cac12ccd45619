"""Which label a value of a label column names: by the task's names, or by the data set's own numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from nlu_arena.errors import RunError
from nlu_arena.spec import TaskSpec


class LabelNames:
    """The labels of a task, found by name in any case of letters, or by their number in the task's order.

    Names that differ in their case only must be given exactly. Where a name is itself a number, numbers are
    names alone: with the labels 1 to 5 a 0 is an error and not the first of them.
    """

    def __init__(self, labels: Sequence[str]) -> None:
        self._labels = labels
        lower = Counter(label.lower() for label in labels)
        self._ids = {str(number): number for number in range(len(labels))}
        if any(label.isdecimal() for label in labels):
            self._ids.clear()
        self._ids |= {label.lower(): n for n, label in enumerate(labels) if lower[label.lower()] == 1}
        self._exact = {label: number for number, label in enumerate(labels)}

    def find(self, name: str) -> int | None:
        """Return the id of a label, None where it is none of the task's."""
        exact = self._exact.get(name)
        return exact if exact is not None else self._ids.get(name.lower())


# For each row of a table of hundreds of thousands.
_names_of = lru_cache(maxsize=8)(LabelNames)


def parse_label(value: object, task: TaskSpec, origin: str) -> int:
    """Return the id of a label given by name, or by its number in the data set's own label order.

    Names are compared without case: label ids of another order are the classic silent error.

    Raises:
        RunError: It is none of the task's; the message begins with `origin`.
    """
    text = str(value).strip()
    label = _names_of(task.labels).find(text)
    if label is None:
        raise RunError(f"{origin}: label {text!r} is none of {', '.join(task.labels)}")
    return label
