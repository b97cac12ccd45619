from __future__ import annotations

from typing import Any

from nlu_arena.comparing import Pair, pool
from nlu_arena.contender import find_rounds
from tests.contest import Contest


def add_both(contest: Contest, task: str, models: tuple[str, ...] = ("base", "other"), **fields: Any) -> None:
    given = {"task": task, "fingerprints": {"dev": f"texts of {task}"}} | fields
    for model in models:
        contest.add(model, range(60), **given)


def pair_up(contest: Contest) -> list[Pair]:
    return [
        Pair(this, found.contenders[0], found)
        for found in find_rounds(contest.cells, contest.labels)
        for this in found.contenders[1:]
    ]


def test_a_contender_is_pooled_over_the_tasks_that_it_shares_with_the_baseline() -> None:
    contest = Contest()
    add_both(contest, "reviews", ("base", "other", "third"))
    add_both(contest, "topics")
    (found,) = pool(pair_up(contest))
    assert [(pair.this.name, pair.round.task) for pair in found.pairs] == [
        ("other zero-shot", "reviews"),
        ("other zero-shot", "topics"),
    ]


def test_a_second_split_of_a_task_is_no_further_task() -> None:
    contest = Contest()
    add_both(contest, "nli")
    splits = {"matched": contest.cells[0].by_split["dev"], "mismatched": contest.cells[0].by_split["dev"]}
    contest = Contest()
    add_both(contest, "nli", by_split=splits, fingerprints={"matched": "f1", "mismatched": "f2"})
    assert pool(pair_up(contest)) == []
    add_both(contest, "reviews")
    (found,) = pool(pair_up(contest))
    assert [pair.round.split for pair in found.pairs] == ["matched", "dev"]


def test_of_several_selections_of_a_task_the_largest_counts_once() -> None:
    contest = Contest()
    add_both(contest, "reviews")
    add_both(contest, "topics")
    pairs = pair_up(contest)
    smaller = pairs[0].round._replace(n=50, fingerprint="a part of them")
    (found,) = pool([pairs[0]._replace(round=smaller), *pairs])
    assert [pair.round.n for pair in found.pairs] == [100, 100]
