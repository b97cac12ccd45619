from __future__ import annotations

import json
from typing import Any

import pytest

from nlu_arena.contender import Round, find_rounds
from nlu_arena.learning_curve import find_crossings, find_curves
from nlu_arena.limits import Limits
from nlu_arena.recommendation import Recommendation, recommend
from nlu_arena.statistics import paired_interval
from nlu_arena.views.recommend import (
    TSV_COLUMNS,
    advice_lines,
    explain_refusal,
    recommendation_document,
    recommendation_lines,
    recommendation_records,
)
from nlu_arena.views.tsv import tsv_lines
from tests.contest import Contest, N

CPU = "cpu x86_64"


def costs(latency: float | None, memory: int, seconds: float | None = None, rows: int = 0) -> dict[str, Any]:
    calls = {} if latency is None else {1: latency}
    return {"call_ms": calls, "peak_rss_bytes": memory, "train_seconds": seconds, "train_rows": rows}


@pytest.fixture
def contest() -> Contest:
    """A contest with every kind of outcome."""
    made = Contest()
    made.add("gemma3-270m", range(90), "lora", quantisation="Q4_K_M", **costs(20.4, 2 * 1024**3, 75.0, 1000))
    made.add("minilm", [*range(82), *range(95, 100)], "fine-tune", **costs(3.21, 966367642, 41.0, 1000))
    made.add("smollm2-135m", range(75), "few-shot", shots=5, **costs(90.0, 10**9, None, 5))
    made.add("smollm2-135m", range(76), "lora", **costs(95.0, 3 * 1024**3, 30.0, 64))
    made.add("smollm2-135m", range(57), **costs(80.0, 10**9))
    made.add(
        "smollm2-135m", range(50), "fine-tune", alarms={"dev": {"one label": "why"}}, **costs(9.0, 10**9)
    )
    return made


def decide(contest: Contest, **limits: Any) -> Recommendation:
    found = find_rounds(contest.cells, contest.labels)[0]
    return recommend(found, Limits(**limits), contest.cells, [CPU])


def span(only_best: int, only_other: int) -> str:
    """The interval of how many points the best one is ahead."""
    low, high = paired_interval(N, only_best, only_other)
    return f"{100 * low:.1f} to {100 * high:.1f}"


def test_the_front_comes_first_and_then_what_is_not_on_it_and_why(contest: Contest) -> None:
    assert recommendation_lines(decide(contest), [], [], []) == [
        "recommendation for reviews · 100 dev texts",
        "  worth their cost, from the most accurate down:",
        "    gemma3-270m Q4_K_M lora",
        "      90.0 % (82.6\u201394.5) · 20 ms · 2.0 GiB · trained 1.2 min · 1,000 labels",
        "    minilm fine-tune",
        "      87.0 % (79.0\u201392.2) · 3.2 ms · 922 MiB · trained 41 s · 1,000 labels",
        f"      3.0 points less ({span(8, 5)}), not shown to be worse (p 1)",
        "    smollm2-135m lora",
        "      76.0 % (66.8\u201383.3) · 95 ms · 3.0 GiB · trained 30 s · 64 labels",
        f"      14.0 points less ({span(14, 0)}), shown to be worse (p < 0.001)",
        "    smollm2-135m few-shot",
        "      75.0 % (65.7\u201382.5) · 90 ms · 954 MiB · untrained · 5 labels",
        f"      15.0 points less ({span(15, 0)}), shown to be worse (p < 0.001)",
        "  costs: one text alone (median), peak memory with training, training, labels",
        '  not shown to beat always saying "bad": smollm2-135m zero-shot 57.0 % (p 0.097)',
        "  set aside: smollm2-135m fine-tune ! one label",
        "  the best of 5 was picked on these very texts: expect a little less on new ones",
    ]


def test_the_advice_ends_with_the_commands_that_use_it(contest: Contest) -> None:
    assert advice_lines(decide(contest)) == [
        "use gemma3-270m Q4_K_M lora: 90.0 %, 20 ms a text; if latency matters more:",
        "  minilm fine-tune (87.0 %, 3.2 ms, not shown to be worse)",
        "  nlu-arena predict gemma3-270m/reviews/lora FILE --output labelled.csv",
        "  nlu-arena predict minilm/reviews/fine-tune FILE --output labelled.csv",
    ]
    (_, _, first, _) = advice_lines(decide(contest), "my results")
    assert first.endswith("FILE --output labelled.csv --results 'my results'")


def test_what_is_beyond_the_limits_says_by_how_much(contest: Contest) -> None:
    text = "\n".join(recommendation_lines(decide(contest, latency_ms=10.0, labels=1000), [], [], []))
    assert "  limits: 10 ms for one text, 1,000 labelled examples\n" in text
    assert "  beyond the limits: gemma3-270m Q4_K_M lora 90.0 % (20 ms, 10 ms over)," in text
    assert "smollm2-135m zero-shot 57.0 % (80 ms, 70 ms over)" in text


def test_those_that_are_beaten_stand_behind_what_beats_them() -> None:
    contest = Contest()
    contest.add("best", range(90), **costs(5.0, 1000))
    contest.add("slow", range(85), **costs(6.0, 1000))
    contest.add("big", range(80), **costs(5.0, 2000))
    assert (
        "  no better and no cheaper than best zero-shot: slow zero-shot 85.0 %, big"
        in recommendation_lines(decide(contest), [], [], [])
    )


def test_where_nothing_beats_the_majority_share_there_is_no_advice() -> None:
    contest = Contest()
    contest.add("a", range(55), **costs(5.0, 1000))
    contest.add("b", range(52), **costs(5.0, 1000))
    assert advice_lines(decide(contest)) == [
        'nothing is shown to beat always saying "bad", 50.0 %: no recommendation'
    ]


