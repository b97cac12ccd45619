from __future__ import annotations

from nlu_arena.findings import Criterion, find_findings
from nlu_arena.views.findings import TSV_COLUMNS, finding_lines, finding_records
from tests.contest import Contest
from tests.findings.stage import add_bert, read_examples, scene_of

MET = Criterion(key="saved", statement="Results are saved", is_met=True, sentence="2 of 2.")
UNMET = Criterion(key="crashes", statement="Nothing crashed", is_met=False, sentence="1 of 3 runs failed.")


def make_lines(*criteria: Criterion) -> list[str]:
    contest = Contest()
    add_bert(contest, range(70))
    contest.add("qwen", range(100), mode="lora")
    return finding_lines(find_findings(scene_of(contest), read_examples), criteria)


def test_each_question_has_its_answer_below_it_in_80_columns() -> None:
    lines = make_lines(MET)
    assert lines[:2] == ["Can small LLMs match BERT?", "  yes: shown on reviews (qwen lora +30.0 points)"]
    assert max(map(len, lines)) <= 80
    assert lines[-1] == "success criteria: all met"


def test_a_criterion_that_is_not_met_says_why() -> None:
    assert make_lines(MET, UNMET)[-1] == "  not met: Nothing crashed: 1 of 3 runs failed."


def test_records_have_every_question_headline_and_criterion() -> None:
    contest = Contest()
    contest.add("qwen", range(60))
    records = finding_records(find_findings(scene_of(contest), read_examples), [MET, UNMET])
    assert all(tuple(record) == TSV_COLUMNS for record in records)
    assert [record["verdict"] for record in records[-2:]] == ["met", "not met"]
    assert len(records) == 11
