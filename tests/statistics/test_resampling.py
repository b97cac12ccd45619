from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t as student

from nlu_arena.statistics import Metric, Sample, bootstrap, paired_interval
from tests.statistics.simulation import Contest
from tests.statistics.test_influence import INDEPENDENT, answer, draw_gold

METRICS: tuple[Metric, ...] = ("accuracy", "macro_f1", "mcc")


def make_sample(n: int = 300, seeds: tuple[int, int] = (4, 3), n_labels: int = 3) -> Sample:
    """Return answers of which some texts are hard for both and each seed errs in its own way."""
    gold = draw_gold(n, n_labels)
    hard = answer(gold, n_labels, 99, 0.8)
    sides = [
        np.stack(
            [
                np.where(hard == gold, answer(gold, n_labels, first + seed, 0.95), hard)
                for seed in range(count)
            ]
        )
        for first, count in zip((10, 20), seeds, strict=True)
    ]
    return Sample(gold, sides[0], sides[1], n_labels)


def differences_of_resamples(sample: Sample, metric: Metric, draws: int) -> np.ndarray:
    """Return the differences on texts drawn again, the seeds staying the same."""
    rng = np.random.default_rng(3)
    differences = []
    for _ in range(draws):
        texts = rng.integers(0, len(sample.gold), len(sample.gold))
        first, second = (
            np.mean([INDEPENDENT[metric](sample.gold[texts], one[texts]) for one in side])
            for side in (sample.first, sample.second)
        )
        differences.append(first - second)
    return np.array(differences)


@pytest.mark.parametrize("metric", METRICS)
def test_the_standard_error_is_that_of_texts_drawn_again(metric: Metric) -> None:
    # One run each: seeds are not resampled.
    sample = make_sample(600, (1, 1))
    drawn = differences_of_resamples(sample, metric, 250)
    # A standard deviation of 250 draws is good to 4.5 %; half a text of either kind adds up to 2 %.
    assert bootstrap([sample], metric).standard_error == pytest.approx(float(drawn.std()), rel=0.12)


def test_the_accuracy_s_standard_error_is_exact() -> None:
    sample = make_sample(300, (1, 1))
    right = (sample.first[0] == sample.gold).astype(int) - (sample.second[0] == sample.gold)
    estimate = bootstrap([sample])
    assert estimate.difference == pytest.approx(right.mean(), abs=1e-12)
    assert estimate.standard_error == pytest.approx(np.sqrt((right.var() + 1 / 300) / 300), rel=1e-9)
    assert estimate.degrees_of_freedom == pytest.approx(299)


def test_seeds_drawn_again_add_their_variance() -> None:
    # Texts get harder from left to right, and each seed of the first side gets so many right.
    rights = (380, 360, 330, 372, 358)
    first = np.stack([np.arange(400) >= right for right in rights]).astype(int)
    second = (np.arange(400) >= 350).astype(int)[None]
    estimate = bootstrap([Sample(np.zeros(400, dtype=int), first, second, 2)])
    means = (np.array(rights) / 400)[np.random.default_rng(7).integers(0, 5, (200_000, 5))].mean(1)
    of_seeds = means.var() * 5 / 4
    of_texts = ((first == 0).mean(0) - (second[0] == 0)).var() / 400
    # Part of the seeds' spread is chance on 400 texts. Two seeds whose answers differ on k of them, all for
    # the better, have a difference of variance k (1 - k / 400) / 400^2.
    apart = [abs(a - b) for a in rights for b in rights]
    chance = sum(k * (1 - k / 400) / 400**2 for k in apart) / (2 * 5 * 4)
    expected = of_texts + 1 / 400**2 + of_seeds - chance / 5
    assert estimate.standard_error**2 == pytest.approx(expected, rel=0.01)
    assert estimate.degrees_of_freedom < 50


def test_seeds_that_agree_by_chance_are_no_proof_that_seeds_do_not_matter() -> None:
    # Two seeds with 340 and 344 right, on texts of their own: less apart than chance alone makes them.
    first = np.stack([np.arange(400) < wrong for wrong in (60, 56)]).astype(int)
    first[1] = first[1][::-1]
    right = first == 0
    estimate = bootstrap([Sample(np.zeros(400, dtype=int), first, first[:1], 2)])
    of_texts = (right.mean(0) - right[0]).var() / 400 + 1 / 400**2
    spread = right.mean(1).var(ddof=1)
    assert spread < ((right - right.mean(1, keepdims=True)).var(0, ddof=1)).sum() / 400**2
    assert estimate.standard_error == pytest.approx(np.sqrt(of_texts), rel=1e-9)
    uncertainty = of_texts**2 / 399 + (spread / 2) ** 2
    assert estimate.degrees_of_freedom == pytest.approx(of_texts**2 / uncertainty, rel=1e-9)
    assert estimate.degrees_of_freedom < 60