def test_what_was_not_measured_is_not_zero_and_other_devices_are_named() -> None:
    contest = Contest()
    contest.add("a", range(90), "lora", **costs(None, 1000, None, 64) | {"peak_rss_bytes": None})
    contest.add("b", range(80), device="cuda H100", device_peak_bytes=3 * 1024**3, **costs(1.0, 1000))
    lines = recommendation_lines(decide(contest), [], [], [])
    assert "      90.0 % (82.6\u201394.5) · n/a ms · memory n/a · training n/a · 64 labels · on" in lines
    assert "      80.0 % (71.1\u201386.7) · 1.0 ms · 3.0 GiB GPU · untrained · 0 labels · on cuda" in lines
    assert "  costs are of another device than this machine has: cuda H100" in lines
    assert "  costs of different devices do not compare: the front is found on each apart" in lines


def test_starter_data_and_other_texts_than_the_published_are_named_and_other_rounds_too() -> None:
    contest = Contest()
    contest.add("a", range(80), data_source="starter", **costs(1.0, 1000))
    contest.add("a", range(80), data_source="hub", fingerprints={"dev": "f2f2f2f2"}, **costs(1.0, 1000))
    rounds: list[Round] = find_rounds(contest.cells, contest.labels)
    lines = recommendation_lines(decide(contest), [], [], rounds[1:])
    assert lines[0].endswith("100 dev texts · starter data (not GLUE)")
    assert "  also there: 1 contender on 100 texts of hub data (f2f2f2)" in lines
    contest = Contest()
    contest.add("a", range(80), published="GLUE", data_differences={"dev": "100 rows"}, **costs(1.0, 1000))
    assert recommendation_lines(decide(contest), [], [], [])[0].endswith("100 dev texts · not GLUE")


def test_every_line_but_a_command_fits_80_columns_and_obeys_nothing(contest: Contest) -> None:
    contest.add("evil\x1b[31m-" + "long-" * 8, range(80), "few-shot", **costs(1.0, 1000))
    found = decide(contest, memory_bytes=2.5e9)
    lines = [*recommendation_lines(found, [], [], []), *advice_lines(found)]
    assert all(len(line) <= 80 for line in lines if "nlu-arena predict" not in line)
    assert "\x1b" not in "".join(lines)
    assert "\xa0" not in "".join(lines)


def test_a_refusal_names_the_nearest_and_the_limits_that_let_it_in(contest: Contest) -> None:
    message, hint = explain_refusal(decide(contest, latency_ms=2.0, labels=900))
    assert message == "nothing meets the limits on reviews: 2 ms for one text, 900 labelled examples"
    assert hint == (
        "The nearest is smollm2-135m zero-shot 57.0 %: 80 ms, 78 ms over. --max-latency-ms 80 lets it in."
    )
    unknown = Contest()
    unknown.add("a", range(80), **costs(None, 1000))
    assert explain_refusal(decide(unknown, latency_ms=2.0))[1] == (
        "The nearest is a zero-shot 80.0 %: latency n/a. What was not measured meets no limit: run it again"
        " with --fresh."
    )
    alarmed = Contest()
    alarmed.add("a", range(80), alarms={"dev": {"ties": "many"}}, **costs(5.0, 1000))
    assert "alarm" in explain_refusal(decide(alarmed, latency_ms=2.0))[1]


def test_the_document_has_the_limits_all_candidates_the_front_and_the_curve(contest: Contest) -> None:
    for rows, right in ((32, 60), (128, 85)):
        fields = {"setting": f"{rows}", "curve": "one", "train_rows": rows}
        contest.add("curved", range(right), "fine-tune", **costs(4.0, 1000, 9.0) | fields)
    (found,) = find_rounds(contest.cells, contest.labels)
    curves, crossings = find_curves(found), find_crossings(found)
    decided = decide(contest, labels=5000)
    document = json.loads(json.dumps(recommendation_document(decided, curves, crossings, [])))
    assert (document["schema"], document["task"], document["limits"]["labels"]) == (1, "reviews", 5000)
    assert len(document["candidates"]) == 8
    assert document["front"] == [candidate.name for candidate in decided.front]
    assert document["recommended"] == "gemma3-270m Q4_K_M lora"
    assert document["learning_curve"]["crossings"][0]["outcome"] == "from"
    text = "\n".join(recommendation_lines(decided, curves, crossings, []))
    assert "  curved fine-tune by labelled examples: 32: 60.0 %, 128: 85.0 %\n" in text


def test_several_seeds_are_documented_too() -> None:
    contest = Contest()
    for seed in (1, 2, 3):
        contest.add("a", range(80 + 3 * seed), "lora", seed=seed, **costs(5.0, 1000, 9.0, 64))
        contest.add("b", range(60 + 2 * seed, 100), "lora", seed=seed, **costs(1.0, 1000, 9.0, 64))
    document = json.loads(json.dumps(recommendation_document(decide(contest), [], [], [])))
    assert document["candidates"][1]["gap"]["method"] == "bootstrap"


def test_a_pipe_gets_every_number_of_every_candidate(contest: Contest) -> None:
    records = recommendation_records(decide(contest, latency_ms=10.0))
    header, *lines = tsv_lines(TSV_COLUMNS, records)
    rows = [dict(zip(header.split("\t"), line.split("\t"), strict=True)) for line in lines]
    assert [row["standing"] for row in rows[:2]] == ["misses a limit", "recommended"]
    assert rows[0]["misses"] == "20 ms, 10 ms over"
    assert (rows[1]["latency_ms"], rows[1]["labels"], rows[1]["run"]) == (
        "3.21",
        "1000",
        "minilm/reviews/fine-tune",
    )
