from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest
from scipy.stats import binomtest

from nlu_arena.comparing import Pair, Pool, Row, compare_pairs
from nlu_arena.contender import find_rounds
from nlu_arena.statistics import LEVEL, bootstrap, detectable_gap, holm, provable_margin
from nlu_arena.statistics.resampling import Sample
from tests.contest import GOLD, Contest, N

# What three seeds get right.
SEEDS = (range(80), range(90), range(5, 85))


def pair_up(contest: Contest) -> list[Pair]:
    """Every contender with the first of its round."""
    return [
        Pair(this, found.contenders[0], found)
        for found in find_rounds(contest.cells, contest.labels)
        for this in found.contenders[1:]
    ]


def test_one_seed_each_is_decided_by_the_exact_test_on_the_same_texts() -> None:
    contest = Contest()
    contest.add("base", range(70))
    contest.add("other", range(10, 95))
    (row,) = compare_pairs(pair_up(contest))
    assert (row.only_this, row.only_baseline) == (25, 10)
    assert row.p_value == pytest.approx(binomtest(10, 35, 0.5).pvalue, rel=1e-9)
    assert row.mid_p is not None
    assert row.mid_p < row.p_value
    assert (row.value, row.baseline_value) == (0.85, 0.7)
    assert row.difference == pytest.approx(0.15)
    assert row.interval[0] < 0.15 < row.interval[1]
    assert row.method == "exact"
    assert (row.name, row.baseline) == ("other zero-shot", "base zero-shot")
    assert (row.task, row.split, row.fingerprint, row.tasks, row.n) == (
        *("reviews", "dev", "f1", ("reviews",)),
        N,
    )


def test_every_row_is_adjusted_for_all_of_its_family_and_tests_for_their_own_kind() -> None:
    contest = Contest()
    contest.add("base", range(70))
    for model, right in (("a", range(86)), ("b", range(30, 99)), ("c", range(64)), ("d", range(5, 70))):
        contest.add(model, right)
    pairs = pair_up(contest)
    together, alone = compare_pairs(pairs), [compare_pairs([pair])[0] for pair in pairs]
    for of_one, of_all in (("p_value", "p_adjusted"), ("p_matches", "p_matches"), ("p_within", "p_within")):
        expected = holm([getattr(row, of_one) for row in alone])
        assert [getattr(row, of_all) for row in together] == expected


def test_what_the_texts_could_show_is_said_for_the_strictest_level_of_the_family() -> None:
    contest = Contest()
    for model, right in (("base", range(70)), ("a", range(10, 75)), ("b", range(40))):
        contest.add(model, right)
    row, _ = compare_pairs(pair_up(contest))
    assert row.detectable_gap == detectable_gap(N, 15 / N, LEVEL / 2)
    assert row.provable_margin == provable_margin(N, 15 / N, LEVEL / 2)


@pytest.mark.parametrize(
    ("base", "other", "margin", "verdicts"),
    [
        (range(60), range(95), 0.02, ("better", "matches")),
        (range(60), range(70), 0.3, ("better", "matches", "within the margin")),
        (range(95), range(60), 0.02, ("worse",)),
        (range(95), range(85), 0.3, ("worse", "matches", "within the margin")),
        (range(90), range(2, 92), 0.2, ("matches", "within the margin")),
        (range(90), range(2, 92), 0.02, ()),
    ],
)
def test_better_and_matching_can_both_be_shown_and_a_lack_of_evidence_shows_nothing(
    base: range, other: range, margin: float, verdicts: tuple[str, ...]
) -> None:
    contest = Contest()
    contest.add("base", base)
    contest.add("other", other)
    (row,) = compare_pairs(pair_up(contest), margin=margin)
    assert row.verdicts == verdicts


def test_a_family_is_stricter_than_a_single_comparison() -> None:
    contest = Contest()
    contest.add("base", range(70))
    contest.add("other", range(77))
    assert compare_pairs(pair_up(contest))[0].verdicts[0] == "better"
    for number in range(9):
        contest.add(f"model-{number}", range(70))
    assert "better" not in compare_pairs(pair_up(contest))[0].verdicts


