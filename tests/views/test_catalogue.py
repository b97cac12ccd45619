from __future__ import annotations

import io
from pathlib import Path

from rich.console import Console

from nlu_arena.profile import Block, Profile, list_profiles, load_profile, override
from nlu_arena.registry import load_registry
from nlu_arena.spec import ModelSpec
from nlu_arena.views import catalogue
from nlu_arena.views.sheet import Sheet
from nlu_arena.views.tsv import tsv_lines


def only_minilm(model: ModelSpec) -> Path | None:
    return Path("/weights") if model.name == "minilm" else None


def test_models_say_what_is_on_this_machine_and_how_it_is_quantised() -> None:
    records = {r["name"]: r for r in catalogue.model_records(load_registry(), only_minilm)}
    assert records["minilm"]["here"] is True
    assert records["bert-base"]["here"] is False
    assert records["smollm2-135m"]["source"] == "wheel, Q4_1"
    assert records["gemma-2b"]["aliases"] == ["gemma"]
    assert records["minilm"]["size"] == "22.7M"
    assert "Gemma" in records["gemma-2b"]["licence_note"]


def test_tasks_and_modes_and_profiles_are_described() -> None:
    tasks = {r["name"]: r for r in catalogue.task_records(load_registry())}
    assert tasks["mnli"]["sources"] == ["starter", "hub", "glue-dir"]
    assert tasks["mnli"]["templates"] == ["default", "question", "plain"]
    assert tasks["mnli"]["dev_rows"] == {"matched": 9_815, "mismatched": 9_832}
    modes = {r["name"]: r for r in catalogue.mode_records()}
    assert modes["zero-shot"]["families"] == ["decoder"]
    assert modes["lora"]["trains"] is True
    profiles = {r["name"]: r for r in catalogue.profile_records(list_profiles())}
    assert (profiles["quick"]["experiments"], profiles["quick"]["data"]) == (12, "starter")
    assert profiles["quick"]["file"].endswith("quick.toml")


def test_a_profile_with_several_seeds_asks_zero_shot_once() -> None:
    profile = override(load_profile("quick"), seeds=[1, 2, 3])
    assert catalogue.count_experiments(profile) == 3 + 9 * 3


def test_limits_count_in_the_modes_that_train_and_templates_in_those_that_ask() -> None:
    block = Block(
        models=("gemma3",),
        modes=("fine-tune", "zero-shot", "few-shot", "lora"),
        tasks=("sst2", "rte"),
        train_limit=(8, 16, 32),
        templates=("default", "question"),
        seeds=(1, 2, 3, 4, 5),
    )
    profile = Profile(name="x", description="", blocks=(block,))
    assert catalogue.count_experiments(profile) == 2 * (5 * 3 + 2 + 5 * 2 + 5 * 3 * 2)


def test_a_sheet_folds_what_is_too_long_and_loses_nothing() -> None:
    records = catalogue.model_records(load_registry(), only_minilm)
    stream = io.StringIO()
    Console(file=stream, width=40, markup=False).print(Sheet(catalogue.MODEL_COLUMNS, records))
    text = "".join(stream.getvalue().split())
    for record in records:
        assert "".join(record["about"].split()) in text
        assert record["name"] in text


def test_tsv_writes_lists_and_tables_in_one_field() -> None:
    record = {"a": ["x", "y"], "b": {"k": 1}, "c": None, "d": False, "e": "a\tb"}
    assert list(tsv_lines("abcde", [record]))[1] == "x y\tk=1\t\tno\ta b"
