from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from scipy.stats import binomtest

from nlu_arena.answer import Answer
from nlu_arena.spec import Subset
from nlu_arena.statistics import LEVEL, Sample, bootstrap, detectable_gap, mcnemar_exact
from tests.contest import GOLD, Contest, N


def draw_contest(rng: random.Random, models: int, accuracy: float) -> Contest:
    """Models that get each text right with the same probability."""
    contest = Contest()
    for number in range(models):
        contest.add(f"m{number}", [i for i in range(N) if rng.random() < accuracy])
    return contest


def standings(answer: Answer) -> dict[str, str]:
    return {candidate.name: candidate.standing for candidate in answer.candidates}


def test_the_best_is_the_most_accurate_and_the_others_are_tested_against_it_on_the_same_texts() -> None:
    contest = Contest()
    contest.add("good", range(85))
    contest.add("better", range(5, 95))
    contest.add("worse", range(70))
    answer = contest.answer()
    assert (answer.task, answer.split, answer.n, answer.best) == ("reviews", "dev", N, "better zero-shot")
    assert standings(answer) == {
        "better zero-shot": "best",
        "good zero-shot": "not shown to be worse",
        "worse zero-shot": "worse",
    }
    best, good, worse = (candidate.comparison for candidate in answer.candidates)
    assert best is None
    assert good is not None and worse is not None
    assert (good.only_best, good.only_other, good.p_value) == (10, 5, mcnemar_exact(10, 5))
    assert (worse.only_best, worse.only_other) == (25, 5)


def test_p_values_are_adjusted_for_all_pairs_since_any_of_them_could_have_been_the_best() -> None:
    # Ten texts against one: significant alone and as one of three, but not as one of the six pairs of four.
    alone, among = Contest(), Contest()
    for contest in (alone, among):
        contest.add("best", range(90))
        contest.add("close", [*range(10, 90), 90])
    for number in range(2):
        among.add(f"other{number}", range(88))
    (_, close), (*_, close_among) = alone.answer().candidates, among.answer().candidates
    assert close.comparison is not None and close_among.comparison is not None
    assert close.comparison.p_adjusted == mcnemar_exact(10, 1)
    assert close_among.comparison.p_adjusted == pytest.approx(6 * mcnemar_exact(10, 1))
    assert (close.standing, close_among.standing) == ("worse", "not shown to be worse")


def test_the_majority_label_is_beaten_where_that_is_shown_for_all_experiments_together() -> None:
    contest = Contest()
    contest.add("a", range(60))
    contest.add("b", range(50))
    a, b = contest.answer().candidates
    assert a.lead is not None and b.lead is not None
    assert a.lead.p_value == pytest.approx(binomtest(60, N, 0.5, alternative="greater").pvalue)
    assert a.lead.p_value < LEVEL < a.lead.p_adjusted == pytest.approx(2 * a.lead.p_value)
    assert contest.answer().best is None
    # What is clearly better stays so, however many others are tried.
    contest.add("c", range(70))
    assert contest.answer().best == "c zero-shot"


@pytest.mark.parametrize("models", [5, 10])
def test_of_coin_flips_a_best_one_is_named_in_at_most_five_percent_of_sweeps(models: int) -> None:
    rng, sweeps = random.Random(models), 400
    named = sum(draw_contest(rng, models, 0.5).answer().best is not None for _ in range(sweeps))
    assert named <= LEVEL * sweeps


@pytest.mark.parametrize("models", [5, 10])
def test_of_equally_good_models_any_is_called_worse_in_at_most_five_percent_of_sweeps(models: int) -> None:
    rng, sweeps = random.Random(models), 400
    blamed = sum(bool(draw_contest(rng, models, 0.8).answer().find("worse")) for _ in range(sweeps))
    assert blamed <= LEVEL * sweeps


def test_one_experiment_has_no_answer_and_neither_have_different_texts_splits_or_tasks() -> None:
    contest = Contest()
    contest.add("a", range(80), seed=1)
    contest.add("a", range(80), seed=2)
    contest.add("b", range(80), fingerprints={"dev": "f2"})
    contest.add("c", range(80), task="other")
    contest.add("d", range(80), state="running")
    assert contest.answers() == []


