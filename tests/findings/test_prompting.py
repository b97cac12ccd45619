from __future__ import annotations

from nlu_arena.comparing import Row
from nlu_arena.findings.prompting import answer_prompting
from tests.contest import Contest
from tests.findings.stage import add_bert, scene_of


def test_the_verdict_is_on_the_reference_and_the_models_own_lora_is_evidence() -> None:
    contest = Contest()
    add_bert(contest, range(70))
    contest.add("qwen", range(95), mode="few-shot")
    contest.add("qwen", range(100), mode="lora")
    finding = answer_prompting(scene_of(contest))
    assert finding.answer == "yes: shown on reviews (qwen few-shot +25.0 points)"
    rows = [row for row in finding.evidence if isinstance(row, Row)]
    assert [(row.name, row.baseline) for row in rows] == [
        ("qwen few-shot", "bert-base fine-tune"),
        ("qwen few-shot", "qwen lora"),
    ]
    assert any(sentence.startswith("Against its own LoRA, reviews, n 100") for sentence in finding.sentences)


def test_one_draw_of_examples_is_said_and_several_are_not() -> None:
    contest = Contest()
    add_bert(contest, range(70))
    contest.add("qwen", range(90), mode="few-shot", seed=1)
    one_draw = "One draw of the examples in the prompt each: another draw gives another number."
    assert one_draw in answer_prompting(scene_of(contest)).sentences
    contest.add("qwen", range(5, 95), mode="few-shot", seed=2)
    assert one_draw not in answer_prompting(scene_of(contest)).sentences


def test_zero_shot_is_not_few_shot() -> None:
    contest = Contest()
    add_bert(contest, range(70))
    contest.add("qwen", range(95))
    finding = answer_prompting(scene_of(contest))
    assert finding.verdict == "cannot be said yet"
    assert finding.commands == ("nlu-arena run --model qwen --task FILE --mode few-shot",)
