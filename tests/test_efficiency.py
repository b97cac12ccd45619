from __future__ import annotations

import math
import random

import pytest

from nlu_arena.efficiency import find_front, find_winners


def test_on_the_front_is_what_nothing_else_matches_in_quality_and_all_costs() -> None:
    best, cheap, dear, slow = (0.9, 10.0, 5.0), (0.8, 1.0, 5.0), (0.8, 2.0, 5.0), (0.85, 10.0, 5.0)
    assert find_front([dear, best, slow, cheap]) == [False, True, False, True]


def test_of_equal_points_all_are_on_the_front() -> None:
    assert find_front([(0.9, 1.0), (0.9, 1.0), (0.9, 2.0)]) == [True, True, False]


def test_a_cost_that_is_infinite_loses_to_every_known_one_and_ties_with_its_like() -> None:
    assert find_front([(0.9, math.inf), (0.9, 5.0)]) == [False, True]
    assert find_front([(0.9, math.inf), (0.8, math.inf)]) == [True, False]
    assert find_front([]) == []


@pytest.mark.parametrize("seed", range(5))
def test_everything_beside_the_front_is_beaten_by_something_on_it(seed: int) -> None:
    rng = random.Random(seed)
    points = [tuple(float(rng.randrange(5)) for _ in range(3)) for _ in range(40)]
    front = [point for point, is_best in zip(points, find_front(points), strict=True) if is_best]
    for point in points:
        better = [
            p for p in front if p != point and p[0] >= point[0] and all(map(float.__le__, p[1:], point[1:]))
        ]
        assert (point in front) == (not better)


def test_the_winner_is_the_first_on_the_front_of_the_same_group() -> None:
    points = [(0.9, 1.0), (0.8, 2.0), (0.95, 0.5), (0.7, 3.0)]
    assert find_winners(points, ["a", "a", "a", "a"]) == [2, 2, None, 2]
    assert find_winners(points, ["a", "a", "b", "b"]) == [None, 0, None, 2]
