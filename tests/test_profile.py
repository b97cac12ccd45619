"""A profile is a strict TOML file; the command line changes a copy of it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from nlu_arena.errors import UsageError
from nlu_arena.hardware import Device
from nlu_arena.paths import PACKAGE
from nlu_arena.plan import build_plan
from nlu_arena.profile import (
    Profile,
    focus,
    list_profiles,
    list_strange,
    load_profile,
    override,
    single_profile,
)
from nlu_arena.registry import load_registry
from nlu_arena.spec import TRAINED_MODES, TaskSpec
from nlu_arena.views.catalogue import count_experiments

CPU = Device(name="cpu", kind="cpu", title="CPU", memory_bytes=1, fast_bfloat16=False)

MINE = """\
description = "Mine"
data = "starter"

[[block]]
models = ["minilm"]
modes = ["fine-tune", "lora"]
tasks = ["sst2"]
train = { epochs = 1, lora = { rank = 8 } }

[[block]]
models = ["smollm2-135m"]
modes = ["zero-shot", "few-shot"]
tasks = ["rte"]
"""


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder with an empty user configuration."""
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.setenv("NLU_ARENA_CONFIG", str(tmp_path / "config"))
    return work


def write(folder: Path, name: str, text: str = MINE) -> Path:
    path = folder / "profiles" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


# ── Finding and reading ───────────────────────────────────────────────────────────────────────────────


def test_quick_and_full_ship() -> None:
    assert {"quick", "full"} <= {profile.name for profile in list_profiles()}


def test_quick_is_the_fixed_work_on_starter_data() -> None:
    quick = load_profile("quick")
    tune, prompt = quick.blocks
    assert quick.data == "starter"
    assert (tune.models, tune.modes, tune.train_limit) == (("minilm",), ("fine-tune",), None)
    assert (prompt.models, prompt.modes) == (("smollm2-135m",), ("zero-shot", "few-shot", "lora"))
    assert (prompt.shots, prompt.train_limit, prompt.limit) == (5, 96, None)
    assert prompt.train == {"epochs": 1, "batch_size": 8}


def test_a_profile_is_named_by_its_file(own_folder: Path) -> None:
    write(own_folder, "mine.toml")
    assert load_profile("mine").name == "mine"
    assert load_profile("MINE").name == "mine"


def test_a_path_to_a_profile_works_from_anywhere(tmp_path: Path) -> None:
    path = write(tmp_path / "elsewhere", "other.toml")
    assert load_profile(str(path)).description == "Mine"


def test_a_path_without_a_file_cannot_start() -> None:
    with pytest.raises(UsageError, match=r"no profile file nowhere\.toml"):
        load_profile("nowhere.toml")


def test_an_unknown_profile_gets_the_nearest_and_the_listing_command() -> None:
    with pytest.raises(UsageError, match="no profile 'quik'") as caught:
        load_profile("quik")
    assert "quick" in caught.value.hint
    assert "nlu-arena list profiles" in caught.value.hint


def test_another_profile_of_a_shipped_name_names_both_files(own_folder: Path) -> None:
    path = write(own_folder, "quick.toml")
    with pytest.raises(UsageError, match="two profiles 'quick'") as caught:
        load_profile("quick")
    assert str(path) in caught.value.message
    assert str(PACKAGE.parent / "profiles" / "quick.toml") in caught.value.message


def test_the_same_file_met_in_two_folders_is_one_profile(own_folder: Path) -> None:
    text = (PACKAGE.parent / "profiles" / "quick.toml").read_text(encoding="utf-8")
    write(own_folder, "quick.toml", text)
    assert load_profile("quick").name == "quick"


def test_a_broken_profile_of_the_user_does_not_stop_another(own_folder: Path) -> None:
    write(own_folder, "broken.toml", "description = ")
    assert load_profile("quick").name == "quick"
    with pytest.raises(UsageError, match="not valid TOML"):
        load_profile("broken")


# ── Wrong profiles: (what replaces what, the words of the message, the words of the hint) ─────────────

