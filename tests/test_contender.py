from __future__ import annotations

import pytest

from nlu_arena.contender import find_rounds
from nlu_arena.metrics import Metrics, compute_metrics
from nlu_arena.spec import Subset
from tests.contest import GOLD, Contest, N


def names(contest: Contest) -> list[list[str]]:
    return [[c.name for c in found.contenders] for found in find_rounds(contest.cells, contest.labels)]


def contest_metrics() -> Metrics:
    return compute_metrics(GOLD, GOLD, [0.5] * N, 2)


def test_a_round_has_those_that_answered_the_very_same_texts() -> None:
    contest = Contest()
    contest.add("a", range(80))
    contest.add("b", range(70), fingerprints={"dev": "other texts"})
    contest.add("c", range(60))
    contest.add("d", range(60), state="failed")
    here, there = find_rounds(contest.cells, contest.labels)
    assert [c.name for c in here.contenders] == ["a zero-shot", "c zero-shot"]
    assert [c.name for c in there.contenders] == ["b zero-shot"]
    assert (here.task, here.split, here.n, here.majority, here.is_main) == ("reviews", "dev", N, 0.5, True)


def test_the_seeds_of_an_experiment_are_one_contender_in_their_order() -> None:
    contest = Contest()
    contest.add("a", range(90), "lora", seed=7, call_ms={1: 4.0, 32: 64.0}, trainable_parameters=5)
    contest.add("a", range(80), "lora", seed=3, call_ms={1: 2.0})
    (found,) = find_rounds(contest.cells, contest.labels)
    (contender,) = found.contenders
    assert (contender.seeds, contender.accuracy) == ([3, 7], pytest.approx(0.85))
    assert contender.right(7).bit_count() == 90
    assert contender.labels(3)[0] == contest.labels(1, "dev")[0]
    assert contender.cost.call_ms == {1: 3.0, 32: 64.0}
    assert (contender.cost.ms_per_text, contender.cost.trainable_parameters) == (2.0, 5)


def test_a_name_is_told_apart_where_it_must_be_and_then_on_every_task() -> None:
    contest = Contest()
    for rows in (32, 128):
        limited = Subset(train=rows)
        contest.add("a", range(80), "fine-tune", subset=limited, setting=f"a {rows}")
    contest.add("a", range(80), "fine-tune", subset=Subset(train=128), setting="a sst2", task="sst2")
    contest.add("a", range(80), "zero-shot", template="question", setting="a question")
    contest.add("a", range(80), "zero-shot", setting="a own")
    assert names(contest) == [
        ["a fine-tune (train 32)", "a fine-tune (train 128)", "a zero-shot (question)", "a zero-shot"],
        ["a fine-tune (train 128)"],
    ]


def test_trainings_that_meet_are_told_apart_by_the_settings_in_which_they_differ() -> None:
    contest = Contest()
    for setting, epochs in (("quick", 5), ("alone", 3)):
        settings = {"epochs": epochs, "lr": 1e-4, "precision": "float32"}
        contest.add("a", range(80), "fine-tune", setting=setting, settings=settings)
    # What is named on one task is named on every other: they can be pooled.
    contest.add("a", range(80), "fine-tune", setting="rte", task="rte", settings={"epochs": 5, "lr": 1e-4})
    contest.add("b", range(80), "fine-tune", setting="b", settings={"epochs": 9})
    assert names(contest) == [
        ["a fine-tune (epochs 5)", "a fine-tune (epochs 3)", "b fine-tune"],
        ["a fine-tune (epochs 5)"],
    ]


def test_what_no_detail_tells_apart_gets_a_number() -> None:
    contest = Contest()
    contest.add("a", range(80), "lora", setting="rank 8")
    contest.add("a", range(80), "lora", setting="rank 16")
    assert names(contest) == [["a lora #1", "a lora #2"]]


def test_a_trial_on_fewer_texts_has_the_names_of_the_whole() -> None:
    contest = Contest()
    for dev, fingerprint in ((60, "some texts"), (None, "all texts")):
        for rank in (8, 16):
            contest.add(
                "a",
                range(80),
                "lora",
                subset=Subset(dev=dev),
                setting=f"{dev} {rank}",
                fingerprints={"dev": fingerprint},
            )
        contest.add(
            "b",
            range(80),
            subset=Subset(dev=dev),
            setting=f"b {dev}",
            fingerprints={"dev": fingerprint},
        )
    assert names(contest) == [["a lora #1", "a lora #2", "b zero-shot"]] * 2


def test_other_rows_are_told_apart_also_where_they_do_not_meet() -> None:
    contest = Contest()
    trial = Subset(train=32, dev=60)
    contest.add("a", range(80), "lora", subset=trial, setting="trial", fingerprints={"dev": "some texts"})
    contest.add("a", range(80), "lora", setting="whole")
    assert names(contest) == [["a lora (train 32)"], ["a lora"]]


def test_what_meets_on_one_split_alone_is_told_apart_on_all() -> None:
    contest = Contest()
    for limit, matched in ((100, "few"), (500, "many")):
        contest.add(
            "a",
            range(80),
            subset=Subset(dev=limit),
            setting=f"{limit}",
            fingerprints={"matched": matched, "mismatched": "the same"},
            by_split=dict.fromkeys(("matched", "mismatched"), contest_metrics()),
        )
    assert names(contest) == [["a zero-shot #1"], ["a zero-shot #1", "a zero-shot #2"], ["a zero-shot #2"]]


def test_a_template_of_several_lines_makes_a_name_of_one() -> None:
    contest = Contest()
    contest.add("a", range(80), template="Review:\n{text}\n", setting="long")
    contest.add("a", range(80), setting="own")
    assert names(contest) == [["a zero-shot (Review: {text})", "a zero-shot"]]
