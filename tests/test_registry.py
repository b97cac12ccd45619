"""The registry knows what the manifests say, and says clearly what is wrong in one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nlu_arena.errors import ExitCode, UsageError
from nlu_arena.paths import PACKAGE
from nlu_arena.registry import Registry, find_mode, load_registry
from nlu_arena.spec import DevSplit, HubWeights, LocalWeights, WheelWeights

PLUGINS = PACKAGE.parent / "plugins"

MODEL = """\
name = "tiny"
aliases = ["little"]
title = "Tiny"
slug = "tiny"
family = "encoder"
parameters = 10
use_case = "tests"
licence = "MIT"
weights = { source = "hub", repo = "a/b", revision = "0123456789012345678901234567890123456789" }
"""

TASK = """\
name = "weather"
title = "Weather"
type = "topic"
labels = ["dry", "wet"]
train_rows = 10
difficulty = "easy"
licence = "MIT"

[prompt]
instruction = "Say whether it rains."
template = "Report: {text}"
cue = "Weather:"
words = { dry = "dry", wet = "rain" }

[data.file]
folder = "rows"
columns = { text = "report", label = "kind" }
train = "train.tsv"
dev = { dev = "dev.tsv" }
"""


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder with an empty user configuration."""
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.setenv("NLU_ARENA_CONFIG", str(tmp_path / "config"))
    return work


def write(folder: Path, kind: str, name: str, text: str) -> Path:
    path = folder / "plugins" / kind / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def refuse(folder: Path, kind: str, text: str) -> UsageError:
    path = write(folder, kind, "mine.toml", text)
    with pytest.raises(UsageError) as caught:
        load_registry()
    assert str(path) in caught.value.message
    assert caught.value.exit_code == ExitCode.USAGE
    return caught.value


# ── What ships ────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def shipped() -> Registry:
    return load_registry()


def test_eight_models_and_three_tasks_ship(shipped: Registry) -> None:
    assert set(shipped.models) == {
        *("bert-base", "deberta-base", "qwen-0.5b", "qwen-1.5b", "gemma-2b"),
        *("minilm", "smollm2-135m", "gemma3-270m"),
    }
    assert set(shipped.tasks) == {"sst2", "rte", "mnli"}


@pytest.mark.parametrize(
    ("alias", "name"), [("bert", "bert-base"), ("deberta", "deberta-base"), ("gemma", "gemma-2b")]
)
def test_short_aliases_work_in_any_case(shipped: Registry, alias: str, name: str) -> None:
    assert shipped.model(alias).name == name
    assert shipped.model(alias.upper()).name == name
    assert shipped.task("SST-2").name == "sst2"


def test_every_hub_model_is_pinned_and_only_deberta_may_be_a_pickle(shipped: Registry) -> None:
    hub = {name: m.weights for name, m in shipped.models.items() if isinstance(m.weights, HubWeights)}
    assert len(hub) == 5
    assert [name for name, weights in hub.items() if weights.allow_pickle] == ["deberta-base"]
    assert [name for name, weights in hub.items() if weights.gated] == ["gemma-2b"]


def test_wheel_models_name_their_quantisation_and_gemma_its_terms(shipped: Registry) -> None:
    wheels = {name: m for name, m in shipped.models.items() if isinstance(m.weights, WheelWeights)}
    assert {name: m.quantisation for name, m in wheels.items()} == {
        "minilm": "",
        "smollm2-135m": "Q4_1",
        "gemma3-270m": "Q4_K_M",
    }
    for name in ("gemma-2b", "gemma3-270m"):
        assert "https://ai.google.dev/gemma/terms" in shipped.models[name].licence_note


def test_labels_stand_in_glues_own_order(shipped: Registry) -> None:
    assert shipped.tasks["sst2"].labels == ("negative", "positive")
    assert shipped.tasks["rte"].labels == ("entailment", "not_entailment")
    assert shipped.tasks["mnli"].labels == ("entailment", "neutral", "contradiction")


def test_mnli_is_judged_on_matched_first_and_on_mismatched(shipped: Registry) -> None:
    starter = shipped.tasks["mnli"].data.starter
    assert starter is not None
    assert list(starter.dev) == ["matched", "mismatched"]


