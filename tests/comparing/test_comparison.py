from __future__ import annotations

from typing import Any

import msgspec
import pytest

from nlu_arena.comparing import Comparison, Wish, compare
from nlu_arena.errors import NothingToShowError, UsageError
from nlu_arena.ledger.rows import Cell
from nlu_arena.spec import Subset
from tests.contest import Contest

OTHER_TEXTS: dict[str, Any] = {"fingerprints": {"dev": "other texts"}}


def add_task(contest: Contest, task: str, texts: str = "", **fields: Any) -> None:
    """An encoder, and a decoder in two modes, on the same texts of a task."""
    given = {"task": task, "fingerprints": {"dev": texts or f"texts of {task}"}} | fields
    contest.add("bert-base", range(70), mode="fine-tune", family="encoder", **given)
    contest.add("qwen-0.5b", range(60), mode="zero-shot", call_ms={32: 9.0}, **given)
    contest.add("qwen-0.5b", range(10, 90), mode="lora", call_ms={32: 5.0}, **given)


def ask(contest: Contest, unfinished: list[Cell] | None = None, **wish: Any) -> Comparison:
    return compare(contest.cells, unfinished or [], contest.labels, Wish(**wish))


def labels(comparison: Comparison) -> list[tuple[str, str]]:
    return [(row.task, row.name) for row in comparison.rows]


def two_tasks() -> Contest:
    contest = Contest()
    add_task(contest, "rte")
    add_task(contest, "sst2")
    return contest


def unfinished(like: Cell, state: Any, **fields: Any) -> Cell:
    return msgspec.structs.replace(like, key="open", state=state, **fields)


def test_every_other_contender_is_a_row_task_by_task_and_over_all_tasks_the_best_first() -> None:
    comparison = ask(two_tasks())
    assert (comparison.model, comparison.mode) == ("bert-base", "fine-tune")
    assert labels(comparison) == [
        ("rte", "qwen-0.5b lora"),
        ("rte", "qwen-0.5b zero-shot"),
        ("sst2", "qwen-0.5b lora"),
        ("sst2", "qwen-0.5b zero-shot"),
        ("all", "qwen-0.5b lora"),
        ("all", "qwen-0.5b zero-shot"),
    ]
    assert comparison.rows[-1].tasks == ("rte", "sst2")
    assert comparison.left_out == ()


def test_each_split_is_a_row_of_its_own() -> None:
    contest = Contest()
    add_task(contest, "mnli")
    metrics = contest.cells[0].by_split["dev"]
    contest = Contest()
    add_task(
        contest,
        "mnli",
        by_split={"matched": metrics, "mismatched": metrics},
        fingerprints={"matched": "f1", "mismatched": "f2"},
    )
    splits = [row.split for row in ask(contest).rows]
    assert splits == ["matched", "matched", "mismatched", "mismatched"]


def test_a_filter_makes_the_family_smaller() -> None:
    contest = two_tasks()
    assert labels(ask(contest, tasks=("sst2",))) == [
        ("sst2", "qwen-0.5b lora"),
        ("sst2", "qwen-0.5b zero-shot"),
    ]
    zero_shot = ask(contest, modes=("zero-shot",))
    assert labels(zero_shot) == [(task, "qwen-0.5b zero-shot") for task in ("rte", "sst2", "all")]
    whole = ask(contest).rows
    assert zero_shot.rows[0].p_adjusted < next(r for r in whole if r.mode == "zero-shot").p_adjusted


@pytest.mark.parametrize(
    ("order", "names"),
    [
        ("difference", ["qwen-0.5b lora", "qwen-0.5b zero-shot"]),
        ("accuracy", ["qwen-0.5b lora", "qwen-0.5b zero-shot"]),
        ("latency", ["qwen-0.5b lora", "qwen-0.5b zero-shot", "slow"]),
        ("name", ["a-model", "qwen-0.5b lora", "qwen-0.5b zero-shot"]),
    ],
)
def test_the_order_is_that_of_the_rows_of_the_same_texts(order: Any, names: list[str]) -> None:
    contest = Contest()
    add_task(contest, "rte")
    if order == "name":
        contest.add("a-model", range(40), task="rte", fingerprints={"dev": "texts of rte"})
    if order == "latency":
        contest.add("slow", range(99), task="rte", fingerprints={"dev": "texts of rte"})
    shown = [name.removesuffix(" zero-shot") for _, name in labels(ask(contest, order=order))]
    assert shown == [name.removesuffix(" zero-shot") for name in names]