def test_several_seeds_are_means_with_a_bootstrap_over_texts_and_seeds() -> None:
    contest = Contest()
    contest.add("base", range(70), mode="fine-tune")
    for seed, right in enumerate(SEEDS, 1):
        contest.add("other", right, mode="lora", seed=seed)
    (row,) = compare_pairs(pair_up(contest))
    gold = np.array(GOLD)
    answers = [[g if i in right else 1 - g for i, g in enumerate(GOLD)] for right in SEEDS]
    base = [[g if i < 70 else 1 - g for i, g in enumerate(GOLD)]]
    expected = bootstrap([Sample(gold, np.array(answers), np.array(base), 2)])
    assert row.method == "bootstrap"
    assert (row.only_this, row.only_baseline, row.mid_p) == (None, None, None)
    assert (row.difference, row.interval, row.p_value) == expected[:3]
    assert row.p_within == expected.equivalent_p(0.02)
    assert row.value == pytest.approx(np.mean([0.8, 0.9, 0.8]))
    assert (row.seeds, row.baseline_seeds) == ((1, 2, 3), (42,))
    assert 0 < row.provable_margin < row.detectable_gap < 1


def test_another_metric_than_accuracy_is_bootstrapped_and_its_difference_is_that_of_the_values() -> None:
    contest = Contest()
    contest.add("base", range(70))
    contest.add("other", range(0, N, 2))
    (row,) = compare_pairs(pair_up(contest), metric="macro_f1")
    base, other = (cell.by_split["dev"].macro_f1 for cell in contest.cells)
    assert (row.value, row.baseline_value) == (other, base)
    assert row.difference == pytest.approx(other - base)
    assert row.method == "bootstrap"


def test_labels_in_another_order_are_the_same_labels() -> None:
    contest = Contest()
    contest.add("base", range(70))
    contest.add("same", range(10, 80))
    contest.add("turned", range(10, 80))
    turned = msgspec.structs.replace(contest.cells[2], labels=("good", "bad"))
    contest.cells[2] = turned
    assert turned.run_id is not None
    gold, predicted = contest.labels(turned.run_id, "dev")
    pairs = find_rounds(
        contest.cells,
        lambda run_id, split: (
            ([1 - g for g in gold], [1 - p for p in predicted])
            if run_id == turned.run_id
            else contest.labels(run_id, split)
        ),
    )
    base, *others = pairs[0].contenders
    same, after = compare_pairs([Pair(other, base, pairs[0]) for other in others], metric="mcc")
    assert after.difference == pytest.approx(same.difference)
    assert after.interval == pytest.approx(same.interval)


def two_tasks() -> tuple[Contest, Pool]:
    contest = Contest()
    for task, base, other in (("reviews", range(70), range(76)), ("topics", range(60), range(3, 70))):
        fields: dict[str, Any] = {"task": task, "fingerprints": {"dev": task}}
        contest.add("base", base, **fields)
        contest.add("other", other, **fields)
    return contest, Pool(tuple(pair_up(contest)))


def test_several_tasks_together_are_one_row_with_their_counts_summed() -> None:
    _, pool = two_tasks()
    first, second = pool.pairs
    *each, row = compare_pairs([first, second, pool])
    assert (row.task, row.split, row.fingerprint, row.tasks) == ("all", "", "", ("reviews", "topics"))
    assert row.is_pooled
    assert not each[0].is_pooled
    assert row.n == 2 * N
    assert (row.only_this, row.only_baseline) == (6 + 10, 3)
    assert row.p_value == pytest.approx(binomtest(3, 19, 0.5).pvalue, rel=1e-9)
    assert row.value - row.baseline_value == pytest.approx(row.difference)
    assert row.p_adjusted == holm([r.p_value for r in (*each, row)])[2]


def test_alarms_of_either_side_stay_with_the_row() -> None:
    contest = Contest()
    contest.add("base", range(70), alarms={"dev": {"ties": "there are ties"}})
    contest.add("other", range(10, 80), alarms={"dev": {"one label": "every answer is the same"}})
    (row,) = compare_pairs(pair_up(contest))
    assert (row.alarms, row.baseline_alarms) == (("one label",), ("ties",))


def test_labels_are_read_once_for_each_run() -> None:
    contest, pool = two_tasks()
    compare_pairs([*pool.pairs, pool])
    assert sorted(contest.read) == [1, 2, 3, 4]


def test_nothing_to_compare_gives_no_rows() -> None:
    rows: list[Row] = compare_pairs([])
    assert rows == []