def test_every_task_says_what_glue_published(shipped: Registry) -> None:
    assert {task.published.name for task in shipped.tasks.values() if task.published} == {"GLUE"}
    assert {name: task.published_rows for name, task in shipped.tasks.items()} == {
        "sst2": {"train": 67_349, "dev": 872},
        "rte": {"train": 2_490, "dev": 277},
        "mnli": {"train": 392_702, "matched": 9_815, "mismatched": 9_832},
    }
    assert all(task.published_rows["train"] == task.train_rows for task in shipped.tasks.values())


def test_slugs_are_different_and_as_people_know_them(shipped: Registry) -> None:
    slugs = {name: model.slug for name, model in shipped.models.items()}
    assert len(set(slugs.values())) == len(slugs)
    assert slugs["bert-base"] == "bert_base_uncased"
    assert slugs["qwen-0.5b"] == "qwen2_0.5b"


# ── Names ─────────────────────────────────────────────────────────────────────────────────────────────


def test_an_unknown_model_gets_the_nearest_names_and_the_listing_command(shipped: Registry) -> None:
    with pytest.raises(UsageError, match=r"no model 'qwen-0\.6b'") as caught:
        shipped.model("qwen-0.6b")
    assert "qwen-0.5b" in caught.value.hint
    assert "nlu-arena list models" in caught.value.hint


def test_an_unknown_task_that_is_like_none_gets_all_valid_names(shipped: Registry) -> None:
    with pytest.raises(UsageError) as caught:
        shipped.task("zzzzzz")
    for name in ("sst2", "rte", "mnli", "nlu-arena list tasks"):
        assert name in caught.value.hint


def test_an_unknown_mode_gets_the_nearest_one() -> None:
    assert find_mode("Few-Shot") == "few-shot"
    with pytest.raises(UsageError) as caught:
        find_mode("finetune")
    assert "fine-tune" in caught.value.hint
    assert "nlu-arena list modes" in caught.value.hint


# ── The user's own manifests ──────────────────────────────────────────────────────────────────────────


def test_manifests_of_the_current_folder_and_of_the_user_are_found(own_folder: Path, tmp_path: Path) -> None:
    write(own_folder, "models", "mine.toml", MODEL)
    write(tmp_path / "config", "tasks", "mine.toml", TASK)
    registry = load_registry()
    assert registry.model("little").title == "Tiny"
    assert registry.task("weather").labels == ("dry", "wet")


def test_local_paths_are_seen_from_the_manifest(own_folder: Path, tmp_path: Path) -> None:
    local = MODEL[: MODEL.index("weights")] + 'weights = { source = "local", path = "../weights" }\n'
    write(own_folder, "models", "mine.toml", local)
    write(tmp_path / "config", "tasks", "mine.toml", TASK)
    registry = load_registry()
    assert registry.model("tiny").weights == LocalWeights(path=str(own_folder / "plugins" / "weights"))
    table = registry.task("weather").data.file
    assert table is not None
    assert table.folder == str(tmp_path / "config" / "plugins" / "tasks" / "rows")


def test_the_same_file_met_in_two_folders_is_one_model(own_folder: Path) -> None:
    ours = PLUGINS / "models" / "minilm.toml"
    write(own_folder, "models", "minilm.toml", ours.read_text(encoding="utf-8"))
    assert load_registry().model("minilm").name == "minilm"


def test_a_name_claimed_twice_names_both_files(own_folder: Path) -> None:
    first = write(own_folder, "models", "first.toml", MODEL)
    second = write(own_folder, "models", "second.toml", MODEL.replace('"tiny"', '"other"'))
    with pytest.raises(UsageError, match="'little' is claimed twice") as caught:
        load_registry()
    assert str(first) in caught.value.message
    assert str(second) in caught.value.message


def test_an_alias_cannot_take_the_name_of_a_shipped_model(own_folder: Path) -> None:
    error = refuse(own_folder, "models", MODEL.replace("little", "bert-base"))
    assert str(PLUGINS / "models" / "bert-base.toml") in error.message


# ── Wrong manifests: (what replaces what, the words of the message, the words of the hint) ────────────

