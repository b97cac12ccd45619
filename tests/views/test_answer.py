from __future__ import annotations

import json

import msgspec
import pytest

from nlu_arena.views.answer import SEEDS, answer_documents, answer_lines
from tests.contest import Contest


@pytest.fixture
def contest() -> Contest:
    """A contest with every kind of outcome."""
    made = Contest()
    made.add("gemma3-270m", range(90), "lora", quantisation="Q4_K_M", ms_per_text=20.4, train_seconds=15.2)
    cost = {"ms_per_text": 1.24, "train_seconds": 41.0, "peak_rss_bytes": 966367642}
    made.add("minilm", [*range(82), *range(95, 100)], "fine-tune", **cost)
    made.add("smollm2-135m", range(70), "lora")
    made.add("smollm2-135m", range(57))
    made.add("smollm2-135m", range(50), "few-shot", shots=5, alarms={"dev": {"one label": "why"}})
    return made


def test_one_task_is_answered_in_full(contest: Contest) -> None:
    assert answer_lines(contest.answers()) == [
        "answer for reviews · 100 dev texts",
        "  best: gemma3-270m Q4_K_M lora, 90.0 % (82.6\u201394.5)",
        "  not shown to be worse: minilm fine-tune 87.0 % (p 1)",
        "  shown to be worse: smollm2-135m lora 70.0 % (p < 0.001)",
        "  cheapest: minilm fine-tune 87.0 %, 1.2 ms a text, trained in 41 s, 922 MiB",
        '  not shown to beat always saying "bad": smollm2-135m zero-shot 57.0 % (p 0.097)',
        "  set aside: smollm2-135m few-shot (one label)",
        "  the best of 4 was picked on these very texts: expect a little less on new ones",
    ]


def test_where_nothing_beats_the_majority_share_no_winner_is_named() -> None:
    contest = Contest()
    contest.add("a", range(58))
    contest.add("b", range(52))
    assert answer_lines(contest.answers()) == [
        "answer for reviews · 100 dev texts",
        '  nothing is shown to beat always saying "bad", 50.0 %',
        "  the nearest: a zero-shot, 58.0 % (48.2\u201367.2), p 0.13",
    ]


def test_where_all_have_an_alarm_there_is_only_that_to_say() -> None:
    contest = Contest()
    for model in ("a", "b"):
        contest.add(model, range(95), alarms={"dev": {"ties": "many", "one label": "why"}})
    (_, nothing, aside) = answer_lines(contest.answers())
    assert nothing == '  nothing is shown to beat always saying "bad", 50.0 %'
    assert aside == "  set aside: a zero-shot (ties, one label), b zero-shot (ties, one label)"


def test_few_texts_say_how_large_a_gap_they_would_have_shown() -> None:
    contest = Contest()
    contest.add("a", range(80))
    contest.add("b", range(10, 86))
    text = "\n".join(answer_lines(contest.answers()))
    assert "  no difference is shown: 100 texts show only gaps of about 11 points and more" in text


def test_means_over_seeds_are_called_so() -> None:
    contest = Contest()
    contest.add("a", range(80), "lora", seed=1)
    contest.add("a", range(82), "lora", seed=2)
    contest.add("b", range(70), "lora", seed=1)
    assert f"  {SEEDS}" in answer_lines(contest.answers())


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"ms_per_text": None}, "  its cost: n/a a text (cheapest n/a: not timed)"),
        (
            {"ms_per_text": 0.0312, "device": "cuda H100", "device_peak_bytes": 3 * 1024**3},
            "  its cost: 0.031 ms a text, 3.0 GiB GPU (cheapest n/a: different devices)",
        ),
    ],
)
def test_what_was_not_measured_or_not_on_the_same_device_is_said(
    fields: dict[str, object], said: str
) -> None:
    contest = Contest()
    contest.add("a", range(80), **fields)
    contest.add("b", range(79), ms_per_text=fields["ms_per_text"])
    assert said in " ".join(answer_lines(contest.answers())).replace("     ", " ")


