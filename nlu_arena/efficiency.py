"""What is worth its cost: the Pareto front of quality and costs."""

from __future__ import annotations

from collections.abc import Hashable, Sequence


def find_front(points: Sequence[tuple[float, ...]]) -> list[bool]:
    """Return for each point whether no other is at least as good in all values and better in one.

    Of equal points all are on the front. An unknown cost is the caller's to leave out or to give as infinity.

    Args:
        points: As many values each: of the first, higher is better; of the others, lower.
    """
    return [not any(_dominates(other, point) for other in points) for point in points]


def find_winners(points: Sequence[tuple[float, ...]], groups: Sequence[Hashable]) -> list[int | None]:
    """Return for each point the place of the first one on the front that beats it.

    None for those that are on the front.

    Args:
        points: As those of `find_front`.
        groups: Only points of an equal group compare: costs of another device mean nothing.
    """
    fronts: dict[Hashable, list[int]] = {}
    for group in set(groups):
        places = [place for place, other in enumerate(groups) if other == group]
        on_front = find_front([points[place] for place in places])
        fronts[group] = [place for place, is_best in zip(places, on_front, strict=True) if is_best]
    return [
        next((place for place in fronts[group] if _dominates(points[place], point)), None)
        for point, group in zip(points, groups, strict=True)
    ]


def _dominates(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    costs_no_more = all(mine <= theirs for mine, theirs in zip(one[1:], other[1:], strict=True))
    return one != other and one[0] >= other[0] and costs_no_more
