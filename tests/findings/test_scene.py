from __future__ import annotations

from typing import Any

import pytest

from nlu_arena.spec import Subset
from tests.contest import Contest
from tests.findings.stage import ALARMS, add_bert, on, scene_of


def test_bert_is_bert_base_even_if_another_encoder_came_first() -> None:
    contest = Contest()
    add_bert(contest, range(80), model="minilm")
    add_bert(contest, range(70))
    assert scene_of(contest).reference == "bert-base"


def test_without_bert_base_the_encoder_that_was_tuned_first_stands_for_it() -> None:
    contest = Contest()
    contest.add("roberta", range(90), mode="lora", family="encoder")
    add_bert(contest, range(60), model="minilm", **on("rte"))
    add_bert(contest, range(80), model="deberta-base", **on("sst2"))
    assert scene_of(contest).reference == "minilm"


def test_a_decoder_that_is_fine_tuned_is_no_bert() -> None:
    contest = Contest()
    contest.add("qwen-0.5b", range(90), mode="fine-tune")
    scene = scene_of(contest)
    assert scene.reference == ""
    assert scene.find_reference(scene.rounds[0]) is None


@pytest.mark.parametrize(
    ("other", "one"),
    [
        ({"template": "short"}, {"template": ""}),
        ({"train_rows": 32, "subset": Subset(train=32)}, {"train_rows": 512, "subset": Subset(train=512)}),
    ],
)
def test_what_stands_for_a_model_is_chosen_by_its_setting_not_by_its_score(
    other: dict[str, Any], one: dict[str, Any]
) -> None:
    contest = Contest()
    contest.add("qwen-0.5b", range(60), mode="lora", setting="one", **one)
    contest.add("qwen-0.5b", range(95), mode="lora", setting="other", **other)
    scene = scene_of(contest)
    found = scene.find(scene.rounds[0], "qwen-0.5b", "lora")
    assert found is not None
    assert found.accuracy == 0.6


def test_of_equal_settings_the_newest_counts() -> None:
    contest = Contest()
    contest.add("qwen-0.5b", range(95), setting="first")
    contest.add("qwen-0.5b", range(60), setting="second")
    scene = scene_of(contest)
    found = scene.find(scene.rounds[0], "qwen-0.5b", "zero-shot")
    assert found is not None
    assert found.accuracy == 0.6


def test_where_the_chosen_setting_has_an_alarm_no_other_one_takes_its_place() -> None:
    contest = Contest()
    contest.add("qwen-0.5b", range(50), setting="own", **ALARMS)
    contest.add("qwen-0.5b", range(95), setting="variant", template="short")
    scene = scene_of(contest)
    assert scene.find(scene.rounds[0], "qwen-0.5b", "zero-shot") is None
    assert scene.find_llms(scene.rounds[0], "zero-shot") == []


def test_language_models_come_by_size_and_encoders_are_none() -> None:
    contest = Contest()
    contest.add("gemma-2b", range(60), size=2_600_000_000)
    contest.add("qwen-0.5b", range(70), size=500_000_000)
    add_bert(contest, range(80))
    scene = scene_of(contest)
    assert [llm.model for llm in scene.find_llms(scene.rounds[0], "zero-shot")] == ["qwen-0.5b", "gemma-2b"]


def test_of_a_tasks_texts_those_count_that_are_published_and_the_others_are_named() -> None:
    contest = Contest()
    for texts, fields in (("starter", {"data_source": "starter"}), ("hub", {"published": "GLUE"})):
        for model in ("qwen-0.5b", "gemma-2b"):
            contest.add(model, range(60), setting=f"{model} {texts}", fingerprints={"dev": texts}, **fields)
    scene = scene_of(contest)
    assert [found.fingerprint for found in scene.rounds] == ["hub"]
    assert [found.fingerprint for found in scene.left_out] == ["starter"]


def test_a_contender_that_is_alone_on_its_texts_does_not_take_the_place_of_two_that_meet() -> None:
    contest = Contest()
    contest.add("qwen-0.5b", range(60), setting="a", fingerprints={"dev": "both"})
    contest.add("gemma-2b", range(60), setting="b", fingerprints={"dev": "both"})
    contest.add("qwen-0.5b", range(60), setting="c", fingerprints={"dev": "alone"}, published="GLUE")
    assert [found.fingerprint for found in scene_of(contest).rounds] == ["both"]


def test_a_place_is_named_with_its_split_only_where_there_are_several() -> None:
    contest = Contest()
    contest.add("qwen-0.5b", range(60), **on("rte"))
    metrics = contest.cells[0].by_split["dev"]
    both = {"matched": metrics, "mismatched": metrics}
    contest.add(
        "qwen-0.5b", range(60), task="mnli", by_split=both, fingerprints={"matched": "a", "mismatched": "b"}
    )
    scene = scene_of(contest)
    assert scene.name("rte", "dev") == "rte"
    assert scene.name("mnli", "mismatched") == "mnli mismatched"