BAD = {
    "an unknown key": ("description", "descripton", "unknown key `descripton`", "description"),
    "an unknown key in a block": ("models", "model", "block[0]: unknown key `model`", "models"),
    "an unknown mode": ('"lora"]', '"lorra"]', "block[0].modes[1]", "lora"),
    "a name": ("description", 'name = "x"\ndescription', "has no `name`", "file"),
    "no block": (MINE[MINE.index("[[block]]") :], "", "missing required key `block`", ""),
    "a block without models": ('["minilm"]', "[]", "models", ""),
    "no training rows": ("tasks", "train_limit = 0\ntasks", "train_limit: Expected `int` >= 1", ""),
    "no training rows in a list": ("tasks", "train_limit = [8, 0]\ntasks", "train_limit[1]: Expected", ""),
    "an empty list of training rows": ("tasks", "train_limit = []\ntasks", "block[0].train_limit: Exp", ""),
    "an empty list of templates": ("tasks", "templates = []\ntasks", "block[0].templates: Expected", ""),
    "templates without a mode that asks": (
        'modes = ["fine-tune", "lora"]\ntasks = ["sst2"]\ntrain = { epochs = 1, lora = { rank = 8 } }',
        'modes = ["fine-tune"]\ntasks = ["sst2"]\ntemplates = ["question"]',
        *("templates without a mode that asks a language model", "zero-shot, few-shot"),
    ),
    "templates for a classifier head": (
        *("rank = 8 } }", 'head = "classifier" } }\ntemplates = ["question"]'),
        *("templates without a mode that asks a language model", "lora without a classifier head"),
    ),
    "no rows": ("tasks", "limit = 0\ntasks", "limit: Expected `int` >= 1", ""),
    "no seeds": ('data = "starter"', "seeds = []", "seeds", ""),
    "a negative seed": ('data = "starter"', "seeds = [-1]", "seeds[0]", ""),
    "an unknown setting": ("epochs", "epoch", "block[0].train: unknown key `epoch`", "epochs"),
    "a setting that cannot train": ("epochs = 1", "epochs = 0", "above 0", ""),
    "an adapter without LoRA": (', "lora"]', "]", "train.lora without the mode lora", ""),
    "training without a mode that trains": (
        *('["fine-tune", "lora"]', '["zero-shot"]'),
        *("train without a mode that trains", "fine-tune and lora"),
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_wrong_profile_is_refused_with_file_and_reason(own_folder: Path, case: str) -> None:
    old, new, message, hint = BAD[case]
    path = write(own_folder, "mine.toml", MINE.replace(old, new))
    with pytest.raises(UsageError) as caught:
        load_profile("mine")
    assert str(path) in caught.value.message
    assert message in caught.value.message
    assert hint in caught.value.hint


# ── The command line's changes ────────────────────────────────────────────────────────────────────────


def read_mine(folder: Path) -> Profile:
    write(folder, "mine.toml")
    return load_profile("mine")


def test_without_changes_the_profile_stays_as_it_is(own_folder: Path) -> None:
    profile = read_mine(own_folder)
    assert override(profile) == profile


def test_data_seeds_and_limits_can_be_changed(own_folder: Path) -> None:
    profile = read_mine(own_folder)
    changed = override(profile, data="hub", seeds=[1, 2], limit=10, train_limit=20)
    assert (changed.data, changed.seeds) == ("hub", (1, 2))
    assert [block.limit for block in changed.blocks] == [10, 10]
    assert profile.data == "starter"


def test_a_limit_on_train_leaves_prompted_blocks_alone(own_folder: Path) -> None:
    changed = override(read_mine(own_folder), train_limit=20)
    assert [block.train_limit for block in changed.blocks] == [20, None]


def test_one_limit_of_the_command_line_takes_the_place_of_a_list(own_folder: Path) -> None:
    write(own_folder, "mine.toml", MINE.replace("tasks", "train_limit = [8, 16]\ntasks", 1))
    profile = load_profile("mine")
    assert override(profile) == profile
    assert profile.blocks[0].train_limits == (8, 16)
    assert override(profile, train_limit=20).blocks[0].train_limits == (20,)


@pytest.mark.parametrize(
    ("limit", "train_limit", "seeds"), [(0, None, None), (None, -1, None), (None, None, [])]
)
def test_changes_are_checked_like_the_file(
    own_folder: Path, limit: int | None, train_limit: int | None, seeds: list[int] | None
) -> None:
    with pytest.raises(UsageError, match="the profile mine with the command line's changes"):
        override(read_mine(own_folder), limit=limit, train_limit=train_limit, seeds=seeds)


def test_one_experiment_is_a_profile_of_one_block() -> None:
    profile = single_profile("bert", "rte", "fine-tune", data="starter", seeds=[7], train={"epochs": 2})
    (block,) = profile.blocks
    assert (block.models, block.modes, block.tasks) == (("bert",), ("fine-tune",), ("rte",))
    assert (profile.data, profile.seeds, block.train) == ("starter", (7,), {"epochs": 2})


def test_shots_of_one_experiment_are_checked() -> None:
    with pytest.raises(UsageError, match="shots"):
        single_profile("gemma3", "rte", "few-shot", data="starter", shots=0)


def test_a_block_has_seeds_of_its_own_until_the_command_line_gives_others(own_folder: Path) -> None:
    text = MINE.replace("[[block]]", "[[block]]\nseeds = [5, 6, 7]", 1)
    write(own_folder, "mine.toml", text)
    profile = load_profile("mine")
    first, second = profile.blocks
    assert (profile.seeds_of(first), profile.seeds_of(second)) == ((5, 6, 7), profile.seeds)
    changed = override(profile, seeds=[1])
    assert [changed.seeds_of(block) for block in changed.blocks] == [(1,), (1,)]


def test_training_settings_are_set_in_every_block_that_trains_and_the_adapters_where_there_is_one() -> None:
    full = load_profile("full")
    changed = override(full, train={"lr": 1e-3, "lora": {"rank": 4}})
    encoders, zero, few, lora = changed.blocks
    assert (encoders.train, lora.train) == ({"lr": 1e-3}, {"lr": 1e-3, "lora": {"rank": 4}})
    assert not zero.train
    assert not few.train


def test_a_setting_stands_over_what_the_block_says_and_leaves_the_rest() -> None:
    quick = load_profile("quick")
    changed = override(quick, train={"batch_size": 4})
    assert changed.blocks[1].train == {"epochs": 1, "batch_size": 4}


def test_a_setting_that_no_block_can_use_is_refused(own_folder: Path) -> None:
    only_prompts = single_profile("gemma3", "rte", "zero-shot", data="starter")
    with pytest.raises(UsageError, match=r"--set train\.lr changes nothing"):
        override(only_prompts, train={"lr": 1e-3})


def test_an_adapters_setting_without_lora_is_refused() -> None:
    tuned = single_profile("bert", "rte", "fine-tune", data="starter")
    with pytest.raises(UsageError, match=r"--set train\.lora changes nothing"):
        override(tuned, train={"lora": {"rank": 8}})


@pytest.mark.parametrize(
    ("train", "said"),
    [({"lrr": 1e-3}, "unknown key `lrr`"), ({"lr": "fast"}, "float"), ({"epochs": 0}, "above 0")],
)
def test_a_wrong_setting_is_refused_like_one_of_the_file(train: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        override(load_profile("full"), train=train)


PROFILES = {"quick": 12, "full": 30, "laptop": 30, "full-seeds": 97, "example": 5, "curve": 42}


@pytest.mark.parametrize("name", PROFILES)
def test_the_profiles_name_as_many_experiments_as_they_say(name: str) -> None:
    profile = load_profile(name)
    plan = build_plan(profile, load_registry(), [CPU], weights_identity=lambda model: model.name)
    # A profile of the hub plans without a hub.
    assert len(plan) == count_experiments(profile) == PROFILES[name]


def test_fine_tuning_and_lora_see_the_same_training_rows_in_full_and_laptop() -> None:
    for profile in map(load_profile, ("full", "laptop")):
        plan = build_plan(profile, load_registry(), [CPU], weights_identity=lambda model: model.name)
        assert len({e.subset for e in plan if e.mode in TRAINED_MODES}) == 1


def test_the_laptop_profile_bounds_the_rows() -> None:
    for block in load_profile("laptop").blocks:
        assert block.limit is not None
        assert block.limit <= 500
        assert not block.trained_modes or all((limit or 513) <= 512 for limit in block.train_limits)


# ── One task in place of the profile's ────────────────────────────────────────────────────────────────


@pytest.fixture
def mine(opinion_task: TaskSpec) -> TaskSpec:
    return msgspec.structs.replace(opinion_task, name="mine")


def test_a_task_takes_the_place_of_the_profiles_and_the_rest_stays(own_folder: Path, mine: TaskSpec) -> None:
    profile = focus(read_mine(own_folder), mine, str)
    assert [(b.models, b.modes, b.tasks) for b in profile.blocks] == [
        (("minilm",), ("fine-tune", "lora"), ("mine",)),
        (("smollm2-135m",), ("zero-shot", "few-shot"), ("mine",)),
    ]
    assert profile.blocks[0].train == {"epochs": 1, "lora": {"rank": 8}}
    assert (profile.name, profile.data) == ("mine", "starter")


def test_each_model_in_a_mode_is_done_once_as_its_first_block_says(own_folder: Path, mine: TaskSpec) -> None:
    again = """
[[block]]
models = ["MiniLM", "smollm2-135m"]
modes = ["lora", "fine-tune"]
tasks = ["rte"]
limit = 7
train_limit = 9
train = { epochs = 2, lora = { rank = 4 } }
"""
    write(own_folder, "mine.toml", MINE + again)
    first, second, rest = focus(load_profile("mine"), mine, str.lower).blocks
    assert (first.limit, second.limit) == (None, None)
    assert (rest.models, rest.modes, rest.limit) == (("smollm2-135m",), ("lora", "fine-tune"), 7)
    assert (rest.train_limit, rest.train) == (9, {"epochs": 2, "lora": {"rank": 4}})


@pytest.mark.parametrize(
    ("modes", "kept"),
    [('"zero-shot"', ({}, None)), ('"fine-tune", "zero-shot"', ({"epochs": 2}, 9))],
)
def test_what_is_left_of_a_block_has_no_settings_for_modes_that_went(
    own_folder: Path, mine: TaskSpec, modes: str, kept: tuple[dict[str, int], int | None]
) -> None:
    done = "lora" if "fine-tune" in modes else 'fine-tune", "lora'
    text = f"""
description = "Mine"
[[block]]
models = ["qwen-0.5b"]
modes = ["{done}"]
tasks = ["sst2"]
[[block]]
models = ["qwen-0.5b"]
modes = [{modes}, "lora"]
tasks = ["rte"]
train_limit = 9
train = {{ epochs = 2, lora = {{ rank = 4 }} }}
"""
    write(own_folder, "mine.toml", text)
    _, rest = focus(load_profile("mine"), mine, str).blocks
    assert "lora" not in rest.modes
    assert (rest.train, rest.train_limit) == kept


@pytest.mark.parametrize(("name", "cells"), [("quick", 4), ("laptop", 10), ("full", 10)])
def test_the_shipped_profiles_work_on_one_task(name: str, cells: int) -> None:
    registry = load_registry()
    profile = focus(load_profile(name), registry.task("sst2"), lambda model: registry.model(model).name)
    assert count_experiments(profile) == cells


def test_a_task_is_asked_with_the_templates_that_it_has(own_folder: Path, mine: TaskSpec) -> None:
    text = MINE.replace('tasks = ["rte"]', 'tasks = ["rte"]\ntemplates = ["question", "default", "{text}!"]')
    write(own_folder, "mine.toml", text)
    profile = load_profile("mine")
    assert list_strange(profile, mine) == ["question"]
    tuned, asked = focus(profile, mine, str).blocks
    assert (tuned.templates, asked.templates) == (None, ("default", "{text}!"))
    assert list_strange(focus(profile, mine, str), mine) == []


def test_templates_go_with_the_modes_that_ask(own_folder: Path, mine: TaskSpec) -> None:
    again = """
[[block]]
models = ["smollm2-135m"]
modes = ["few-shot", "fine-tune"]
tasks = ["rte"]
train_limit = [8, 16]
templates = ["default"]
"""
    write(own_folder, "mine.toml", MINE + again)
    *_, rest = focus(load_profile("mine"), mine, str).blocks
    assert (rest.modes, rest.train_limits, rest.templates) == (("fine-tune",), (8, 16), None)
