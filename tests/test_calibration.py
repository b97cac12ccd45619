from __future__ import annotations

import random
from array import array
from collections.abc import Sequence

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss

from nlu_arena.calibration import (
    Bin,
    ContenderCalibration,
    find_calibrations,
    measure_calibration,
    probabilities_of,
)
from nlu_arena.contender import find_rounds
from nlu_arena.ledger.codec import Columns
from nlu_arena.metrics import calibration_error, label_probability
from tests.contest import GOLD, Contest, N


def answers(n: int, labels: int, seed: int = 0) -> tuple[list[int], list[int], list[float]]:
    """Gold labels, the answers of scores that lean towards them, and those scores, flat."""
    rng = random.Random(seed)
    gold = [rng.randrange(labels) for _ in range(n)]
    rows = [[rng.gauss(1.5 * (label == truth), 1.0) for label in range(labels)] for truth in gold]
    return gold, [row.index(max(row)) for row in rows], [score for row in rows for score in row]


@pytest.mark.parametrize("labels", [2, 3, 77])
def test_the_brier_score_is_that_of_scikit_learn(labels: int) -> None:
    gold, predicted, scores = answers(500, labels)
    probabilities = probabilities_of(array("d", scores), labels)
    each = ([truth == label for truth in gold] for label in range(labels))
    expected = sum(brier_score_loss(is_it, probabilities[:, i]) for i, is_it in enumerate(each))
    assert measure_calibration(probabilities, gold, predicted).brier == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("labels", [2, 3, 77])
def test_the_calibration_error_is_that_of_the_metrics(labels: int) -> None:
    gold, predicted, scores = answers(500, labels)
    rows = [scores[i : i + labels] for i in range(0, len(scores), labels)]
    confidence = [label_probability(row, label) for row, label in zip(rows, predicted, strict=True)]
    found = measure_calibration(probabilities_of(scores, labels), gold, predicted)
    assert found.ece == pytest.approx(calibration_error(gold, predicted, confidence), abs=1e-9)


def test_large_log_scores_neither_overflow_nor_vanish() -> None:
    probabilities = probabilities_of([5000.0, 5001.0, -5001.0, -5000.0], 2)
    share = 1 / (1 + np.e)
    assert probabilities == pytest.approx(np.array([[share, 1 - share], [share, 1 - share]]), abs=1e-12)


def test_bins_are_closed_above_and_hold_the_means() -> None:
    # 9/15 is the upper end of the ninth bin; 10/15 of the tenth.
    probabilities = np.array([[0.6, 0.4], [0.6, 0.4], [10 / 15, 5 / 15], [1.0, 0.0]])
    found = measure_calibration(probabilities, [0, 1, 0, 0], [0, 0, 0, 0])
    assert len(found.bins) == 15
    assert {place: b for place, b in enumerate(found.bins) if b.count} == {
        8: Bin(2, pytest.approx(0.6), 0.5),
        9: Bin(1, pytest.approx(10 / 15), 1.0),
        14: Bin(1, 1.0, 1.0),
    }
    assert found.bins[0] == Bin(0, 0.0, 0.0)
    assert found.ece == pytest.approx((2 * 0.1 + 5 / 15 + 0) / 4)
    assert found.brier == pytest.approx((2 * 0.16 + 2 * 0.36 + 2 * (5 / 15) ** 2) / 4)
    assert found.accuracy == 0.75


def test_no_answers_are_an_error() -> None:
    with pytest.raises(ValueError, match="no answers"):
        measure_calibration(np.zeros((0, 2)), [], [])


def columns(scores: Sequence[float], calibrated: Sequence[float] | None = None) -> Columns:
    """Answers to the contest's texts: the scores of each, or of all."""
    each = list(scores) if len(scores) > 2 else list(scores) * N
    return Columns(
        gold=array("H", GOLD),
        predicted=array("H", [int(each[i] < each[i + 1]) for i in range(0, len(each), 2)]),
        tied=array("B", [0] * N),
        scores=array("d", each),
        calibrated=None if calibrated is None else array("d", calibrated),
        n_labels=2,
    )


def calibrations(answered: Sequence[Columns]) -> ContenderCalibration:
    """The calibration of one contender with an answer for each seed."""
    contest = Contest()
    for seed in range(len(answered)):
        contest.add("small", range(60), seed=seed)
    (found,) = find_rounds(contest.cells, contest.labels)
    splits = {(run_id, "dev"): answer for run_id, answer in enumerate(answered, start=1)}
    (one,) = find_calibrations(found, lambda run_id, split: splits[run_id, split])
    assert one.round is found and one.contender is found.contenders[0]
    return one


def test_seeds_are_averaged_and_share_the_bins() -> None:
    sure, unsure = columns([0.0, -np.log(9)]), columns([0.0, -np.log(1.5)])
    each = [calibrations([c]).raw for c in (sure, unsure)]
    both = calibrations([sure, unsure]).raw
    for figure in ("accuracy", "ece", "brier"):
        assert getattr(both, figure) == pytest.approx(sum(getattr(c, figure) for c in each) / 2)
    assert both.ece == pytest.approx((0.4 + 0.1) / 2)
    assert [(b.count, b.confidence) for b in both.bins if b.count] == [
        (N, pytest.approx(0.6)),
        (N, pytest.approx(0.9)),
    ]


def test_calibrated_scores_answer_by_their_largest_and_stand_beside_the_raw_ones() -> None:
    truth = [score for gold in GOLD for score in ((0.0, -2.0) if gold == 0 else (-2.0, 0.0))]
    found = calibrations([columns([0.0, -1.0], truth)])
    assert found.calibrated is not None
    assert (found.raw.accuracy, found.calibrated.accuracy) == (0.5, 1.0)
    sure, surer = 1 / (1 + np.exp(-1)), 1 / (1 + np.exp(-2))
    assert (found.raw.ece, found.calibrated.ece) == (pytest.approx(sure - 0.5), pytest.approx(1 - surer))


def test_of_equal_calibrated_scores_the_first_is_the_answer() -> None:
    found = calibrations([columns([-1.0, 0.0], [-2.0, -2.0] * N)]).calibrated
    assert found is not None and found.accuracy == GOLD.count(0) / N
    # The probability that equals the share of right answers leaves no gap.
    assert found.ece == pytest.approx(0)


def test_without_calibrated_scores_of_every_seed_there_is_no_mean_of_them() -> None:
    assert calibrations([columns([0.0, -2.0])]).calibrated is None
    mixed = [columns([0.0, -2.0], [0.0, -1.0] * N), columns([0.0, -2.0])]
    assert calibrations(mixed).calibrated is None
