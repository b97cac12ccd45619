from __future__ import annotations

from collections.abc import Sequence

import pytest

from nlu_arena.comparing import Row
from nlu_arena.findings.matching import answer_matching
from nlu_arena.findings.records import Finding
from nlu_arena.statistics import mcnemar_exact
from tests.contest import Contest
from tests.findings.stage import ALARMS, add_bert, on, scene_of


def ask(*tasks: tuple[str, Sequence[int], dict[str, Sequence[int]]]) -> Finding:
    """What is right on each task: for BERT, and for each language model with LoRA."""
    contest = Contest()
    for task, bert, llms in tasks:
        add_bert(contest, bert, **on(task))
        for model, right in llms.items():
            contest.add(model, right, mode="lora", **on(task))
    return answer_matching(scene_of(contest))


def test_yes_takes_a_model_on_every_task() -> None:
    mixed: dict[str, Sequence[int]] = {"qwen": range(100), "gemma": range(40)}
    finding = ask(("rte", range(70), mixed), ("sst2", range(75), {"qwen": range(100)}))
    assert finding.answer == "yes: shown on rte (qwen lora +30.0 points) and sst2 (qwen lora +25.0 points)"
    assert len(finding.evidence) == 3


def test_a_match_on_one_task_only_is_a_part() -> None:
    finding = ask(("rte", range(70), {"qwen": range(100)}), ("sst2", range(75), {"qwen": range(30)}))
    assert (
        finding.answer
        == "in part: shown on rte (qwen lora +30.0 points), not on sst2 (qwen lora \u221245.0 points)"
    )


def test_no_takes_a_proof_that_every_one_is_worse() -> None:
    assert ask(("rte", range(90), {"qwen": range(40), "gemma": range(50)})).verdict == "no"
    assert ask(("rte", range(90), {"qwen": range(40), "gemma": range(5, 93)})).verdict == "not shown"


def test_equal_scores_on_few_texts_show_nothing_and_the_sentence_says_what_it_takes() -> None:
    finding = ask(("rte", range(70), {"qwen": range(5, 75)}))
    assert finding.verdict == "not shown"
    (row,) = finding.evidence
    assert isinstance(row, Row)
    assert row.difference == 0
    assert any("it takes a gap of" in sentence for sentence in finding.sentences)


def test_p_values_account_for_all_comparisons_of_the_question() -> None:
    finding = ask(
        ("rte", range(70), {"a": range(84), "b": range(1, 71), "c": range(2, 72), "d": range(3, 73)})
    )
    first = finding.evidence[0]
    assert isinstance(first, Row)
    assert first.p_adjusted == pytest.approx(4 * mcnemar_exact(14, 0))
    assert any(sentence.startswith("4 comparisons are one family") for sentence in finding.sentences)


def test_to_match_a_bert_that_does_not_beat_the_majority_label_is_not_shown_to_mean_anything() -> None:
    finding = ask(("rte", range(52), {"qwen": range(100)}))
    assert finding.answer == "not shown: BERT is nowhere shown to beat the majority share (rte)"
    part = ask(("rte", range(52), {"qwen": range(100)}), ("sst2", range(75), {"qwen": range(100)}))
    assert part.verdict == "in part"
    assert "on rte BERT itself is not shown to beat the majority share" in part.summary


def test_which_model_stands_for_bert_is_said() -> None:
    contest = Contest()
    add_bert(contest, range(70), model="minilm")
    contest.add("qwen", range(100), mode="lora")
    assert answer_matching(scene_of(contest)).sentences[0].startswith("BERT is minilm here")


def test_unequal_numbers_of_training_rows_are_said() -> None:
    contest = Contest()
    add_bert(contest, range(70), train_rows=240)
    contest.add("gemma", range(100), mode="lora", train_rows=240)
    assert not any("different numbers" in s for s in answer_matching(scene_of(contest)).sentences)
    contest.add("qwen", range(100), mode="lora", train_rows=96)
    told = answer_matching(scene_of(contest)).sentences
    assert "LLM and BERT were trained on different numbers of rows: reviews (96 and 240)." in told


def test_without_an_encoder_it_cannot_be_said_and_the_command_fits_the_texts() -> None:
    contest = Contest()
    contest.add("qwen", range(80), mode="lora", data_source="starter")
    finding = answer_matching(scene_of(contest))
    assert finding.verdict == "cannot be said yet"
    assert finding.commands == (
        "nlu-arena run --model minilm --task reviews --mode fine-tune --data starter",
    )


def test_without_lora_the_command_has_a_model_of_the_ledger() -> None:
    contest = Contest()
    add_bert(contest, range(80), data_source="hub")
    contest.add("qwen-1.5b", range(60), data_source="hub")
    finding = answer_matching(scene_of(contest))
    assert finding.answer == "cannot be said yet: no language model was used with lora"
    assert finding.commands == ("nlu-arena run --model qwen-1.5b --task reviews --mode lora --data hub",)


def test_what_has_an_alarm_is_in_no_test() -> None:
    contest = Contest()
    add_bert(contest, range(80))
    contest.add("qwen", range(50), mode="lora", **ALARMS)
    assert (
        answer_matching(scene_of(contest)).answer
        == "cannot be said yet: where both are there, qwen lora on reviews has an alarm"
    )
    contest.add("gemma", range(100), mode="lora")
    finding = answer_matching(scene_of(contest))
    assert [row.name for row in finding.evidence] == ["gemma lora"]  # type: ignore[union-attr]


def test_alarms_that_keep_two_apart_are_named_with_their_tasks_and_what_is_absent_has_its_command() -> None:
    contest = Contest()
    add_bert(contest, range(50), **ALARMS, **on("rte"))
    contest.add("qwen", range(90), mode="lora", **on("rte"))
    add_bert(contest, range(80), **on("sst2"))
    contest.add("qwen", range(50), mode="lora", **ALARMS, **on("sst2"))
    contest.add("qwen", range(90), mode="lora", **on("mnli"))
    finding = answer_matching(scene_of(contest))
    assert finding.summary == (
        "where both are there, bert-base fine-tune on rte and qwen lora on sst2 have an alarm"
    )
    # To run again what has an alarm would change nothing.
    assert len(finding.commands) == 1


def test_on_different_texts_nothing_is_compared() -> None:
    contest = Contest()
    add_bert(contest, range(80), **on("rte"))
    contest.add("qwen", range(90), mode="lora", **on("sst2"))
    finding = answer_matching(scene_of(contest))
    assert finding.verdict == "cannot be said yet"
    assert finding.summary == "no language model with lora answered the same texts as bert-base"
    assert finding.commands == ("nlu-arena run --model bert-base --task FILE --mode fine-tune",)
