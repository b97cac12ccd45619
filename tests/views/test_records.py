from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nlu_arena.answer import find_answers
from nlu_arena.ledger.queries import Reader
from nlu_arena.paths import ledger_path
from nlu_arena.views.records import TSV_COLUMNS, cell_records, status_document
from nlu_arena.views.totals import sum_up
from nlu_arena.views.tsv import tsv_lines
from tests.views.ledgers import done, failed, one_label, quick_plan, waiting, with_data, write_sweep

PROMISED = {
    *("key", "model", "task", "mode", "seed", "state", "metrics", "majority", "n", "seconds"),
    *("peak_rss_bytes", "data_source", "weights_source"),
}


def document(results: Path) -> dict[str, Any]:
    with Reader.open(ledger_path(results)) as reader:
        sweep = reader.sweep(1)
        cells = reader.cells(1)
        answers = find_answers(cells, reader.labels)
    now = datetime.now(UTC)
    made = status_document(sweep, cells, sum_up(sweep, cells, now), answers, now.isoformat())
    parsed: dict[str, Any] = json.loads(json.dumps(made, allow_nan=False))
    return parsed


def test_the_document_has_every_promised_key_in_every_state(tmp_path: Path) -> None:
    write_sweep(tmp_path, quick_plan()[:3], [done(0.7), failed("why"), waiting], state="failed")
    made = document(tmp_path)
    assert made["schema"] == 1
    assert made["sweep"]["name"] == "quick"
    assert [cell["state"] for cell in made["cells"]] == ["done", "failed", "waiting"]
    for cell in made["cells"]:
        assert cell.keys() >= PROMISED
        assert cell["metrics"].keys() >= {"accuracy", "macro_f1", "mcc"}
    assert made["cells"][0]["metrics"]["accuracy"] == 0.7
    assert made["cells"][2]["metrics"]["accuracy"] is None
    assert (made["cells"][0]["data_source"], made["cells"][0]["weights_source"]) == ("starter", "wheel")
    totals = made["totals"]
    assert (totals["total"], totals["done"], totals["failed"], totals["waiting"]) == (3, 1, 1, 1)


def test_a_sweep_that_took_over_results_says_how_many(tmp_path: Path) -> None:
    plan = quick_plan()[:2]
    write_sweep(tmp_path, plan[:1], [done()])
    write_sweep(tmp_path, plan, [waiting, done()])
    with Reader.open(ledger_path(tmp_path)) as reader:
        totals = sum_up(reader.sweep(2), reader.cells(2), datetime.now(UTC))
    assert (totals.done, totals.earlier) == (2, 1)
    assert totals.line.startswith("2 of 2 done (1 by earlier sweeps)")


def test_tsv_has_a_line_for_each_cell_and_split_with_nothing_cut(tmp_path: Path) -> None:
    long = "the reason " * 40
    write_sweep(tmp_path, quick_plan()[:3], [done(0.7), failed(f"{long}\tand\nmore"), done(0.4)])
    with Reader.open(ledger_path(tmp_path)) as reader:
        lines = list(tsv_lines(TSV_COLUMNS, list(cell_records(reader.cells(1)))))
    header, *rows = [line.split("\t") for line in lines]
    assert tuple(header) == TSV_COLUMNS
    assert [len(row) for row in rows] == [len(header)] * 4
    assert [row[header.index("split")] for row in rows] == ["dev", "", "matched", "mismatched"]
    assert rows[1][header.index("message")] == f"{long} and more"
    assert rows[0][header.index("accuracy")] == "0.7"
    assert rows[2][header.index("near_majority")] == "yes"
    assert [row[header.index("n")] for row in rows] == ["120", "", "120", "60"]


def test_alarms_are_named_in_tsv_and_explained_in_the_document(tmp_path: Path) -> None:
    acts = [done(answer=one_label), done(0.7), done(0.7, mismatched=0.1)]
    write_sweep(tmp_path, quick_plan()[:3], acts)
    alarms = [cell["alarms"] for cell in document(tmp_path)["cells"]]
    assert alarms[0] == {"dev": {"one label": "every answer of dev is 'negative'"}}
    assert alarms[1] == {"dev": {}}
    assert list(alarms[2]["mismatched"]) == ["below majority"]
    with Reader.open(ledger_path(tmp_path)) as reader:
        header, *rows = tsv_lines(TSV_COLUMNS, list(cell_records(reader.cells(1))))
    place = header.split("\t").index("alarms")
    assert [row.split("\t")[place] for row in rows] == ["one label", "", "", "below majority"]


def test_the_document_has_an_answer_for_each_task_and_split(tmp_path: Path) -> None:
    write_sweep(tmp_path, quick_plan(), [done(0.5 + i / 40) for i in range(12)])
    answers = document(tmp_path)["answers"]
    places = [(answer["task"], answer["split"], answer["n"]) for answer in answers]
    assert places == [
        ("sst2", "dev", 120),
        ("rte", "dev", 120),
        ("mnli", "matched", 120),
        ("mnli", "mismatched", 60),
    ]
    assert answers[0]["best"] == "smollm2-135m Q4_1 lora"
    assert len(answers[0]["candidates"]) == 4


def test_records_say_which_numbers_come_from_published_splits(tmp_path: Path) -> None:
    plan = [with_data(experiment, "glue-dir") for experiment in quick_plan()[:4]]
    found = {"mismatched": "60 rows, GLUE has 9,832"}
    acts = [done(data_differences={}), waiting, done(data_differences=found), done()]
    write_sweep(tmp_path, plan, acts, state="interrupted")
    cells = document(tmp_path)["cells"]
    assert [cell["published"] for cell in cells] == [True, None, False, None]
    assert [cell["data_differences"] for cell in cells] == [{}, {}, found, {}]
    with Reader.open(ledger_path(tmp_path)) as reader:
        header, *rows = tsv_lines(TSV_COLUMNS, list(cell_records(reader.cells(1))))
    place = header.split("\t").index("published")
    # The fourth is a result of an older program, which compared nothing.
    assert [row.split("\t")[place] for row in rows] == ["yes", "", "yes", "no", ""]
