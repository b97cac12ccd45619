from __future__ import annotations

import pytest

from nlu_arena.comparing import Baseline, choose_baseline
from nlu_arena.contender import find_rounds
from nlu_arena.errors import NothingToShowError, UsageError
from nlu_arena.ledger.rows import Cell
from nlu_arena.spec import Subset
from tests.contest import Contest


def some_cells() -> list[Cell]:
    contest = Contest()
    contest.add("qwen-0.5b", range(50), mode="zero-shot")
    contest.add("qwen-0.5b", range(50), mode="lora")
    contest.add("smollm2-135m", range(50), mode="few-shot")
    contest.add("minilm", range(50), mode="lora", family="encoder")
    contest.add("bert-base", range(50), mode="fine-tune", family="encoder", aliases=("bert",))
    contest.add("bert-base", range(50), mode="lora", family="encoder", aliases=("bert",))
    contest.add("deberta-base", range(50), mode="fine-tune", family="encoder")
    return contest.cells


def test_without_a_name_it_is_the_first_fine_tuned_encoder() -> None:
    assert choose_baseline(some_cells()) == Baseline("bert-base", "fine-tune")


@pytest.mark.parametrize(
    ("wanted", "model", "mode"),
    [
        ("deberta-base", "deberta-base", "fine-tune"),
        ("bert", "bert-base", "fine-tune"),
        ("BERT:LoRA", "bert-base", "lora"),
        ("smollm2-135m", "smollm2-135m", "few-shot"),
        ("qwen-0.5b:zero-shot", "qwen-0.5b", "zero-shot"),
    ],
)
def test_a_name_or_alias_means_its_fine_tuning_its_only_mode_or_the_one_named(
    wanted: str, model: str, mode: str
) -> None:
    assert choose_baseline(some_cells(), wanted) == (model, mode)


def test_a_model_with_several_modes_and_no_fine_tuning_needs_one() -> None:
    with pytest.raises(UsageError) as caught:
        choose_baseline(some_cells(), "qwen-0.5b")
    assert "--vs qwen-0.5b:zero-shot or --vs qwen-0.5b:lora" in caught.value.hint


def test_what_never_ran_is_refused_with_what_did_and_the_command_that_runs_it() -> None:
    with pytest.raises(NothingToShowError, match="'gemma-2b'") as caught:
        choose_baseline(some_cells(), "gemma-2b")
    assert "Finished: qwen-0.5b, smollm2-135m, minilm, bert-base, deberta-base." in caught.value.hint
    assert "`nlu-arena run --model gemma-2b --task FILE --mode fine-tune`" in caught.value.hint


def test_a_mode_that_never_ran_is_refused_with_those_that_did() -> None:
    with pytest.raises(NothingToShowError, match=r"qwen-0\.5b in mode few-shot") as caught:
        choose_baseline(some_cells(), "qwen-0.5b:few-shot")
    assert "zero-shot, lora" in caught.value.hint


@pytest.mark.parametrize("name", ["deberta-base", "minilm"])
def test_a_mode_that_a_model_cannot_do_is_not_offered(name: str) -> None:
    cells = [cell for cell in some_cells() if cell.model != "minilm"]
    with pytest.raises(UsageError, match=f"the encoder {name} cannot do zero-shot") as caught:
        choose_baseline(cells, f"{name}:zero-shot")
    assert caught.value.hint == "It can do fine-tune, lora."


def test_a_wrong_word_is_not_offered_as_a_model_to_run() -> None:
    with pytest.raises(NothingToShowError) as caught:
        choose_baseline(some_cells(), "debert-base")
    assert "Did you mean deberta-base" in caught.value.hint
    assert "nlu-arena run" not in caught.value.hint
    with pytest.raises(UsageError, match="finetune"):
        choose_baseline(some_cells(), "bert:finetune")


def test_without_any_fine_tuned_encoder_the_others_are_named_and_a_command() -> None:
    prompted = Contest()
    prompted.add("qwen-0.5b", range(50), data_source="starter", task="rte", subset=Subset(dev=60, train=30))
    with pytest.raises(NothingToShowError) as caught:
        choose_baseline(prompted.cells)
    assert "qwen-0.5b:zero-shot" in caught.value.hint
    command = "nlu-arena run --model bert-base --task rte --mode fine-tune --data starter --limit 60"
    assert f"`{command} --train-limit 30`" in caught.value.hint


def test_who_has_models_from_packages_only_is_offered_one_of_them() -> None:
    prompted = Contest()
    prompted.add("smollm2-135m", range(50), weights_source="wheel")
    with pytest.raises(NothingToShowError) as caught:
        choose_baseline(prompted.cells)
    assert "--model minilm" in caught.value.hint


def test_of_several_settings_the_one_with_the_most_rows_then_the_newest_stands_for_it() -> None:
    contest = Contest()
    for setting, rows, seed in (("few", 100, 1), ("many", 900, 1), ("newer", 900, 2), ("fewer", 50, 3)):
        subset = Subset(train=rows)
        contest.add(
            "bert-base",
            range(50),
            mode="fine-tune",
            seed=seed,
            setting=setting,
            train_rows=rows,
            subset=subset,
        )
    contest.add("other", range(60), train_rows=5_000)
    (found,) = find_rounds(contest.cells, contest.labels)
    chosen = Baseline("bert-base", "fine-tune").find(found)
    assert chosen is not None
    assert [cell.setting for cell in chosen.cells] == ["newer"]
    assert Baseline("bert-base", "lora").find(found) is None


def test_a_variant_of_the_prompt_does_not_stand_for_a_model_that_ran_with_the_tasks_own() -> None:
    contest = Contest()
    contest.add("qwen-0.5b", range(50), setting="own")
    contest.add("qwen-0.5b", range(90), setting="variant", template="question")
    (found,) = find_rounds(contest.cells, contest.labels)
    chosen = Baseline("qwen-0.5b", "zero-shot").find(found)
    assert chosen is not None
    assert [cell.setting for cell in chosen.cells] == ["own"]
