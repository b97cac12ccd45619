from __future__ import annotations

from nlu_arena.comparing import Row
from nlu_arena.findings.sizes import answer_size
from tests.contest import Contest
from tests.findings.stage import scene_of

TITLES = {"small": "Qwen2 0.5B Instruct", "middle": "Qwen2 1.5B Instruct", "large": "Gemma 2 2B Instruct"}
SIZES = {"small": 500_000_000, "middle": 1_500_000_000, "large": 2_600_000_000}


def make(right: dict[str, int], mode: str = "zero-shot") -> Contest:
    contest = Contest()
    for model, count in right.items():
        contest.add(model, range(count), mode=mode, size=SIZES[model], title=TITLES[model])
    return contest


def test_the_largest_meets_the_smallest_and_each_model_the_next_smaller_one() -> None:
    finding = answer_size(scene_of(make({"large": 95, "small": 60, "middle": 75})))
    rows = [row for row in finding.evidence if isinstance(row, Row)]
    assert [(row.model, row.baseline) for row in rows] == [
        ("large", "small zero-shot"),
        ("middle", "small zero-shot"),
        ("large", "middle zero-shot"),
    ]
    assert finding.answer == "yes: the largest is better everywhere, by +35.0 points"


def test_of_two_models_there_is_one_comparison() -> None:
    assert len(answer_size(scene_of(make({"middle": 70, "small": 60}))).evidence) == 1


def test_a_larger_model_that_is_not_shown_to_be_better_is_not_shown_to_be_equal_either() -> None:
    finding = answer_size(scene_of(make({"middle": 66, "small": 65})))
    assert finding.answer == "not shown: observed: +1.0 points"


def test_a_larger_model_that_is_worse_makes_the_claim_false() -> None:
    assert answer_size(scene_of(make({"middle": 60, "small": 90}))).verdict == "no"


def test_models_at_the_majority_share_say_nothing_about_size() -> None:
    finding = answer_size(scene_of(make({"middle": 51, "small": 50})))
    assert finding.answer == "not shown: no LLM is shown to beat the majority share"
    assert any("size cannot tell: reviews zero-shot" in sentence for sentence in finding.sentences)


def test_other_makers_and_generations_are_warned_of_and_sizes_of_one_family_are_not() -> None:
    one = answer_size(scene_of(make({"small": 60, "middle": 80})))
    assert not any(sentence.startswith("Not size alone") for sentence in one.sentences)
    two = answer_size(scene_of(make({"small": 60, "middle": 80, "large": 90})))
    assert any("generations (Qwen2 and Gemma 2)" in sentence for sentence in two.sentences)


def test_modes_are_not_mixed() -> None:
    contest = make({"small": 60})
    contest.add("middle", range(90), mode="lora", size=SIZES["middle"])
    finding = answer_size(scene_of(contest))
    assert finding.verdict == "cannot be said yet"
    assert all("--mode zero-shot" in command for command in finding.commands)
    assert finding.commands
