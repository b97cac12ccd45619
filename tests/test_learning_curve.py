from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import pytest
from scipy.stats import multinomial

from nlu_arena.contender import Round, find_rounds
from nlu_arena.learning_curve import RESAMPLES, Crossing, find_crossings, find_curves, locate_crossing
from nlu_arena.ledger.shapes import curve_of
from nlu_arena.spec import Subset
from tests.contest import Contest, N
from tests.views.ledgers import quick_plan


def add_point(contest: Contest, rows: int, right: Sequence[int], seed: int = 42, **fields: Any) -> None:
    """A training of the same model on so many rows."""
    given = {"setting": f"{rows} rows", "curve": "c", "train_rows": rows} | fields
    contest.add("small", right, "fine-tune", seed=seed, **given)


def make_round(contest: Contest) -> Round:
    (found,) = find_rounds(contest.cells, contest.labels)
    return found


def cross(contest: Contest) -> Crossing:
    (crossing,) = find_crossings(make_round(contest))
    return crossing


@pytest.mark.parametrize(
    ("leads", "expected"),
    [
        # Half of the way from 32 to 128 on the scale of doublings.
        ([-0.1, 0.1, 0.2], math.log2(64)),
        ([-0.3, -0.1, 0.3], 7 + 0.25 * 2),
        ([0.1, 0.2, 0.3], -math.inf),
        ([-0.1, 0.2, 0.0], math.inf),
        ([0.3, 0.3, -0.1], math.inf),
        # Ahead by chance at first: what lasts begins later.
        ([0.1, -0.1, 0.1], math.log2(256)),
        # Level with it is not ahead.
        ([-0.2, 0.0, 0.2], math.log2(128)),
    ],
)
def test_the_crossing_is_the_last_one_on_a_scale_of_doublings(leads: list[float], expected: float) -> None:
    (found,) = locate_crossing([32, 128, 512], np.array([leads]))
    assert found == pytest.approx(expected)


def test_a_curve_is_of_contenders_that_differ_in_their_rows_only() -> None:
    contest = Contest()
    add_point(contest, 128, range(80))
    add_point(contest, 32, range(60))
    add_point(contest, 512, range(90), curve="another learning rate", setting="other")
    contest.add("small", range(70))
    (curve,) = find_curves(make_round(contest))
    assert (curve.name, curve.model, curve.mode) == ("small fine-tune", "small", "fine-tune")
    assert [(point.train_rows, point.accuracy) for point in curve.points] == [(32, 0.6), (128, 0.8)]
    assert curve.points[0].interval == curve.points[0].contender.interval


def test_two_curves_of_one_model_and_mode_have_different_names() -> None:
    contest = Contest()
    for curve in ("first", "second"):
        for rows in (32, 128):
            add_point(contest, rows, range(60), setting=f"{curve} {rows}", curve=curve)
    assert [curve.name for curve in find_curves(make_round(contest))] == [
        "small fine-tune #1",
        "small fine-tune #2",
    ]


def test_a_limit_above_all_rows_and_no_limit_are_one_point() -> None:
    contest = Contest()
    add_point(contest, 32, range(60))
    add_point(contest, 240, range(80), setting="limit 500")
    add_point(contest, 240, range(81), setting="no limit")
    (curve,) = find_curves(make_round(contest))
    assert [(point.train_rows, point.accuracy) for point in curve.points] == [(32, 0.6), (240, 0.81)]


def test_training_begins_to_beat_prompting_between_the_points_around_it() -> None:
    contest = Contest()
    add_point(contest, 32, range(60))
    add_point(contest, 128, range(80))
    contest.add("llm", range(70))
    crossing = cross(contest)
    assert (crossing.curve, crossing.level) == ("small fine-tune", "llm zero-shot")
    assert crossing.outcome == "from"
    assert crossing.rows == pytest.approx(64)
    assert crossing.low is not None and crossing.high is not None
    assert 32 < crossing.low < 64 < crossing.high < 128


def test_it_can_be_better_already_at_the_fewest_rows_or_not_even_at_the_most() -> None:
    above, below = Contest(), Contest()
    for contest, prompted in ((above, 40), (below, 97)):
        add_point(contest, 32, range(70))
        add_point(contest, 128, range(80))
        contest.add("llm", range(prompted))
    already, never = cross(above), cross(below)
    assert (already.outcome, already.rows, already.low, already.high) == ("already", None, None, 32)
    assert (already.share_already, already.share_not) == (1, 0)
    assert (never.outcome, never.rows, never.low, never.high) == ("not", None, 128, None)
    assert (never.share_already, never.share_not) == (0, 1)
    assert (never.smallest, never.largest) == (32, 128)


