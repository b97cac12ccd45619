"""What is counted in the splits that were read, and where it differs from what is published."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from nlu_arena.spec import Example, TaskSpec


def count_labels(examples: Iterable[Example], n_labels: int) -> tuple[int, ...]:
    """Return the number of examples of each label, by label id."""
    found = Counter(example.label for example in examples)
    return tuple(found[label] for label in range(n_labels))


def find_differences(task: TaskSpec, counts: Mapping[str, Sequence[int]]) -> dict[str, str]:
    """Say for each split that is not as published what was found in it.

    Args:
        task: Its manifest says what is published.
        counts: The rows of each label, by split; a split that nothing is published of agrees.

    Returns:
        a sentence by split ("500 rows, GLUE has 9,815"), empty where all agree or nothing is published.
    """
    if task.published is None:
        return {}
    differences = {}
    for split, found in counts.items():
        rows, published = sum(found), task.published.counts.get(split)
        published_rows = task.published_rows.get(split, rows)
        if rows != published_rows:
            differences[split] = f"{rows:,} rows, {task.published.name} has {published_rows:,}"
        elif isinstance(published, tuple) and tuple(found) != published:
            differences[split] = f"labels {_join(found)}, {task.published.name} has {_join(published)}"
    return differences


def _join(numbers: Sequence[int]) -> str:
    return "/".join(f"{number:,}" for number in numbers)