def test_another_baseline_is_compared_with_the_first_encoder_too() -> None:
    comparison = ask(two_tasks(), baseline="qwen-0.5b:lora", tasks=("rte",))
    assert labels(comparison) == [("rte", "bert-base fine-tune"), ("rte", "qwen-0.5b zero-shot")]


def test_another_setting_of_the_baseline_is_a_row_and_which_one_stands_for_it_is_said() -> None:
    contest = Contest()
    add_task(contest, "rte", train_rows=2_000)
    contest.add(
        "bert-base",
        range(50),
        mode="fine-tune",
        setting="fewer rows",
        subset=Subset(train=96),
        train_rows=96,
        task="rte",
        fingerprints={"dev": "texts of rte"},
    )
    comparison = ask(contest)
    assert ("rte", "bert-base fine-tune (train 96)") in labels(comparison)
    (note,) = comparison.notes
    assert note == "rte dev: bert-base fine-tune is the baseline, one of 2 settings of it"


# ── What is left out ──────────────────────────────────────────────────────────────────────────────────


def test_texts_that_the_baseline_has_not_answered_are_left_out_and_named() -> None:
    contest = Contest()
    add_task(contest, "rte")
    contest.add("qwen-0.5b", range(60), task="rte", data_source="hub", **OTHER_TEXTS)
    contest.add("gemma-2b", range(60), task="rte", data_source="hub", **OTHER_TEXTS)
    texts, alone = ask(contest).left_out
    assert (texts.kind, texts.task, texts.split, texts.data_source, texts.n) == (
        *("other texts", "rte", "dev", "hub", 100),
    )
    assert texts.names == ("qwen-0.5b zero-shot", "gemma-2b zero-shot")
    assert texts.why == "bert-base fine-tune has not answered them"
    assert (alone.kind, alone.names) == ("no common texts", ("gemma-2b zero-shot",))


def test_what_is_not_finished_on_the_tasks_shown_is_named_with_its_state() -> None:
    contest = two_tasks()
    lora = contest.cells[2]
    states = [
        unfinished(lora, "running", done=64, total=120),
        unfinished(lora, "failed", message="out of memory"),
        unfinished(lora, "interrupted"),
        unfinished(lora, "waiting", seed=7),
        unfinished(lora, "waiting", task="sst2"),
        unfinished(lora, "waiting", mode="few-shot"),
    ]
    left_out = ask(contest, states, tasks=("rte",), modes=("lora",)).left_out
    assert [omission.why for omission in left_out] == [
        "still running, 64 of 120",
        "failed: out of memory",
        "stopped",
        "not begun",
    ]
    assert {omission.kind for omission in left_out} == {"not finished"}
    assert left_out[-1].names == ("qwen-0.5b lora seed 7",)


def test_a_smaller_selection_of_a_task_has_rows_and_is_not_pooled() -> None:
    contest = two_tasks()
    metrics = contest.cells[0].by_split["dev"]
    smaller = msgspec.structs.replace(metrics, n=50)
    add_task(contest, "rte", texts="half of rte", by_split={"dev": smaller})
    comparison = ask(contest)
    assert sum(task == "rte" for task, _ in labels(comparison)) == 4
    assert {row.n for row in comparison.rows if row.is_pooled} == {200}
    (omission,) = comparison.left_out
    assert (omission.kind, omission.task, omission.n) == ("not pooled", "rte", 50)


# ── What cannot be compared ───────────────────────────────────────────────────────────────────────────


def test_without_a_finished_run_the_next_command_is_named() -> None:
    with pytest.raises(NothingToShowError, match="no run is finished") as caught:
        ask(Contest())
    assert "nlu-arena sweep --profile quick" in caught.value.hint
    cell = two_tasks().cells[0]
    with pytest.raises(NothingToShowError, match="on rte") as caught:
        ask(Contest(), [unfinished(cell, "running")], tasks=("rte",))
    assert "nlu-arena status --watch" in caught.value.hint
    with pytest.raises(NothingToShowError) as caught:
        ask(Contest(), [unfinished(cell, "failed")])
    assert "`nlu-arena status`" in caught.value.hint


