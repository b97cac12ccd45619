"""An expected time is what the ledger has seen, or else counted operations over an assumed rate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from nlu_arena.estimate import FIXED_SECONDS, count_file_rows, count_operations, count_rows, expected_seconds
from nlu_arena.hardware import Device
from nlu_arena.plan import build_plan
from nlu_arena.profile import load_profile, single_profile
from nlu_arena.registry import Registry, load_registry
from nlu_arena.spec import Experiment, Mode

GPU = Device(name="cuda:0", kind="cuda", title="GPU", memory_bytes=1, fast_bfloat16=True)
CPU = Device(name="cpu", kind="cpu", title="CPU", memory_bytes=1, fast_bfloat16=True)


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_registry()


def one(registry: Registry, model: str, task: str, mode: Mode, data: str = "hub", **block: Any) -> Experiment:
    profile = single_profile(model, task, mode, data=data, **block)
    (experiment,) = build_plan(profile, registry, [GPU], weights_identity=lambda model: model.name)
    return experiment


def operations(experiment: Experiment) -> float:
    counted = count_operations(experiment)
    assert counted is not None
    return counted


def test_the_ledgers_median_goes_before_any_count(registry: Registry) -> None:
    experiment = one(registry, "bert", "rte", "fine-tune")
    assert expected_seconds(experiment, {("bert-base", "rte", "fine-tune"): 12.5}, GPU) == 12.5


def test_rows_of_hub_data_are_the_manifests(registry: Registry) -> None:
    assert count_rows(one(registry, "bert", "mnli", "fine-tune")) == (392_702, 9_815 + 9_832)
    assert count_rows(one(registry, "gemma", "mnli", "zero-shot")) == (0, 9_815 + 9_832)


def test_rows_of_starter_data_are_counted(registry: Registry) -> None:
    assert count_rows(one(registry, "minilm", "sst2", "fine-tune", "starter")) == (240, 120)
    assert count_rows(one(registry, "minilm", "mnli", "fine-tune", "starter")) == (180, 180)


def test_limits_bound_train_and_each_dev_split(registry: Registry) -> None:
    experiment = one(registry, "bert", "mnli", "fine-tune", limit=500, train_limit=512)
    assert count_rows(experiment) == (512, 1_000)


def test_a_tables_header_is_no_row(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("text\tlabel\nx\t1\ny\t0\n")
    (tmp_path / "a.jsonl").write_text("{}\n{}\n\n")
    assert count_file_rows(tmp_path / "a.tsv") == 2
    assert count_file_rows(tmp_path / "a.jsonl") == 2


def test_without_known_dev_rows_there_is_no_estimate(registry: Registry) -> None:
    experiment = one(registry, "bert", "rte", "fine-tune")
    task = msgspec.structs.replace(experiment.task, dev_rows={})
    assert expected_seconds(msgspec.structs.replace(experiment, task=task), {}, GPU) is None


def test_shots_are_paid_once_not_for_every_example(registry: Registry) -> None:
    zero = operations(one(registry, "gemma", "sst2", "zero-shot"))
    few = operations(one(registry, "gemma", "sst2", "few-shot", shots=5))
    assert zero < few < 1.05 * zero


def test_training_grows_with_epochs_and_larger_models_take_longer(registry: Registry) -> None:
    short = operations(one(registry, "bert", "rte", "fine-tune", train={"epochs": 1}))
    long = operations(one(registry, "bert", "rte", "fine-tune", train={"epochs": 10}))
    assert 9 < long / short < 10
    small, large = (operations(one(registry, f"qwen-{size}b", "rte", "lora")) for size in (0.5, 1.5))
    assert large / small == pytest.approx(1_543_714_304 / 494_032_768)


def test_an_estimate_never_falls_below_what_loading_takes(registry: Registry) -> None:
    for device in (GPU, CPU):
        seconds = expected_seconds(one(registry, "minilm", "rte", "fine-tune", limit=1), {}, device)
        assert seconds is not None
        assert seconds > FIXED_SECONDS


def test_the_full_profile_is_planned_for_four_to_six_hours_on_one_gpu(registry: Registry) -> None:
    full = build_plan(load_profile("full"), registry, [GPU], weights_identity=lambda model: model.name)
    hours = sum(expected_seconds(experiment, {}, GPU) or 0 for experiment in full) / 3600
    assert 3.5 < hours < 6
