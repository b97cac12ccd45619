from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import pytest

from nlu_arena.errors import NothingToShowError
from nlu_arena.ledger.codec import Columns
from nlu_arena.ledger.queries import Reader
from nlu_arena.ledger.rows import Cell
from nlu_arena.spec import Example
from nlu_arena.tui.inspection import REVIEWS_KEPT, Inspection, Inspector, Request
from tests.mistakes.desk import Desk


class Shelf:
    """Stands for a reader of a ledger, and counts what is read."""

    def __init__(self, made: Desk) -> None:
        self._made = made
        self.read: list[str] = []

    def finished(self) -> list[Cell]:
        self.read.append("finished")
        return self._made.cells

    def labels(self, run_id: int, split: str) -> tuple[Sequence[int], Sequence[int]]:
        raise AssertionError("all columns are read, the labels not once more")

    def columns(self, run_id: int, split: str) -> Columns:
        return self._made.columns(run_id, split)

    def examples(self, fingerprint: str, split: str) -> list[Example]:
        self.read.append(fingerprint)
        return self._made.examples


def desk() -> Desk:
    made = Desk([0, 0, 1, 1])
    for task in ("reviews", "topics"):
        given: dict[str, Any] = {"task": task, "fingerprints": {"dev": task}}
        made.add("minilm", [0, 1, 1, 1], family="encoder", mode="fine-tune", key=f"{task} a", **given)
        made.add("qwen", [1, 1, 1, 1], key=f"{task} b", **given)
    made.add("qwen", [1, 0, 0, 0], task="reviews", fingerprints={"dev": "other"}, key="c")
    return made


def look(inspector: Inspector, shelf: Shelf, **wanted: Any) -> Inspection:
    given = {"results": 1, "marked": frozenset(), "task": "", "further": 0, "of_set": 0}
    return inspector.look(cast(Reader, shelf), Request(**(given | wanted)))


def test_the_texts_of_a_task_come_first_and_then_all_others_in_turn() -> None:
    inspector, shelf = Inspector(), Shelf(desk())
    seen = [look(inspector, shelf, task="topics", further=n) for n in range(4)]
    assert [found.review.round.fingerprint for found in seen] == ["topics", "reviews", "other", "topics"]
    assert [(found.place, found.places) for found in seen] == [(2, 3), (0, 3), (1, 3), (2, 3)]


def test_a_task_without_finished_runs_shows_the_first_one() -> None:
    assert look(Inspector(), Shelf(desk()), task="other").review.round.task == "reviews"


def test_the_sets_are_those_of_the_command_and_begin_with_everything_that_is_wrong() -> None:
    inspector, shelf = Inspector(), Shelf(desk())
    seen = [look(inspector, shelf, of_set=n) for n in range(6)]
    assert [(found.error_set.title, found.confusions[0].texts) for found in seen] == [
        ("anybody is wrong", 2),
        ("all are wrong", 1),
        ("all LLMs are wrong, all encoders right", 1),
        ("all encoders are wrong, all LLMs right", 0),
        ("the gold label is likely to be the mistake", 0),
        ("anybody is wrong", 2),
    ]


def test_two_marked_contenders_have_sets_on_which_one_alone_is_wrong() -> None:
    found = look(Inspector(), Shelf(desk()), marked=frozenset({"reviews a", "reviews b"}))
    assert [(s.title, int(s.members.sum())) for s in found.sets[-2:]] == [
        ("minilm fine-tune is wrong, qwen zero-shot is right", 0),
        ("qwen zero-shot is wrong, minilm fine-tune is right", 1),
    ]


@pytest.mark.parametrize("marked", [set(), {"reviews a"}, {"topics a", "topics b"}])
def test_other_marks_have_no_sets_of_their_own(marked: set[str]) -> None:
    assert len(look(Inspector(), Shelf(desk()), marked=frozenset(marked)).sets) == 5


def test_the_same_texts_are_read_once_and_again_with_new_results() -> None:
    inspector, shelf = Inspector(), Shelf(desk())
    look(inspector, shelf)
    look(inspector, shelf, of_set=1)
    assert shelf.read == ["finished", "reviews"]
    look(inspector, shelf, results=2)
    assert shelf.read == ["finished", "reviews"] * 2


def test_only_the_last_texts_are_kept() -> None:
    inspector, shelf = Inspector(), Shelf(desk())
    for further in range(REVIEWS_KEPT + 1):
        look(inspector, shelf, further=further)
    shelf.read.clear()
    look(inspector, shelf, further=REVIEWS_KEPT)
    assert shelf.read == []
    look(inspector, shelf)
    assert shelf.read == ["reviews"]


def test_nothing_finished_is_said() -> None:
    with pytest.raises(NothingToShowError, match="no run is finished yet"):
        look(Inspector(), Shelf(Desk([0])))
