from __future__ import annotations

import csv
import io
import json
import re
from typing import Any

import msgspec
import pytest
from rich.cells import cell_len
from rich.console import Console

from nlu_arena.comparing import Comparison, Omission, Wish, compare
from nlu_arena.views.compare import CompareView
from nlu_arena.views.compare_columns import format_p
from nlu_arena.views.compare_records import comparison_document, comparison_records, csv_lines
from nlu_arena.views.tsv import tsv_lines
from tests.contest import Contest

COSTS: dict[str, Any] = {
    "call_ms": {1: 10.0, 32: 200.0},
    "examples_per_second": 150.0,
    "train_seconds": 20.0,
    "trainable_parameters": 22_700_000,
    "peak_rss_bytes": 2**30,
}


def add(
    contest: Contest, model: str, right: range, mode: str, task: str = "rte", seed: int = 1, **fields: Any
) -> None:
    given = {"task": task, "fingerprints": {"dev": f"texts of {task}"}, "data_source": "starter"} | COSTS
    contest.add(model, right, mode=mode, seed=seed, **given | fields)


def some_contest() -> Contest:
    contest = Contest()
    for task in ("rte", "sst2"):
        add(contest, "bert-base", range(70), "fine-tune", task, family="encoder")
        add(
            contest,
            "qwen-0.5b",
            range(8, 60),
            "zero-shot",
            task,
            train_seconds=None,
            call_ms={1: 5.0, 32: 900.0},
        )
        add(contest, "smollm2-135m-instruct", range(4, 99), "few-shot", task, quantisation="Q4_K_M")
    return contest


def ask(contest: Contest, **wish: Any) -> Comparison:
    return compare(contest.cells, [], contest.labels, Wish(**wish))


def render(comparison: Comparison, width: int = 80) -> str:
    stream = io.StringIO()
    console = Console(file=stream, width=width, markup=False, highlight=False, emoji=False)
    console.print(CompareView(comparison))
    return stream.getvalue()


def flat(text: str) -> str:
    """The text without the breaks of its lines."""
    return " ".join(text.split())


def line_of(text: str, start: str) -> list[str]:
    """Return the words of the first line that begins so, after that."""
    line = next(line for line in text.splitlines() if line.startswith(start))
    return line.removeprefix(start).split()


def test_a_row_shows_value_difference_interval_p_and_verdict_below_its_baseline() -> None:
    comparison = ask(some_contest(), tasks=("rte",))
    text = render(comparison)
    assert "compared with bert-base fine-tune · accuracy" in text
    assert "rte dev · n 100 · starter data (not GLUE)" in text
    assert line_of(text, "bert-base fine-tune") == ["70.0", "baseline"]
    row = comparison.rows[-1]
    low, high = (f"{100 * end:+.1f}" for end in row.interval)
    assert line_of(text, "qwen-0.5b zero-shot") == [
        *("52.0", "-18.0", low, "to", high, format_p(row.p_adjusted), "worse"),
    ]


def test_at_80_columns_no_line_is_longer_and_no_number_is_lost() -> None:
    comparison = ask(some_contest())
    lines = render(comparison).splitlines()
    assert max(map(cell_len, lines)) <= 80
    numbers = set(re.findall(r"[-+]?[\d.]+(?:e-\d+)?", "\n".join(lines)))
    for row in comparison.rows:
        told = [f"{100 * row.value:.1f}", f"{100 * row.detectable_gap:.1f}", format_p(row.mid_p)]
        told += [f"{100 * row.provable_margin:.1f}", str(row.only_this), format_p(row.p_value)]
        assert {text.removesuffix(".0") for text in told} <= {n.removesuffix(".0") for n in numbers}
    assert "smollm2-135m-instruct Q4_K_M few-shot" not in "\n".join(lines)
    assert "few-shot" in next(line for line in lines if line.startswith("smollm2"))


@pytest.mark.parametrize("width", [58, 66, 74])
def test_a_narrow_terminal_has_more_tables_and_each_column_whole(width: int) -> None:
    contest = some_contest()
    for draw in (1, 2):
        add(contest, f"smollm2-135m-instruct-{draw}", range(9, 50), "few-shot", quantisation="Q4_K_M")
    comparison = ask(contest, tasks=("rte",))
    narrow, wide = render(comparison, width), render(comparison, 250)
    assert max(map(cell_len, narrow.splitlines())) <= width
    assert narrow.count("rte dev") > 3
    # Every row is one line in each table, and all figures are there.
    rows = [line for table in narrow.split("\n\n") if "rte dev" in table for line in table.splitlines()]
    assert all(line.startswith(("     ", "rte dev", "bert", "qwen", "smollm2")) for line in rows)
    assert set(re.findall(r"\d+\.\d", narrow)) == set(re.findall(r"\d+\.\d", wide))


