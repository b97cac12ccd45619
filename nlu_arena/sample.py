"""Which rows are used: seeded subsets and few-shot draws, the same for every model and mode."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence

from nlu_arena.errors import RunError
from nlu_arena.spec import Example


def stratified_order(labels: Sequence[int], seed: int) -> list[int]:
    """Return a seeded order of all rows in which every prefix has nearly the labels' own shares.

    Each class is shuffled and spread evenly over the whole: its j-th of m rows stands near (j + u) / m,
    with one random offset u in [0, 1) for each row.
    """
    generator = random.Random(f"subset/{seed}")
    places: list[tuple[float, int]] = []
    rows_of: dict[int, list[int]] = defaultdict(list)
    for index, label in enumerate(labels):
        rows_of[label].append(index)
    for _, rows in sorted(rows_of.items()):
        generator.shuffle(rows)
        places += [((place + generator.random()) / len(rows), row) for place, row in enumerate(rows)]
    return [row for _, row in sorted(places)]


def take_subset(examples: Sequence[Example], limit: int | None, seed: int) -> list[Example]:
    """Return the first `limit` examples of the stratified order, or all in their own order."""
    if limit is None or limit >= len(examples):
        return list(examples)
    return [examples[row] for row in stratified_order([e.label for e in examples], seed)[:limit]]


def normalise(example: Example) -> str:
    """Return an example's words alone, to recognise the same text in another spelling of spaces and case."""
    return " ".join(f"{example.text} {example.pair or ''}".lower().split())


def draw_shots(
    train: Sequence[Example],
    n_labels: int,
    shots: int,
    seed: int,
    *,
    exclude: Sequence[Example] = (),
    min_words: int = 0,
) -> list[Example]:
    """Draw few-shot examples from train: as balanced as their number allows, in shuffled order.

    Args:
        train: The examples to draw from.
        n_labels: How many labels the task has.
        shots: How many examples to draw.
        seed: The draw.
        exclude: Examples that are asked later: none of them, in any spelling, is shown.
        min_words: The shortest text that is shown (SST-2's train is mostly fragments of sentences).

    Raises:
        RunError: The data have too few examples of a label.
    """
    generator = random.Random(f"shots/{seed}")
    asked = {normalise(example) for example in exclude}
    fitting: list[list[Example]] = [[] for _ in range(n_labels)]
    for example in train:
        if len(example.text.split()) >= min_words:
            fitting[example.label].append(example)
    pools = [generator.sample(pool, len(pool)) for pool in fitting]
    # Which labels get one more than the others is random, not the order of the label ids.
    labels = [label for _ in range(shots // n_labels) for label in range(n_labels)]
    labels += generator.sample(range(n_labels), shots % n_labels)
    drawn: list[Example] = []
    for label in labels:
        choice = next((e for e in pools[label] if normalise(e) not in asked), None)
        if choice is None:
            raise RunError(
                f"train has too few examples with label {label} to draw {shots} few-shot examples",
                "Use fewer shots, or more training rows.",
            )
        # Neither itself again nor a duplicate row of it.
        asked.add(normalise(choice))
        drawn.append(choice)
    generator.shuffle(drawn)
    return drawn