def test_starter_data_and_other_splits_than_the_published_are_never_taken_for_them() -> None:
    contest = Contest()
    for model in ("a", "b"):
        contest.add(model, range(80), data_source="starter")
    assert answer_lines(contest.answers())[0].endswith("100 dev texts · starter data (not GLUE)")
    contest.add("a", range(80), task="other", published="GLUE", data_differences={"dev": "100 rows"})
    contest.add("b", range(80), task="other", published="GLUE", data_differences={"dev": "100 rows"})
    first, *lines = answer_lines(contest.answers())
    assert first == "answers"
    assert lines[0].startswith("  reviews · starter data (not GLUE): a zero-shot, 80.0 %")
    assert lines[3].startswith("  other · not GLUE: a zero-shot, 80.0 %")


def test_several_tasks_have_three_lines_each_of_80_columns(contest: Contest) -> None:
    for number in range(4):
        contest.add(f"smollm2-135m-{number}", [*range(80), *range(95, 100)], task="nli", ms_per_text=1.0)
    for model in ("a", "b"):
        contest.add(model, range(58), task="hard")
    lines = answer_lines(contest.answers())
    assert all(len(line) <= 80 for line in lines)
    assert lines == [
        "answers",
        "  reviews: gemma3-270m Q4_K_M lora, 90.0 % (82.6\u201394.5)",
        "    not shown worse: minilm fine-tune 87.0 % (p 1)",
        "    cheapest: minilm fine-tune 87.0 %, 1.2 ms/text, 41 s, 922 MiB",
        "  nli: smollm2-135m-0 zero-shot, 85.0 % (76.7\u201390.7)",
        "    not shown worse: smollm2-135m-1 zero-shot 85.0 % (p 1) and 2 others",
        "    it is the cheapest: 1.0 ms/text",
        '  hard: nothing is shown to beat always saying "bad"',
        "    the nearest: a zero-shot, 58.0 % (48.2\u201367.2), p 0.13",
        "  no difference is shown; it would take about: 12 points on nli",
        "  set aside for an alarm: 1 on reviews",
        "  cost: median time of a text in batches of 32, training time, peak memory",
        "  each is the best of up to 4, picked on these very texts: expect a little less",
    ]


def test_the_splits_of_one_task_are_told_apart() -> None:
    contest = Contest()
    for model, right in (("a", 98), ("b", 70), ("c", 71)):
        contest.add(model, range(right))
    for cell in list(contest.cells):
        (metrics,) = cell.by_split.values()
        splits = {"matched": metrics, "mismatched": metrics}
        prints = {"matched": "f1", "mismatched": "f2"}
        contest.cells.remove(cell)
        contest.cells.append(msgspec.structs.replace(cell, by_split=splits, fingerprints=prints))
    lines = answer_lines(contest.answers())
    assert lines[1].startswith("  reviews matched: a zero-shot")
    assert lines[2] == "    2 others are shown to be worse (p < 0.001 at most)"
    assert lines[4].startswith("  reviews mismatched: a zero-shot")


def test_the_document_has_every_candidate_with_its_test_and_cost(contest: Contest) -> None:
    contest.cells[0] = msgspec.structs.replace(contest.cells[0], labels=("b\x1b[31mad", "good"))
    (document,) = json.loads(json.dumps(answer_documents(contest.answers()), allow_nan=False))
    assert (document["task"], document["split"], document["n"]) == ("reviews", "dev", 100)
    assert (document["best"], document["practical"]) == ("gemma3-270m Q4_K_M lora", "minilm fine-tune")
    assert document["majority_label"] == "bad"
    assert [candidate["standing"] for candidate in document["candidates"]] == [
        "best",
        "not shown to be worse",
        "worse",
        "not shown to beat the majority",
        "set aside",
    ]
    second = document["candidates"][1]
    assert second["comparison"]["only_best"] == 8
    assert second["cost"]["train_seconds"] == 41.0
    assert second["keys"] == ["key-2"]


def test_labels_cannot_command_the_terminal() -> None:
    contest = Contest()
    for model in ("a", "b"):
        contest.add(model, range(58), labels=("b\x1b[31mad", "good"))
    assert answer_lines(contest.answers())[1] == '  nothing is shown to beat always saying "bad", 50.0 %'


def test_a_best_one_that_stands_alone_above_the_majority_is_not_called_better_than_the_others() -> None:
    contest = Contest()
    for task in ("reviews", "other"):
        contest.add("a", range(66), task=task)
        contest.add("b", [*range(55), *range(66, 70)], task=task)
        contest.add("c", range(30, 75), task=task)
    text = "\n".join(answer_lines(contest.answers()))
    assert '    no other is shown to beat always saying "bad"; 1 not shown worse' in text