def test_interval_and_p_values_are_student_s_t() -> None:
    estimate = bootstrap([make_sample()])
    t = student(estimate.degrees_of_freedom)
    d, error = estimate.difference, estimate.standard_error
    ends = (d + t.ppf(0.025) * error, d + t.ppf(0.975) * error)
    assert estimate.interval == pytest.approx(ends, abs=1e-9)
    assert estimate.p_value == pytest.approx(2 * t.sf(abs(d) / error), abs=1e-9)
    assert estimate.not_inferior_p(0.02) == pytest.approx(t.sf((d + 0.02) / error), abs=1e-9)
    assert estimate.equivalent_p(0.02) == pytest.approx(
        max(t.sf((d + 0.02) / error), t.cdf((d - 0.02) / error)), abs=1e-9
    )


@pytest.mark.parametrize("metric", METRICS)
def test_swapping_the_sides_changes_the_sign_and_nothing_else(metric: Metric) -> None:
    sample = make_sample()
    there = bootstrap([sample], metric)
    back = bootstrap([Sample(sample.gold, sample.second, sample.first, sample.n_labels)], metric)
    assert back.difference == -there.difference
    assert back.interval == pytest.approx((-there.interval[1], -there.interval[0]), rel=1e-12)
    assert back.p_value == pytest.approx(there.p_value, rel=1e-12)


def test_tasks_are_pooled_by_their_texts() -> None:
    small, large = make_sample(100), make_sample(400, (1, 2))
    alone = [bootstrap([sample]) for sample in (small, large)]
    pooled = bootstrap([small, large])
    expected = 0.2 * alone[0].difference + 0.8 * alone[1].difference
    assert pooled.difference == pytest.approx(expected, abs=1e-12)
    variance = (0.2 * alone[0].standard_error) ** 2 + (0.8 * alone[1].standard_error) ** 2
    assert pooled.standard_error == pytest.approx(np.sqrt(variance), rel=1e-9)
    assert bootstrap([small]) == alone[0]


@pytest.mark.parametrize(
    "contest",
    [
        Contest(120, (3, 3), 0.0),
        Contest(277, (2, 2), 0.01),
        Contest(872, (2, 2), 0.005),
        Contest(277, (3, 3), 0.03),
        Contest(277, (5, 5), 0.01),
        Contest(872, (5, 1), 0.0),
    ],
)
def test_the_interval_covers_the_truth_of_simulated_runs(contest: Contest) -> None:
    rng = np.random.default_rng(11)
    truth, draws, covered = contest.truth("accuracy"), 800, 0
    for _ in range(draws):
        low, high = bootstrap([contest.simulate(rng)]).interval
        covered += low <= truth <= high
    # 800 draws are good to 1.5 points, two standard errors.
    assert 0.935 <= covered / draws <= 0.99


def test_one_run_each_gives_about_the_interval_of_the_counts() -> None:
    sample = make_sample(872, (1, 1))
    right = [side[0] == sample.gold for side in (sample.first, sample.second)]
    n10, n01 = int((right[0] & ~right[1]).sum()), int((right[1] & ~right[0]).sum())
    assert n10 + n01 > 20
    assert bootstrap([sample]).interval == pytest.approx(paired_interval(872, n10, n01), abs=1 / 872)


@pytest.mark.parametrize("metric", METRICS)
def test_degenerate_answers_give_finite_estimates_without_certainty(metric: Metric) -> None:
    zeros, mixed = np.zeros(50, dtype=int), np.arange(50) % 2
    for gold, first, second in ((zeros, zeros, zeros), (mixed, mixed, mixed), (mixed, zeros, zeros)):
        for seeds in (1, 3):
            sides = np.tile(first, (seeds, 1)), np.tile(second, (seeds, 1))
            estimate = bootstrap([Sample(gold, *sides, 2)], metric)
            assert estimate.difference == 0
            assert estimate.p_value == 1.0
            low, high = estimate.interval
            assert -1 < low < 0 < high < 1
            assert 0 < estimate.not_inferior_p(0.02) < 1
    single = bootstrap([Sample(zeros[:1], zeros[None, :1], 1 - zeros[None, :1], 2)], metric)
    assert np.isfinite([*single.interval, single.p_value, single.standard_error]).all()


def test_nothing_to_compare_is_refused() -> None:
    empty = np.zeros((0, 5), dtype=int)
    for samples in ([], [Sample(np.zeros(5, dtype=int), empty, empty, 2)]):
        with pytest.raises(ValueError, match="needs texts and answers"):
            bootstrap(samples)
