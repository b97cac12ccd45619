"""Which label a value of a label column names: by the task's names, or by a data set's own numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from nlu_arena.errors import RunError
from nlu_arena.spec import TaskSpec


class LabelNames:
    """The labels of a task, found by name alone: exactly, or in any case of letters where one fits only."""

    def __init__(self, labels: Sequence[str]) -> None:
        lower = Counter(label.lower() for label in labels)
        self._ids = {label.lower(): n for n, label in enumerate(labels) if lower[label.lower()] == 1}
        self._exact = {label: number for number, label in enumerate(labels)}

    def find(self, name: str) -> int | None:
        """Return the id of a label, None where it is none of the task's."""
        exact = self._exact.get(name)
        return exact if exact is not None else self._ids.get(name.lower())


# For each row of a table of hundreds of thousands.
_names_of = lru_cache(maxsize=8)(LabelNames)


@lru_cache(maxsize=8)
def _places_of(labels: tuple[str, ...]) -> dict[str, int]:
    """Return the numbers that stand for labels; none where a name is itself a number.

    With the labels 1 to 5 a 0 is an error and not the first of them.
    """
    if any(label.isdecimal() for label in labels):
        return {}
    return {str(number): number for number in range(len(labels))}


def parse_label(value: object, task: TaskSpec, origin: str) -> int:
    """Return the id of a label given by name, or by its number in the published data set's label order.

    Names are compared without case: label ids of another order are the classic silent error.

    Raises:
        RunError: It is none of the task's; the message begins with `origin`.
    """
    text = str(value).strip()
    label = _names_of(task.labels).find(text)
    if label is None:
        label = _places_of(task.labels).get(text)
    if label is None:
        raise RunError(f"{origin}: label {text!r} is none of {', '.join(task.labels)}")
    return label
