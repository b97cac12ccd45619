from __future__ import annotations

import math
import random
import struct

import pytest

from nlu_arena.ledger.codec import (
    pack_answers,
    pack_scores,
    unpack_answers,
    unpack_columns,
    unpack_labels,
    unpack_scores,
)
from nlu_arena.spec import Prediction


def as_float32(value: float) -> float:
    return float(struct.unpack("f", struct.pack("f", value))[0])


def draw(n: int, labels: int, *, single: bool, calibrated: bool, seed: int = 0) -> list[Prediction]:
    rng = random.Random(seed)

    def scores() -> tuple[float, ...]:
        values = [rng.uniform(-9, 0) for _ in range(labels)]
        return tuple(map(as_float32, values)) if single else tuple(values)

    return [
        Prediction(
            index=index,
            gold=rng.randrange(labels),
            predicted=rng.randrange(labels),
            scores=scores(),
            calibrated=scores() if calibrated else None,
            tied=rng.random() < 0.1,
        )
        for index in range(n)
    ]


@pytest.mark.parametrize("calibrated", [False, True])
@pytest.mark.parametrize("single", [False, True])
@pytest.mark.parametrize(("n", "labels"), [(1, 2), (120, 3), (872, 2), (500, 300)])
def test_what_is_packed_comes_back_exactly(n: int, labels: int, single: bool, calibrated: bool) -> None:
    predictions = draw(n, labels, single=single, calibrated=calibrated)
    assert unpack_answers(pack_answers(predictions)) == predictions


@pytest.mark.parametrize(("n", "labels"), [(1, 2), (872, 2), (9832, 3), (500, 300)])
def test_labels_are_unpacked_without_the_scores(n: int, labels: int) -> None:
    predictions = draw(n, labels, single=True, calibrated=True)
    gold, predicted = unpack_labels(pack_answers(predictions))
    assert list(gold) == [p.gold for p in predictions]
    assert list(predicted) == [p.predicted for p in predictions]


@pytest.mark.parametrize("calibrated", [False, True])
def test_the_columns_of_a_split_have_what_its_answers_have(calibrated: bool) -> None:
    predictions = draw(100, 3, single=True, calibrated=calibrated)
    columns = unpack_columns(pack_answers(predictions))
    assert columns.n_labels == 3
    assert list(columns.gold) == [p.gold for p in predictions]
    assert list(columns.predicted) == [p.predicted for p in predictions]
    assert list(columns.tied) == [p.tied for p in predictions]
    assert list(columns.scores) == [score for p in predictions for score in p.scores]
    expected = [score for p in predictions for score in p.calibrated or ()]
    assert columns.calibrated is None if not calibrated else list(columns.calibrated or ()) == expected


def test_extreme_scores_come_back_exactly() -> None:
    scores = (-math.inf, -1e300, 5e-324)
    predictions = [Prediction(0, 0, 2, scores)]
    assert unpack_answers(pack_answers(predictions)) == predictions
    assert unpack_scores(pack_scores(scores)) == scores


def test_answers_of_a_float32_model_take_few_bytes() -> None:
    predictions = draw(10_000, 3, single=True, calibrated=False)
    assert len(pack_answers(predictions)) < 10_000 * 3 * 4 + 10_000 * 2


def test_answers_out_of_order_or_with_gaps_are_refused() -> None:
    predictions = draw(5, 2, single=True, calibrated=False)
    with pytest.raises(ValueError, match="not in the order"):
        pack_answers(predictions[::-1])
    with pytest.raises(ValueError, match="not in the order"):
        pack_answers(predictions[1:])


def test_answers_with_different_scores_are_refused() -> None:
    plain = draw(2, 2, single=True, calibrated=False)
    with_calibrated = draw(2, 2, single=True, calibrated=True)
    with pytest.raises(ValueError, match="same scores"):
        pack_answers([plain[0], with_calibrated[1]])
    with pytest.raises(ValueError, match="same scores"):
        pack_answers([plain[0], draw(2, 3, single=True, calibrated=False)[1]])