BAD_MODELS = {
    "an unknown key": ("licence", "licens", "unknown key `licens`", "licence"),
    "an unknown key in a table": ("revision", "revison", "weights: unknown key `revison`", "revision"),
    "a missing key": ('title = "Tiny"\n', "", "missing required key `title`", ""),
    "a wrong type": ("parameters = 10", 'parameters = "10"', "parameters: Expected `int`, got `str`", ""),
    "an unknown family": ('"encoder"', '"encodr"', "family", "encoder"),
    "an unknown source": ('"hub"', '"hubb"', "weights.source", "hub"),
    "a branch for a commit": ("0123456789" * 4, "main", "commit of 40", "branch"),
    "a name with a space": ('"tiny"', '"tiny one"', "cannot be a name", "small letters"),
    "a slug that leaves its folder": ('slug = "tiny"', 'slug = "../up"', "cannot be a name", ""),
    "no parameters": ("parameters = 10", "parameters = 0", "above 0", ""),
    "an unknown mode": ("use_case", "train.finetune.lr = 1e-5\nuse_case", "finetune", "fine-tune"),
    "training in zero-shot": ("use_case", "train.zero-shot.lr = 1e-5\nuse_case", "trains nothing", ""),
    "an unknown setting": ("use_case", "train.lora.epoch = 2\nuse_case", "unknown key `epoch`", "epochs"),
    "an unknown setting of the adapter": (
        *("use_case", "train.lora.lora.rnk = 2\nuse_case"),
        *("lora: unknown key `rnk`", "rank"),
    ),
    "an adapter in fine-tune": ("use_case", "train.fine-tune.lora.rank = 2\nuse_case", "no meaning", ""),
    "a setting that cannot train": ("use_case", "train.lora.lr = -1.0\nuse_case", "above 0", ""),
    "label words for an encoder": (
        *("use_case", 'train.lora.lora.head = "label-words"\nuse_case'),
        *("no label words", "classifier"),
    ),
    "an unknown task": ("use_case", "train.lora.tasks.sst3.lr = 1e-5\nuse_case", "'sst3'", "sst2"),
    "an unknown setting on a task": (
        *("use_case", "train.lora.tasks.sst2.lrr = 1e-5\nuse_case"),
        *("unknown key `lrr`", "lr"),
    ),
}


@pytest.mark.parametrize("case", BAD_MODELS)
def test_a_wrong_model_manifest_is_refused_with_file_and_reason(own_folder: Path, case: str) -> None:
    old, new, message, hint = BAD_MODELS[case]
    error = refuse(own_folder, "models", MODEL.replace(old, new))
    assert message in error.message
    assert hint in error.hint


BAD_TASKS = {
    "a label without a word": (', wet = "rain"', "", "no word for the label 'wet'", ""),
    "a word without a label": ('wet = "rain"', 'wet = "rain", wett = "x"', "no label 'wett'", "wet"),
    "two labels with one word": ('"rain"', '"dry"', "two labels the same word", ""),
    "one label": ('["dry", "wet"]', '["dry"]', "two or more", ""),
    "a template without a text": ("{text}", "it", "no {text}", ""),
    "an unknown place in the template": ("{text}", "{text} {txt}", "{txt}", "{text}"),
    "a pair without a column": ("{text}", "{text} {pair}", "no column", "pair"),
    "a column without a pair": ('label = "kind"', 'label = "kind", pair = "b"', "no {pair}", ""),
    "a variant without a word for a label": (
        *("[data.file]", '[templates.short]\nwords = { dry = "no" }\n[data.file]'),
        *("templates.short.words has no word for the label 'wet'", ""),
    ),
    "a variant without a text": (
        *("[data.file]", '[templates.short]\ntemplate = "Rain?"\n[data.file]'),
        *("templates.short.template has no {text}", ""),
    ),
    "a variant with a second text": (
        *("[data.file]", '[templates.short]\ntemplate = "{text} {pair}"\n[data.file]'),
        *("templates.short.template has a {pair}", "single texts"),
    ),
    "a variant named as the prompt itself": (
        *("[data.file]", '[templates.default]\ncue = "?"\n[data.file]'),
        *("templates.default: that is the name of [prompt] itself", "another name"),
    ),
    "a variant that no profile can name": (
        *("[data.file]", '[templates."two words"]\ncue = "?"\n[data.file]'),
        *("'two words' cannot be a name", ""),
    ),
    "an unknown key of a variant": (
        *("[data.file]", '[templates.short]\ncues = "?"\n[data.file]'),
        *("templates[...]: unknown key `cues`", "cue"),
    ),
    "a column of genres in a file of one's own": (
        *('label = "kind"', 'label = "kind", genre = "g"'),
        *("data.file.columns.genre has no meaning", "GLUE"),
    ),
    "no data": (TASK[TASK.index("[data.file]") :], "[data]\n", "names no source", "hub"),
    "no dev split": ('{ dev = "dev.tsv" }', "{}", "dev splits", ""),
    "a dev file and a split": (
        *('{ dev = "dev.tsv" }', '{ dev = "dev.tsv" }\nsplit = {}'),
        *("data.file has both a dev file and a split", "cuts dev from train"),
    ),
    "a split of the GLUE download": (
        *("[data.file]", "[data.glue-dir]\nsplit = {}"),
        *("data.glue-dir.split has no meaning", "data.file"),
    ),
    "a split of more than half": ('dev = { dev = "dev.tsv" }', "split = { share = 0.6 }", "at most 0.5", ""),
    "a dev split that is train": ("{ dev =", "{ train =", "cannot be named 'train'", ""),
    "an unknown source of data": ("data.file", "data.glue_dir", "data: unknown key", "glue-dir"),
    "published rows of an unknown split": (
        *("train_rows", 'published = { name = "W", counts = { devv = 1 } }\ntrain_rows'),
        *("published.counts: there is no split 'devv'", "dev"),
    ),
    "another number of training rows than is published": (
        *("train_rows", 'published = { name = "W", counts = { train = 9 } }\ntrain_rows'),
        *("train_rows is 10, published.counts has another number", ""),
    ),
    "published rows of too many labels": (
        *("train_rows", 'published = { name = "W", counts = { train = [5, 4, 1] } }\ntrain_rows'),
        *("published.counts.train has 3 numbers for 2 labels", "dry, wet"),
    ),
    "a published split without rows": (
        *("train_rows", 'published = { name = "W", counts = { dev = [3, 0] } }\ntrain_rows'),
        *("published.counts.dev: a number of rows must be above 0, not 0", ""),
    ),
    "a published data set without a name": (
        *("train_rows", 'published = { name = " ", counts = {} }\ntrain_rows'),
        *("published.name is empty", ""),
    ),
    "an unknown key of what is published": (
        *("train_rows", 'published = { name = "W", rows = {} }\ntrain_rows'),
        *("published: unknown key `rows`", "counts"),
    ),
}