def test_what_has_an_alarm_is_set_aside_however_good_it_looks() -> None:
    contest = Contest()
    contest.add("suspect", range(95), alarms={"dev": {"ties": "many ties"}})
    contest.add("sound", range(80))
    contest.add("weak", range(70))
    answer = contest.answer()
    assert answer.best == "sound zero-shot"
    (suspect,) = answer.find("set aside")
    assert (suspect.name, suspect.alarms, suspect.comparison) == ("suspect zero-shot", ("ties",), None)


def test_an_alarm_of_one_seed_sets_the_experiment_aside() -> None:
    contest = Contest()
    contest.add("a", range(95), seed=1)
    contest.add("a", range(95), seed=2, alarms={"dev": {"one label": "every answer is 'good'"}})
    contest.add("b", range(80))
    assert standings(contest.answer()) == {"a zero-shot": "set aside", "b zero-shot": "best"}


def test_what_does_not_beat_the_majority_share_is_never_recommended() -> None:
    contest = Contest()
    contest.add("best", range(66), ms_per_text=5.0)
    contest.add("weak", range(58), ms_per_text=1.0)
    answer = contest.answer()
    assert standings(answer)["weak zero-shot"] == "not shown to beat the majority"
    assert answer.practical == "best zero-shot"
    # It is compared all the same: the adjustment counts everything that was tried.
    assert answer.candidates[1].comparison is not None


def test_where_nothing_beats_the_majority_share_nobody_wins() -> None:
    contest = Contest()
    contest.add("a", range(58))
    contest.add("b", range(52))
    answer = contest.answer()
    assert (answer.best, answer.practical, answer.detectable_gap) == (None, None, None)
    assert set(standings(answer).values()) == {"not shown to beat the majority"}
    assert (answer.majority, answer.majority_label) == (0.5, "bad")


def test_no_chance_in_the_times_prefers_fewer_rows_or_another_template_of_the_same_model() -> None:
    contest = Contest()
    curve: dict[str, Any] = {"mode": "fine-tune", "quantisation": "Q4"}
    contest.add("net", range(90), setting="512", ms_per_text=1.1, subset=Subset(train=512), **curve)
    contest.add("net", range(88), setting="32", ms_per_text=1.0, subset=Subset(train=32), **curve)
    contest.add("net", range(87), setting="a", ms_per_text=0.9, mode="few-shot", shots=4, template="a")
    answer = contest.answer()
    # Another mode, or more shots, does cost something else.
    assert answer.practical == "net few-shot"
    contest.add("net", range(86), setting="b", ms_per_text=0.8, mode="few-shot", shots=4, template="b")
    contest.add("net", range(85), setting="c", ms_per_text=0.85, mode="few-shot", shots=2)
    assert contest.answer().practical == "net few-shot (2 shots)"
    del contest.cells[2:]
    assert contest.answer().practical == "net Q4 fine-tune (train 512)"


def test_the_practical_choice_is_the_fastest_of_those_not_shown_to_be_worse() -> None:
    contest = Contest()
    contest.add("best", range(90), ms_per_text=9.0)
    contest.add("quick", range(88), ms_per_text=2.0)
    contest.add("bad", range(60), ms_per_text=0.1)
    contest.add("untimed", range(89))
    assert contest.answer().practical == "quick zero-shot"


@pytest.mark.parametrize(
    "fields",
    [{"ms_per_text": 2.0, "device": "cuda H100"}, {"ms_per_text": None}],
    ids=["elsewhere", "untimed"],
)
def test_times_that_cannot_be_compared_choose_nothing(fields: dict[str, object]) -> None:
    contest = Contest()
    contest.add("best", range(90), ms_per_text=9.0 if fields["ms_per_text"] else None)
    contest.add("other", range(89), **fields)
    assert contest.answer().practical is None