def test_a_wide_terminal_has_the_same_in_fewer_tables_and_whole_names() -> None:
    comparison = ask(some_contest())
    narrow, wide = render(comparison), render(comparison, 220)
    assert wide.count("rte dev") == 1
    assert narrow.count("rte dev") == 3
    assert "smollm2-135m-instruct Q4_K_M few-shot" in wide
    numbers = r"\d+\.\d"
    assert set(re.findall(numbers, narrow)) == set(re.findall(numbers, wide))


def test_of_a_long_name_the_mode_and_the_setting_stay_as_far_as_there_is_room() -> None:
    contest = Contest()
    add(contest, "bert-base", range(70), "fine-tune", family="encoder")
    for mode in ("few-shot", "zero-shot"):
        for template in ("", "question"):
            setting = {"template": template, "setting": f"{mode} {template}", "quantisation": "Q4_1"}
            add(contest, "smollm2-135m-instruct", range(60), mode, **setting)
    text = render(ask(contest))
    assert "…few-shot (question)" in text
    assert "…zero-shot (question)" in text


def test_names_that_would_look_the_same_are_not_cut() -> None:
    contest = Contest()
    add(contest, "bert-base", range(70), "fine-tune", family="encoder")
    for middle in ("one", "two"):
        add(contest, f"a-model-of-a-long-name-{middle}-with-a-long-end", range(60), "zero-shot")
    text = render(ask(contest))
    assert "long-name-one-with" in text
    assert "long-name-two-with" in text


def test_costs_are_multiples_below_the_baselines_own_and_na_where_there_are_none() -> None:
    text = render(ask(some_contest(), tasks=("rte",)))
    costs = text[text.index("training") :]
    assert line_of(costs, "bert-base fine-tune") == [
        *("20", "s", "10", "ms", "200", "ms", "150/s", "1.0", "GiB", "22.7M"),
    ]
    assert line_of(costs, "qwen-0.5b zero-shot") == ["n/a", "0.50x", "4.5x", "1.0x", "1.0x", "1.0x"]


def test_the_costs_of_a_tasks_further_split_are_not_said_again() -> None:
    contest = Contest()
    add(contest, "x", range(9), "zero-shot")
    metrics = contest.cells[0].by_split["dev"]
    contest, splits = Contest(), ("matched", "mismatched")
    for model, family, mode in (("bert-base", "encoder", "fine-tune"), ("qwen-0.5b", "decoder", "lora")):
        add(
            contest,
            model,
            range(60),
            mode,
            family=family,
            fingerprints=dict(zip(splits, splits, strict=True)),
            by_split=dict.fromkeys(splits, metrics),
        )
    text = render(ask(contest))
    assert text.count("rte matched") == 3
    assert text.count("rte mismatched") == 2


def test_the_legend_explains_every_word_for_the_tests_that_were_made() -> None:
    text = flat(render(ask(some_contest(), margin=0.035)))
    words = ["diff:", "p: exact McNemar test", "wins:", "matches:", "within 3.5:", "shows:", "margin:"]
    for word in [*words, "(p match)", "(p within)"]:
        assert word in text
    assert "for the 6 comparisons shown" in text
    assert "less than 3.5 points worse" in text
    assert "bootstrap" not in text
    contest = some_contest()
    add(contest, "qwen-0.5b", range(60), "zero-shot", seed=2)
    text = flat(render(ask(contest)))
    assert "exact McNemar test or bootstrap over texts and seeds" in text


def test_tests_that_a_row_has_not_are_na() -> None:
    comparison = ask(some_contest(), tasks=("rte",), metric="mcc")
    text = render(comparison)
    tests = text[text.index("wins") :]
    words = line_of(tests, "qwen-0.5b zero-shot")
    assert words[0] == words[2] == "n/a"
    assert "MCC" in text


def test_one_training_or_one_draw_each_is_said_to_be_one() -> None:
    text = flat(render(ask(some_contest())))
    assert "1 training each: what another seed would give is not in the interval" in text
    assert "1 draw of the examples each" in text
    contest = some_contest()
    for seed in (2, 3):
        add(contest, "bert-base", range(70), "fine-tune", seed=seed, family="encoder")
    add(contest, "qwen-0.5b", range(70), "lora")
    text = flat(render(ask(contest, tasks=("rte",))))
    assert "1 training of qwen-0.5b lora: what another seed" in text


