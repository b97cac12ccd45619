"""A plan is the experiments of a profile, in the order in which they are done."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from nlu_arena.errors import CannotStartError, UsageError
from nlu_arena.hardware import Device
from nlu_arena.plan import build_plan
from nlu_arena.profile import Block, Profile, load_profile, override, single_profile
from nlu_arena.registry import Registry, load_registry
from nlu_arena.spec import (
    DevSplit,
    Experiment,
    LoraSettings,
    Mode,
    ModelSpec,
    PromptVariant,
    TaskData,
    TrainSettings,
    WheelWeights,
)
from tests.conftest import MakeExperiment

FAST = Device(name="cuda:0", kind="cuda", title="GPU", memory_bytes=1, fast_bfloat16=True)
SLOW = Device(name="cpu", kind="cpu", title="CPU", memory_bytes=1, fast_bfloat16=False)


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_registry()


def identify(model: ModelSpec) -> str:
    return f"weights of {model.name}"


def plan(registry: Registry, profile: Profile, device: Device = FAST) -> list[Experiment]:
    return build_plan(profile, registry, [device], weights_identity=identify)


def plan_one(
    registry: Registry, model: str, task: str, mode: Mode, device: Device = FAST, **block: Any
) -> Experiment:
    (experiment,) = plan(registry, single_profile(model, task, mode, data="hub", **block), device)
    return experiment


def settings(experiment: Experiment) -> TrainSettings:
    assert experiment.train is not None
    return experiment.train


# ── The profiles that ship ────────────────────────────────────────────────────────────────────────────


def test_quick_is_twelve_experiments_model_by_model(registry: Registry) -> None:
    quick = plan(registry, load_profile("quick"))
    assert [e.title for e in quick] == [
        f"{model}/{task}/{mode}"
        for model, mode in [
            ("minilm", "fine-tune"),
            ("smollm2-135m", "zero-shot"),
            ("smollm2-135m", "few-shot"),
            ("smollm2-135m", "lora"),
        ]
        for task in ("sst2", "rte", "mnli")
    ]
    assert {e.data.source for e in quick} == {"starter"}
    assert {(e.mode, e.shots) for e in quick if e.shots} == {("few-shot", 5)}
    assert {(e.mode, e.subset.train) for e in quick if e.subset.train} == {("lora", 96)}
    assert all(settings(e).epochs == 1 for e in quick if e.mode == "lora")
    assert all(e.subset.dev is None for e in quick)


def test_full_is_the_thirty_experiments_of_the_matrix(registry: Registry) -> None:
    full = plan(registry, load_profile("full"))
    order = list(dict.fromkeys((e.mode, e.model.name) for e in full))
    llms = ("qwen-0.5b", "qwen-1.5b", "gemma-2b")
    assert len(full) == 30
    assert order == [
        ("fine-tune", "bert-base"),
        ("fine-tune", "deberta-base"),
        *(("zero-shot", name) for name in llms),
        *(("few-shot", name) for name in llms),
        *(("lora", name) for name in llms[:2]),
    ]
    assert {e.data.source for e in full} == {"hub"}


# ── Training settings ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("model", "task", "lr", "epochs", "max_length"),
    [
        ("bert", "sst2", 2e-5, 3, 128),
        ("bert", "rte", 2e-5, 10, 256),
        ("bert", "mnli", 2e-5, 3, 128),
        ("deberta", "rte", 2e-5, 10, 256),
        ("deberta", "mnli", 1.5e-5, 3, 128),
    ],
)
def test_encoders_fine_tune_with_the_published_settings(
    registry: Registry, model: str, task: str, lr: float, epochs: int, max_length: int
) -> None:
    train = settings(plan_one(registry, model, task, "fine-tune"))
    assert (train.lr, train.epochs, train.max_length) == (lr, epochs, max_length)
    assert (train.batch_size, train.warmup, train.lora) == (32, 0.1, None)


@pytest.mark.parametrize(("task", "epochs"), [("sst2", 1), ("rte", 5), ("mnli", 1)])
def test_lora_trains_adapters_of_rank_16_through_the_prompt(
    registry: Registry, task: str, epochs: int
) -> None:
    experiment = plan_one(registry, "qwen-0.5b", task, "lora")
    train = settings(experiment)
    assert (train.lr, train.epochs) == (2e-4, epochs)
    assert train.lora == LoraSettings(rank=16, alpha=32, head="label-words")
    assert experiment.uses_label_words


def test_an_encoders_lora_trains_a_classifier(registry: Registry) -> None:
    lora = settings(plan_one(registry, "bert", "sst2", "lora")).lora
    assert lora is not None
    assert lora.head == "classifier"


def test_the_block_has_the_last_word_and_keeps_what_it_does_not_say(registry: Registry) -> None:
    changes = {"epochs": 2, "lora": {"rank": 8}}
    train = settings(plan_one(registry, "qwen-0.5b", "rte", "lora", train=changes))
    assert (train.epochs, train.max_length, train.lr) == (2, 384, 2e-4)
    assert train.lora == LoraSettings(rank=8, alpha=32)


def test_the_adapters_table_is_not_for_fine_tuning_in_the_same_block(registry: Registry) -> None:
    block = Block(
        models=("minilm",),
        modes=("fine-tune", "lora"),
        tasks=("sst2",),
        train={"epochs": 4, "lora": {"rank": 8}},
    )
    tuned, adapted = plan(registry, Profile(name="x", description="", data="hub", blocks=(block,)))
    assert settings(tuned).lora is None
    assert settings(adapted).lora == LoraSettings(rank=8, head="classifier")
    assert settings(tuned).epochs == settings(adapted).epochs == 4


def test_prompted_modes_have_no_training_settings(registry: Registry) -> None:
    for mode in ("zero-shot", "few-shot"):
        assert plan_one(registry, "gemma", "rte", mode).train is None


# ── Seeds, limits, duplicates ─────────────────────────────────────────────────────────────────────────


def test_each_seed_is_an_experiment_except_in_zero_shot(registry: Registry) -> None:
    quick = override(load_profile("quick"), seeds=[1, 2, 3])
    counts: dict[str, int] = {}
    for experiment in plan(registry, quick):
        counts[experiment.mode] = counts.get(experiment.mode, 0) + 1
    assert counts == {"fine-tune": 9, "zero-shot": 3, "few-shot": 9, "lora": 9}


def test_zero_shot_has_the_same_key_whatever_the_seed(registry: Registry) -> None:
    keys = {plan_one(registry, "gemma", "rte", "zero-shot", seeds=[s]).key for s in (1, 2)}
    assert len(keys) == 1


def test_an_experiment_named_twice_is_done_once(registry: Registry) -> None:
    (block,) = single_profile("gemma", "rte", "zero-shot", data="hub").blocks
    again = Block(models=("gemma-2b", "qwen-0.5b"), modes=("zero-shot",), tasks=("rte",))
    profile = Profile(name="x", description="", data="hub", blocks=(block, again))
    assert [e.model.name for e in plan(registry, profile)] == ["gemma-2b", "qwen-0.5b"]


def test_limits_become_the_subset(registry: Registry) -> None:
    tuned = plan_one(registry, "bert", "rte", "fine-tune", limit=10, train_limit=20)
    asked = plan_one(registry, "gemma", "rte", "few-shot", limit=10, shots=3)
    assert (tuned.subset.train, tuned.subset.dev) == (20, 10)
    assert (asked.subset.train, asked.subset.dev, asked.shots) == (None, 10, 3)


# ── Learning curves and templates ─────────────────────────────────────────────────────────────────────


def test_several_training_limits_are_an_experiment_each_and_a_prompted_mode_is_done_once(
    registry: Registry,
) -> None:
    block = Block(
        models=("gemma3-270m",),
        modes=("fine-tune", "few-shot", "lora"),
        tasks=("rte",),
        train_limit=(128, 32, 128),
        seeds=(1, 2),
    )
    experiments = plan(registry, Profile(name="x", description="", data="hub", blocks=(block,)))
    assert [(e.mode, e.seed, e.subset.train) for e in experiments] == [
        *(("fine-tune", 1, 128), ("fine-tune", 1, 32), ("fine-tune", 2, 128), ("fine-tune", 2, 32)),
        *(("few-shot", 1, None), ("few-shot", 2, None)),
        *(("lora", 1, 128), ("lora", 1, 32), ("lora", 2, 128), ("lora", 2, 32)),
    ]
    # The same experiments as with one limit at a time.
    single = [plan_one(registry, "gemma3", "rte", "lora", seeds=[1], train_limit=n).key for n in (128, 32)]
    assert [e.key for e in experiments if (e.mode, e.seed) == ("lora", 1)] == single


@pytest.mark.parametrize(
    ("data", "limits", "kept"),
    [
        # The starter's RTE has 160 training rows, the hub's 2,490.
        ("starter", (512, 128, 256, 1024), (128, 256)),
        ("starter", (512,), (512,)),
        ("hub", (128, 2490, 4096), (128, 2490)),
    ],
)
def test_of_the_limits_that_take_all_rows_the_smallest_is_done(
    registry: Registry, data: str, limits: tuple[int, ...], kept: tuple[int, ...]
) -> None:
    profile = single_profile("minilm", "rte", "fine-tune", data=data, train_limit=limits)
    assert tuple(e.subset.train for e in plan(registry, profile)) == kept


def test_each_template_is_an_experiment_of_its_own_in_the_modes_that_ask(registry: Registry) -> None:
    literal = "{text} / {pair}"
    block = Block(
        models=("gemma3-270m",),
        modes=("fine-tune", "zero-shot", "few-shot", "lora"),
        tasks=("rte",),
        templates=("default", "Question", literal, "question"),
    )
    experiments = plan(registry, Profile(name="x", description="", data="hub", blocks=(block,)))
    asked = [(mode, name) for mode in ("zero-shot", "few-shot", "lora") for name in ("", "question", literal)]
    assert [(e.mode, e.template) for e in experiments] == [("fine-tune", ""), *asked]
    task = registry.task("rte")
    _, own, question, shown, *_ = experiments
    assert own.task.prompt == task.prompt
    assert question.task.prompt.words == task.templates["question"].words
    assert shown.task.prompt == msgspec.structs.replace(task.prompt, template=literal)
    assert len({e.key for e in experiments}) == 10


def test_an_encoder_and_a_classifier_head_are_asked_nothing(registry: Registry) -> None:
    block = Block(models=("minilm",), modes=("lora",), tasks=("rte",), templates=("question", "plain"))
    (experiment,) = plan(registry, Profile(name="x", description="", data="hub", blocks=(block,)))
    assert (experiment.template, experiment.task.prompt) == ("", registry.task("rte").prompt)
    lora = {"lora": {"head": "classifier"}}
    many = ("zero-shot", "lora")
    block = Block(models=("gemma3",), modes=many, tasks=("rte",), templates=("question",), train=lora)  # type: ignore[arg-type]
    asked, adapted = plan(registry, Profile(name="x", description="", data="hub", blocks=(block,)))
    assert (asked.template, adapted.template) == ("question", "")


def test_a_template_that_the_task_does_not_have_names_the_experiment(registry: Registry) -> None:
    with pytest.raises(UsageError, match="gemma3-270m/rte/zero-shot: the task rte has no template 'cloze'"):
        plan_one(registry, "gemma3", "rte", "zero-shot", templates=["cloze"])


def test_the_variants_of_a_task_are_no_part_of_an_experiment(registry: Registry) -> None:
    more = msgspec.structs.replace(registry.task("rte"), templates={"new": PromptVariant(cue="?")})
    experiments = [plan_one(r, "gemma3", "rte", "zero-shot") for r in (registry, registry.with_task(more))]
    assert experiments[0] == experiments[1]


# Results of earlier releases are found again: what these keys hash has not changed since the first.
KEYS = {
    ("bert", "mnli", "fine-tune", None): "80a8f9cb93d81b8f",
    ("bert", "mnli", "fine-tune", 256): "3c60ae4f2619d2e5",
    ("gemma", "mnli", "few-shot", None): "9831c9907e9a947d",
    ("gemma", "sst2", "zero-shot", None): "2ef0739df76dd257",
}


@pytest.mark.parametrize(("model", "task", "mode", "limit"), KEYS)
def test_a_key_of_earlier_results_stays(
    registry: Registry, model: str, task: str, mode: Mode, limit: int | None
) -> None:
    experiment = plan_one(registry, model, task, mode, train_limit=limit)
    assert experiment.key == KEYS[model, task, mode, limit]


def test_a_genre_changes_no_key_and_a_stored_task_without_one_is_read(registry: Registry) -> None:
    experiment = build_plan(
        single_profile("minilm", "mnli", "fine-tune", data="starter"),
        registry,
        [FAST],
        weights_identity=identify,
    )[0]
    stored = msgspec.json.decode(msgspec.json.encode(experiment))
    del stored["template"], stored["task"]["templates"]
    for source in ("hub", "glue-dir", "starter"):
        del stored["task"]["data"][source]["columns"]["genre"]
    old = msgspec.convert(stored, Experiment)
    assert old != experiment
    assert old.key == experiment.key


# ── Precision and weights ─────────────────────────────────────────────────────────────────────────────


def test_bfloat16_is_used_where_every_device_has_it(registry: Registry) -> None:
    profile = single_profile("bert", "rte", "fine-tune", data="hub")
    for devices, precision in (([FAST], "bfloat16"), ([SLOW], "float32"), ([FAST, SLOW], "float32")):
        (experiment,) = build_plan(profile, registry, devices, weights_identity=identify)
        assert experiment.precision == precision


def test_the_weights_are_named_by_the_caller_once_for_each_model(registry: Registry) -> None:
    asked: list[str] = []

    def identify_and_count(model: ModelSpec) -> str:
        asked.append(model.name)
        assert isinstance(model.weights, WheelWeights)
        return model.weights.identity

    quick = build_plan(load_profile("quick"), registry, [FAST], weights_identity=identify_and_count)
    assert sorted(asked) == ["minilm", "smollm2-135m"]
    assert all(e.weights_identity.startswith("sha256:") for e in quick)


# ── What cannot be planned ────────────────────────────────────────────────────────────────────────────


def test_a_mode_that_the_family_cannot_do_names_those_it_can(registry: Registry) -> None:
    with pytest.raises(UsageError, match="encoder bert-base cannot do zero-shot") as caught:
        plan_one(registry, "bert", "rte", "zero-shot")
    assert caught.value.hint == "It can do fine-tune, lora."


def test_unknown_names_are_refused_before_anything_is_read(registry: Registry, tmp_path: Path) -> None:
    missing = str(tmp_path / "nowhere")
    for model, task in (("brt", "rte"), ("bert", "rtee")):
        with pytest.raises(UsageError, match="there is no"):
            plan(registry, single_profile(model, task, "fine-tune", data=missing))


def test_label_words_for_an_encoder_name_the_experiment(registry: Registry) -> None:
    with pytest.raises(UsageError, match="bert-base/rte/lora"):
        plan_one(registry, "bert", "rte", "lora", train={"lora": {"head": "label-words"}})


def test_data_that_are_not_here_cannot_start(registry: Registry, tmp_path: Path) -> None:
    with pytest.raises(CannotStartError, match="no data folder"):
        plan(registry, single_profile("bert", "rte", "fine-tune", data=str(tmp_path / "nowhere")))


def test_another_column_is_another_experiment(registry: Registry) -> None:
    experiment = plan_one(registry, "minilm", "rte", "fine-tune")
    hub = experiment.task.data.hub
    assert hub is not None
    swapped = msgspec.structs.replace(hub.columns, text="sentence2", pair="sentence1")
    for other in (msgspec.structs.replace(hub, columns=swapped), msgspec.structs.replace(hub, train="test")):
        data = msgspec.structs.replace(experiment.task.data, hub=other)
        task = msgspec.structs.replace(experiment.task, data=data)
        assert msgspec.structs.replace(experiment, task=task).key != experiment.key


def test_another_rule_for_the_dev_split_is_another_experiment(
    make_experiment: MakeExperiment, tmp_path: Path
) -> None:
    given = make_experiment("encoder", tmp_path, "fine-tune", train=TrainSettings())
    assert given.task.data.file is not None
    # As it was before there were rules: no key of earlier results has changed.
    assert given.identity["reading"] == [{"text": "text", "label": "label", "pair": ""}, None]
    keys = {given.key}
    for split in (DevSplit(), DevSplit(share=0.1), DevSplit(seed=1)):
        table = msgspec.structs.replace(given.task.data.file, dev={}, split=split)
        task = msgspec.structs.replace(given.task, data=TaskData(file=table))
        keys.add(msgspec.structs.replace(given, task=task).key)
    assert len(keys) == 4


def test_a_long_instruction_is_no_matter_of_an_encoders_head(registry: Registry) -> None:
    task = msgspec.structs.replace(registry.task("rte"), train={"lora": {"max_length": 1137}})
    own = registry.with_task(task)
    assert settings(plan_one(own, "minilm", "rte", "lora")).max_length == 512
    assert settings(plan_one(own, "gemma3-270m", "rte", "lora")).max_length == 1137
    assert settings(plan_one(registry, "minilm", "rte", "lora")).max_length == 384
