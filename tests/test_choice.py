from __future__ import annotations

import pytest

from nlu_arena.choice import choose_round, find_task, name_round
from nlu_arena.contender import find_rounds
from nlu_arena.errors import NothingToShowError, UsageError
from tests.contest import Contest

REGISTERED = {"sst2": "sst2", "sst-2": "sst2", "rte": "rte"}


@pytest.fixture
def contest() -> Contest:
    made = Contest()
    made.add("a", range(80), task="sst2")
    made.add("a", range(80), task="reviews")
    return made


@pytest.mark.parametrize(
    ("wanted", "name"),
    [("sst2", "sst2"), ("SST-2", "sst2"), ("Reviews", "reviews")],
    ids=["name", "alias", "own"],
)
def test_a_task_is_found_by_name_or_alias_in_any_case(contest: Contest, wanted: str, name: str) -> None:
    assert find_task(wanted, contest.cells, [], REGISTERED) == name


def test_an_unknown_task_is_a_wrong_usage_and_the_nearest_names_are_said(contest: Contest) -> None:
    with pytest.raises(UsageError, match=r"there is no task 'reviews\.csv'") as caught:
        find_task("reviews.csv", contest.cells, [], REGISTERED)
    assert "Did you mean reviews?" in caught.value.hint


def test_a_task_without_runs_names_the_command_that_makes_some(contest: Contest) -> None:
    with pytest.raises(NothingToShowError, match="no run of the task 'rte', only of reviews, sst2") as caught:
        find_task("rte", contest.cells, [], REGISTERED)
    assert "nlu-arena sweep --profile quick --task rte" in caught.value.hint
    with pytest.raises(NothingToShowError, match="no finished run yet"):
        find_task("rte", [], [], REGISTERED)


@pytest.mark.parametrize(
    ("state", "command"), [("running", "nlu-arena status --watch"), ("failed", "`nlu-arena status`")]
)
def test_a_task_whose_runs_are_not_finished_says_in_what_state_they_are(state: str, command: str) -> None:
    contest = Contest()
    contest.add("a", range(80), task="rte", state=state)
    contest.add("b", range(80), task="rte", state="waiting")
    with pytest.raises(NothingToShowError, match=f"1 {state}, 1 waiting") as caught:
        find_task("rte", [], contest.cells, REGISTERED)
    assert command in caught.value.hint


def test_a_task_that_waits_while_another_one_runs_is_followed_with_the_sweep() -> None:
    contest = Contest()
    contest.add("a", range(80), task="rte", state="waiting")
    contest.add("a", range(80), task="sst2", state="running")
    with pytest.raises(NothingToShowError, match=r"1 waiting$") as caught:
        find_task("rte", [], contest.cells, REGISTERED)
    assert "nlu-arena status --watch" in caught.value.hint


def test_the_round_is_the_largest_with_a_choice_and_of_equal_ones_the_newest() -> None:
    contest = Contest()
    for model in ("a", "b"):
        contest.add(model, range(80), fingerprints={"dev": "old"})
    for model in ("a", "b"):
        contest.add(model, range(80), fingerprints={"dev": "new"})
    contest.add("a", range(80), fingerprints={"dev": "lonely"})
    rounds = find_rounds(contest.cells, contest.labels)
    assert choose_round(rounds).fingerprint == "new"
    larger = rounds[0]._replace(n=101)
    assert choose_round([larger, *rounds]) is larger
    alone = rounds[2]._replace(n=101)
    assert choose_round([alone, *rounds]).fingerprint == "new"
    assert name_round(rounds[2]) == "1 contender on 100 texts of file data (lonely)"


def test_published_splits_stand_for_a_task_before_more_texts_do() -> None:
    contest = Contest()
    for texts, fields in (("hub", {"published": "GLUE"}), ("starter", {})):
        for model in ("a", "b"):
            contest.add(model, range(80), setting=f"{model} {texts}", fingerprints={"dev": texts}, **fields)
    hub, starter = find_rounds(contest.cells, contest.labels)
    assert choose_round([hub, starter._replace(n=120)]) is hub


def test_a_second_split_does_not_stand_for_a_task() -> None:
    contest = Contest()
    contest.add("a", range(80))
    (found,) = find_rounds(contest.cells, contest.labels)
    second = found._replace(split="mismatched", is_main=False, n=500)
    assert choose_round([second, found]) is found