def test_one_contender_only_is_refused_with_a_run_to_compare_it_with() -> None:
    contest = Contest()
    contest.add("bert-base", range(70), mode="fine-tune", family="encoder", task="rte", data_source="hub")
    with pytest.raises(NothingToShowError, match="nothing but bert-base fine-tune") as caught:
        ask(contest)
    command = "nlu-arena run --model smollm2-135m --task rte --mode zero-shot --data hub"
    assert command in caught.value.hint
    with pytest.raises(UsageError, match="no mode 'lora'"):
        ask(contest, modes=("lora",))


def test_a_mode_without_a_finished_run_is_named_and_one_that_a_sweep_still_does_is_waited_for() -> None:
    contest = Contest()
    contest.add("bert-base", range(70), mode="fine-tune", family="encoder", task="rte", data_source="hub")
    waiting = unfinished(contest.cells[0], "waiting", model="qwen-0.5b", mode="lora")
    with pytest.raises(NothingToShowError, match="nothing in mode lora is finished that bert-base") as caught:
        ask(contest, [waiting], modes=("lora",))
    assert caught.value.hint == "`nlu-arena status` says how to go on."
    with pytest.raises(NothingToShowError) as caught:
        ask(contest, [waiting, unfinished(waiting, "running")], modes=("lora",))
    assert "nlu-arena status --watch" in caught.value.hint
    with pytest.raises(NothingToShowError) as caught:
        ask(contest, [unfinished(contest.cells[0], "waiting")])
    assert "nlu-arena run --model smollm2-135m" in caught.value.hint


def test_a_baseline_alone_on_its_texts_is_refused_with_the_others_named() -> None:
    contest = Contest()
    contest.add("bert-base", range(70), mode="fine-tune", family="encoder")
    contest.add("qwen-0.5b", range(70), **OTHER_TEXTS)
    with pytest.raises(NothingToShowError, match=r"qwen-0\.5b zero-shot: none has answered the same texts"):
        ask(contest)


def test_an_unknown_task_or_mode_is_refused_with_those_of_the_ledger() -> None:
    with pytest.raises(UsageError, match="no task 'rt'") as caught:
        ask(two_tasks(), tasks=("rt",))
    assert caught.value.hint == "Did you mean rte? The ledger has: rte, sst2."
    with pytest.raises(UsageError, match="no mode 'few-shot'") as caught:
        ask(two_tasks(), modes=("few-shot",))
    assert "fine-tune, lora, zero-shot" in caught.value.hint


def test_of_some_runs_only_their_contenders_have_rows_with_all_seeds_and_their_names() -> None:
    contest = Contest()
    contest.add("bert-base", range(70), mode="fine-tune", family="encoder")
    for seed in (1, 2):
        contest.add("qwen", range(8, 60), seed=seed)
    contest.add("smollm", range(30))
    contest.add("smollm", range(40), template="plain", setting="smollm plain")
    second_seed, plain = contest.cells[2].key, contest.cells[4].key
    found = compare(contest.cells, [], contest.labels, Wish(keys=frozenset({second_seed, plain})))
    assert {row.name: row.seeds for row in found.rows} == {
        "qwen zero-shot": (1, 2),
        "smollm zero-shot (plain)": (42,),
    }
    everything = compare(contest.cells, [], contest.labels, Wish())
    assert {row.name: row.difference for row in found.rows}.items() <= {
        row.name: row.difference for row in everything.rows
    }.items()


def test_of_some_runs_texts_that_none_of_them_has_answered_are_not_mentioned() -> None:
    contest = Contest()
    for task in ("rte", "sst2"):
        given = {"task": task, "fingerprints": {"dev": task}}
        contest.add("bert-base", range(70), mode="fine-tune", family="encoder", **given)
    contest.add("qwen", range(8, 60), task="rte", fingerprints={"dev": "rte"})
    found = compare(contest.cells, [], contest.labels, Wish(keys=frozenset({contest.cells[2].key})))
    assert [row.task for row in found.rows] == ["rte"]
    assert not found.left_out
