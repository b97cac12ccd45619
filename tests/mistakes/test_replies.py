from __future__ import annotations

import numpy as np
import pytest

from nlu_arena.mistakes.replies import Reply, read_reply, read_scores
from tests.mistakes.desk import Desk


def reply(desk: Desk) -> Reply:
    (met,) = desk.rounds
    return read_reply(met.contenders[0], met, desk.columns)


def test_of_one_seed_the_answers_are_its_own() -> None:
    desk = Desk([0, 1, 1, 0])
    desk.add("a", [0, 0, 1, 1], sure=0.8)
    said = reply(desk)
    assert said.wrong.tolist() == [False, True, False, True]
    assert said.predicted.tolist() == [0, 0, 1, 1]
    assert said.confidence == pytest.approx([0.8] * 4)
    assert said.confusions.tolist() == [[1, 1], [1, 1]]


def test_a_text_is_wrong_where_more_than_half_of_the_seeds_are() -> None:
    desk = Desk([0, 0, 0, 0])
    for seed, predicted in enumerate(([0, 1, 1, 1], [0, 0, 1, 1], [0, 0, 0, 1], [0, 0, 0, 1])):
        desk.add("a", predicted, seed=seed)
    said = reply(desk)
    assert said.wrong_share == pytest.approx([0, 0.25, 0.5, 1])
    assert said.wrong.tolist() == [False, False, False, True]
    assert said.predicted.tolist() == [0, 0, 0, 1]


def test_the_answer_of_several_seeds_is_the_most_frequent_wrong_one_and_of_equals_the_surest() -> None:
    desk = Desk([0, 0], labels=("a", "b", "c"))
    desk.add("m", [1, 1], sure=0.6, seed=1)
    desk.add("m", [1, 2], sure=0.9, seed=2)
    desk.add("m", [2, 0], sure=0.5, seed=3)
    said = reply(desk)
    assert said.predicted.tolist() == [1, 2]
    assert said.confidence == pytest.approx([(0.6 + 0.9 + 0.25) / 3, (0.2 + 0.9 + 0.25) / 3])


def test_confusions_count_the_answers_of_all_seeds() -> None:
    desk = Desk([0, 1, 1])
    desk.add("a", [0, 1, 0], seed=1)
    desk.add("a", [1, 1, 0], seed=2)
    assert reply(desk).confusions.tolist() == [[1, 1], [2, 2]]


def test_labels_that_no_text_has_are_told_apart_by_their_names() -> None:
    # Rows with new labels have come to the training file; the dev texts are the same.
    desk = Desk([0, 1])
    desk.add("old", [0, 0], sure=0.7)
    desk.labels = ("no", "yes", "maybe", "never")
    desk.add("new", [0, 2], sure=0.7)
    desk.labels = ("no", "yes", "never", "maybe")
    desk.add("newer", [2, 1], sure=0.7)
    (met,) = desk.rounds
    assert met.labels == ("no", "yes", "maybe", "never")
    old, new, newer = (read_reply(contender, met, desk.columns) for contender in met.contenders)
    assert (old.predicted.tolist(), new.predicted.tolist()) == ([0, 0], [0, 2])
    assert newer.predicted.tolist() == [3, 1]
    assert newer.confidence == pytest.approx([0.7, 0.7])
    assert newer.confusions.tolist() == [[0, 0, 0, 1], [0, 1, 0, 0], [0] * 4, [0] * 4]


def test_scores_are_given_as_the_runs_recorded_them() -> None:
    desk = Desk([0, 1, 1])
    desk.add("a", [0, 1, 0], seed=1)
    desk.add("a", [1, 1, 0], seed=2)
    (met,) = desk.rounds
    scores = read_scores(met.contenders[0], met.split, [2, 0], desk.columns)
    assert scores.shape == (2, 2, 2)
    recorded = np.asarray(desk.columns(2, "dev").scores).reshape(3, 2)
    assert scores[1].tolist() == [recorded[2].tolist(), recorded[0].tolist()]