def test_where_points_and_level_are_close_the_interval_is_open_and_says_how_often() -> None:
    contest = Contest()
    # Eight texts that only training gets right, five that only the prompt does; then all.
    add_point(contest, 32, [*range(70), *range(75, 83)])
    add_point(contest, 128, range(100))
    contest.add("llm", range(75))
    crossing = cross(contest)
    assert (crossing.outcome, crossing.low) == ("already", None)
    assert crossing.high is not None and crossing.high > 32
    # The resampled lead is a difference of two cells of a multinomial distribution: it is summed up exactly.
    wins, losses = np.mgrid[0:60, 0:60]
    shares = [8 / N, 5 / N, 1 - 13 / N]
    chances = multinomial.pmf(np.stack([wins, losses, N - wins - losses], axis=-1), N, shares)
    expected = float(np.nansum(chances[wins > losses]))
    error = math.sqrt(expected * (1 - expected) / RESAMPLES)
    assert crossing.share_already == pytest.approx(expected, abs=4 * error)


def test_texts_are_paired_so_what_all_get_right_makes_the_interval_no_wider() -> None:
    paired, apart = Contest(), Contest()
    for contest, prompted in ((paired, range(70)), (apart, range(30, 100))):
        add_point(contest, 32, range(60))
        add_point(contest, 128, range(80))
        contest.add("llm", prompted)
    near, far = cross(paired), cross(apart)
    assert near.rows == far.rows
    assert near.low is not None and near.high is not None
    assert far.low is None and far.high is None


def test_seeds_count_by_their_mean_and_where_they_disagree_the_interval_is_wider() -> None:
    sure, unsure = Contest(), Contest()
    for contest, spread in ((sure, 0), (unsure, 8)):
        for seed, shift in ((1, -spread), (2, 0), (3, spread)):
            add_point(contest, 32, range(60 + shift), seed=seed)
            add_point(contest, 128, range(80 + shift), seed=seed)
        contest.add("llm", range(70))
    narrow, wide = cross(sure), cross(unsure)
    assert narrow.rows == pytest.approx(64) and wide.rows == pytest.approx(64)
    assert None not in (narrow.low, narrow.high, wide.low, wide.high)
    assert wide.high / wide.low > 1.5 * narrow.high / narrow.low  # type: ignore[operator]


def test_of_two_seeds_a_resample_has_one_so_that_their_mean_varies_as_it_really_does() -> None:
    contest = Contest()
    for seed, right in ((1, 100), (2, 20)):
        add_point(contest, 32, range(right), seed=seed)
        add_point(contest, 128, range(right), seed=seed)
    contest.add("llm", range(65))
    crossing = cross(contest)
    error = math.sqrt(0.25 / RESAMPLES)
    assert crossing.share_already == pytest.approx(0.5, abs=4 * error)
    assert crossing.share_not == pytest.approx(0.5, abs=4 * error)


def test_the_interval_is_the_same_each_time() -> None:
    contest = Contest()
    add_point(contest, 32, range(60))
    add_point(contest, 128, range(80))
    contest.add("llm", range(20, 90))
    assert cross(contest) == cross(contest)


def test_every_prompted_contender_is_a_level_the_most_accurate_first_and_none_with_an_alarm() -> None:
    contest = Contest()
    add_point(contest, 32, range(60))
    add_point(contest, 128, range(80))
    contest.add("weak", range(62))
    contest.add("strong", range(72), "few-shot", shots=5)
    contest.add("tied", range(90), alarms={"dev": {"ties": "many"}})
    contest.add("tuned", range(75), "lora", train_rows=64)
    crossings = find_crossings(make_round(contest))
    assert [crossing.level for crossing in crossings] == ["strong few-shot", "weak zero-shot"]
    assert crossings[0].level_interval == make_round(contest).contenders[3].interval


def test_without_a_curve_or_without_a_level_there_is_nothing_to_cross() -> None:
    contest = Contest()
    add_point(contest, 32, range(60))
    contest.add("llm", range(70))
    assert find_crossings(make_round(contest)) == []
    contest = Contest()
    add_point(contest, 32, range(60))
    add_point(contest, 128, range(80))
    assert find_crossings(make_round(contest)) == []


def test_a_collapsed_training_stays_on_the_curve() -> None:
    contest = Contest()
    add_point(contest, 32, range(50), alarms={"dev": {"one label": "why"}})
    add_point(contest, 128, range(80))
    (curve,) = find_curves(make_round(contest))
    assert [point.contender.alarms for point in curve.points] == [("one label",), ()]


def test_experiments_are_of_one_curve_where_nothing_but_seed_and_training_rows_differs() -> None:
    experiment = next(e for e in quick_plan() if e.mode == "lora")
    assert experiment.train is not None
    rows = msgspec.structs.replace(experiment.subset, train=7)
    slower = msgspec.structs.replace(experiment.train, lr=1e-9)
    curve, same, every, other = (
        curve_of(msgspec.json.encode(msgspec.structs.replace(experiment, **changes)).decode())
        for changes in ({}, {"seed": 7, "subset": rows}, {"subset": Subset()}, {"train": slower})
    )
    assert curve == same == every != other
