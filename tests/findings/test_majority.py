from __future__ import annotations

from nlu_arena.findings.majority import find_strong, find_weak_places
from nlu_arena.statistics import LEVEL, binomial_greater
from tests.contest import Contest, N
from tests.findings.stage import add_bert, on, rounds_of, scene_of

# Above the majority share of one half by a test alone, and not as one of two.
ALONE = 59


def test_the_tests_account_for_all_that_are_tested() -> None:
    assert LEVEL / 2 < binomial_greater(ALONE, N, 0.5) <= LEVEL
    contest = Contest()
    contest.add("a", range(ALONE))
    (found,) = rounds_of(contest)
    assert [c.model for c in find_strong(found.contenders, found)] == ["a"]
    contest.add("b", range(50))
    (found,) = rounds_of(contest)
    assert find_strong(found.contenders, found) == []


def test_the_reference_is_weak_where_it_does_not_beat_the_majority() -> None:
    contest = Contest()
    add_bert(contest, range(90), **on("sst2"))
    add_bert(contest, range(52), **on("rte"))
    assert find_weak_places(scene_of(contest)) == ["rte"]