def test_a_file_of_ones_own_may_be_split_by_a_rule(own_folder: Path) -> None:
    write(own_folder, "tasks", "mine.toml", TASK.replace('dev = { dev = "dev.tsv" }', "split = { seed = 7 }"))
    table = load_registry().task("weather").data.file
    assert table is not None
    assert (table.dev_splits, table.split) == (("dev",), DevSplit(share=0.2, seed=7))


@pytest.mark.parametrize("case", BAD_TASKS)
def test_a_wrong_task_manifest_is_refused_with_file_and_reason(own_folder: Path, case: str) -> None:
    old, new, message, hint = BAD_TASKS[case]
    error = refuse(own_folder, "tasks", TASK.replace(old, new))
    assert message in error.message
    assert hint in error.hint


def test_an_unpinned_package_and_a_short_checksum_are_refused(own_folder: Path) -> None:
    head = MODEL[: MODEL.index("weights")]
    wheel: dict[str, Any] = {
        "packages": '["weights==1.0"]',
        "members": '["a/b.gguf"]',
        "sha256": f'"{"a" * 64}"',
    }
    for key, value, message in (
        ("packages", '["weights"]', "no pinned version"),
        ("sha256", '"abc"', "64 hexadecimal"),
        ("members", "[]", "at least one"),
    ):
        table = "\n".join(f"{k} = {v}" for k, v in (wheel | {key: value}).items())
        error = refuse(own_folder, "models", f'{head}[weights]\nsource = "wheel"\n{table}\n')
        assert message in error.message


def test_broken_toml_names_the_file_and_the_line(own_folder: Path) -> None:
    error = refuse(own_folder, "models", MODEL.replace('title = "Tiny"', "title = Tiny"))
    assert "line 3" in error.message


def test_text_that_is_not_utf8_is_refused(own_folder: Path) -> None:
    path = write(own_folder, "models", "mine.toml", "")
    path.write_bytes(MODEL.replace("Tiny", "Tin\u00ff").encode("latin-1"))
    with pytest.raises(UsageError, match="not UTF-8"):
        load_registry()


def test_reading_a_manifest_executes_nothing(own_folder: Path) -> None:
    write(own_folder, "models", "mine.py", "raise SystemExit('executed')")
    write(own_folder, "models", "mine.toml", MODEL)
    assert load_registry().model("tiny").name == "tiny"