def test_seeds_count_by_their_mean_and_are_compared_over_texts_and_seeds() -> None:
    contest = Contest()
    contest.add("a", range(80), "lora", seed=1, ms_per_text=1.0, train_seconds=10.0, peak_rss_bytes=5)
    contest.add("a", range(90), "lora", seed=2, ms_per_text=3.0, train_seconds=20.0, peak_rss_bytes=9)
    contest.add("b", range(70), "lora", seed=2)
    a, b = contest.answer().candidates
    assert (a.standing, a.seeds, a.accuracy) == ("best", (1, 2), pytest.approx(0.85))
    assert (a.cost.ms_per_text, a.cost.train_seconds, a.cost.peak_rss_bytes) == (2.0, 15.0, 9)
    assert b.comparison is not None
    gold = np.array(GOLD)
    of_a, of_b = (np.array([contest.labels(run, "dev")[1] for run in runs]) for runs in ((1, 2), (3,)))
    expected = bootstrap([Sample(gold, of_a, of_b, 2)])
    assert b.comparison.difference == pytest.approx(0.15)
    assert (b.comparison.only_best, b.comparison.only_other) == (None, None)
    assert b.comparison.p_adjusted == pytest.approx(expected.p_value)
    assert b.comparison.detectable_gap == pytest.approx(expected.detectable_gap())


def test_a_difference_within_the_spread_of_the_seeds_is_not_shown() -> None:
    one, several = Contest(), Contest()
    for contest in (one, several):
        contest.add("a", range(96), "lora", seed=1)
        contest.add("b", range(80), "lora", seed=1)
    several.add("a", range(70), "lora", seed=2)
    several.add("a", range(98), "lora", seed=3)
    assert standings(one.answer())["b lora"] == "worse"
    assert standings(several.answer())["b lora"] == "not shown to be worse"


def test_where_no_difference_is_shown_it_says_which_one_would_have_been() -> None:
    contest = Contest()
    contest.add("a", range(70))
    contest.add("b", [*range(59), *range(70, 75)])
    contest.add("c", [*range(10, 67), *range(70, 77)])
    answer = contest.answer()
    # Three pairs; 16 and 20 texts decide.
    gaps = [detectable_gap(N, share, LEVEL / 3) for share in (0.16, 0.20)]
    assert answer.detectable_gap == pytest.approx(sum(gaps) / 2)
    contest.add("d", range(40, 94))
    assert contest.answer().detectable_gap is not None
    contest.add("e", range(45))
    assert contest.answer().detectable_gap is None


def test_names_say_no_more_than_it_takes_to_tell_experiments_apart() -> None:
    contest = Contest()
    contest.add("a", range(90), "fine-tune", quantisation="Q4_1")
    contest.add("b", range(89), "few-shot", shots=5, setting="s1")
    contest.add("b", range(88), "few-shot", shots=9, setting="s2")
    contest.add("c", range(87), "lora", setting="s3", subset=Subset(train=96))
    contest.add("c", range(86), "lora", setting="s4", subset=Subset(train=96))
    assert [candidate.name for candidate in contest.answer().candidates] == [
        "a Q4_1 fine-tune",
        "b few-shot (5 shots)",
        "b few-shot (9 shots)",
        "c lora #1",
        "c lora #2",
    ]


def test_only_the_labels_of_what_is_compared_are_read() -> None:
    contest = Contest()
    contest.add("best", range(90))
    contest.add("suspect", range(40), alarms={"dev": {"below majority": "why"}})
    contest.add("a", range(80), "lora", seed=1)
    contest.add("a", range(80), "lora", seed=2)
    contest.answer()
    assert set(contest.read) == {1, 3, 4}


def test_one_number_from_other_splits_than_the_published_marks_the_whole_answer() -> None:
    contest = Contest()
    contest.add("a", range(90), published="GLUE")
    contest.add("b", range(80), published="GLUE")
    assert contest.answer().published is True
    contest.add("c", range(70), published="GLUE", data_differences={"train": "9 rows, GLUE has 67,349"})
    answer = contest.answer()
    assert (answer.published, answer.published_name) == (False, "GLUE")
    contest.cells = contest.cells[:1]
    contest.add("d", range(70))
    assert contest.answer().published is None
