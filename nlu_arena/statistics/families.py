"""Several tests at once: what is left of each p-value."""

from __future__ import annotations

from collections.abc import Sequence


def holm(p_values: Sequence[float], comparisons: int | None = None) -> list[float]:
    """Return p-values adjusted for being several (Holm 1979), in the same order.

    What stays at or below a level then is significant at it, with at most that chance of a single false one
    among all comparisons. That holds only if all are counted from which these could have been chosen: where
    the data have chosen the best of k, its k - 1 comparisons are some of the k (k - 1) / 2 between any two.
    The p-values of the others need not be known: knowing them could only make these smaller.

    Args:
        p_values: The p-values that are asked for.
        comparisons: How many there are with those that are not; none when it is not given.
    """
    count = len(p_values) if comparisons is None else comparisons
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        # An adjusted value is never below that of a smaller p-value: the steps stop at the first failure.
        highest = max(highest, min(1.0, (count - rank) * p_values[place]))
        adjusted[place] = highest
    return adjusted