def test_alarms_of_a_row_and_of_the_baseline_are_said_and_signed() -> None:
    contest = Contest()
    alarms = {"dev": {"one label": "every answer is the same"}}
    for task in ("rte", "sst2"):
        add(contest, "bert-base", range(70), "fine-tune", task, family="encoder", alarms=alarms)
        add(contest, "qwen-0.5b", range(60), "zero-shot", task, alarms=alarms)
    text = render(ask(contest))
    assert "qwen-0.5b zero-shot !" in text
    assert "! bert-base fine-tune (the baseline): one label on rte dev, sst2 dev" in text
    assert "! qwen-0.5b zero-shot: one label on rte dev, sst2 dev" in text


def test_what_was_left_out_is_said_with_its_reason_once() -> None:
    left_out = [
        Omission(kind="not finished", names=(name,), why="failed: \x1b[31mno memory", task=task)
        for name, task in (("qwen-0.5b lora seed 1", "rte"), ("qwen-0.5b lora seed 2", "sst2"))
    ]
    texts = Omission(
        kind="other texts", names=("a", "b", "c", "d"), why="not answered", task="rte", split="dev", n=60
    )
    texts = msgspec.structs.replace(texts, data_source="hub")
    comparison = msgspec.structs.replace(ask(some_contest()), left_out=(*left_out, texts))
    text = flat(render(comparison))
    assert (
        "- left out: qwen-0.5b lora seed 1 on rte, qwen-0.5b lora seed 2 on sst2: failed: no memory" in text
    )
    assert "- left out: rte dev (hub, n 60: a, b, c and 1 more): not answered" in text


def test_who_shares_no_texts_is_not_named_twice() -> None:
    contest = some_contest()
    other = {"fingerprints": {"dev": "others"}, "data_source": "hub"}
    contest.add("gemma-2b", range(60), task="rte", **other)
    text = flat(render(ask(contest)))
    assert text.count("left out") == 1
    assert "rte dev (hub, n 100: gemma-2b zero-shot): bert-base fine-tune has not answered them" in text
    contest.add("qwen-0.5b", range(60), task="rte", **other)
    text = flat(render(ask(contest)))
    assert "left out: gemma-2b zero-shot: no texts in common with bert-base fine-tune" in text


def test_data_that_is_not_the_published_is_said() -> None:
    contest = Contest()
    other = {"dev": "other rows"}
    fields: dict[str, Any] = {"data_source": "glue-dir", "published": "GLUE", "data_differences": other}
    add(contest, "bert-base", range(70), "fine-tune", family="encoder", **fields)
    add(contest, "qwen-0.5b", range(60), "zero-shot", **fields)
    assert "glue-dir data · not the published splits" in render(ask(contest))


@pytest.mark.parametrize(
    ("p_value", "text"),
    [
        (1.0, "1"),
        (0.9996, "1"),
        (0.05, ".050"),
        (0.001, ".001"),
        (0.00012, "1e-4"),
        (3e-120, "3e-120"),
        (0.0, "0"),
    ],
)
def test_a_p_value_keeps_its_magnitude(p_value: float, text: str) -> None:
    assert format_p(p_value) == text


# ── For other programs ────────────────────────────────────────────────────────────────────────────────


def test_a_record_has_every_field_on_one_level_and_csv_and_tsv_have_the_same() -> None:
    comparison = ask(some_contest())
    records = comparison_records(comparison)
    assert len(records) == len(comparison.rows)
    row, record = comparison.rows[-1], records[-1]
    assert (record["low95"], record["high95"]) == row.interval
    assert record["tasks"] == "rte, sst2"
    assert record["ratio_latency_32"] == row.ratios.latency_32
    assert (record["latency_1_ms"], record["baseline_latency_1_ms"]) == (5.0, 10.0)
    assert not [value for value in record.values() if isinstance(value, dict | list | tuple)]
    read = list(csv.DictReader(csv_lines(records)))
    header, *lines = tsv_lines(list(records[0]), records)
    for place, line in enumerate(lines):
        assert dict(zip(header.split("\t"), line.split("\t"), strict=True)) == read[place]
    assert float(read[-1]["p_value"]) == row.p_value


def test_the_document_has_the_rows_the_baseline_and_what_was_left_out() -> None:
    comparison = ask(some_contest())
    document = json.loads(json.dumps(comparison_document(comparison)))
    assert document["schema"] == 1
    assert document["baseline"] == {
        "model": "bert-base",
        "mode": "fine-tune",
        "names": ["bert-base fine-tune"],
    }
    assert (document["family"], document["margin"], document["metric"]) == (6, 0.02, "accuracy")
    assert document["left_out"] == []
    row = document["rows"][0]
    assert row["interval"] == list(comparison.rows[0].interval)
    assert row["cost"]["call_ms"] == {"1": 10.0, "32": 200.0}
