"""Weights and data before a sweep: here, within reach, or missing with a way to get them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from nlu_arena.dataref import resolve_data
from nlu_arena.errors import CannotStartError
from nlu_arena.ownfile.draft import OwnFile, draft_task
from nlu_arena.plan import Subject
from nlu_arena.preflight import Finding, Supply, check_supply
from nlu_arena.preflight import reach as preflight_reach
from nlu_arena.registry import load_registry
from nlu_arena.sources import hub, hub_client
from nlu_arena.spec import HubWeights, LocalWeights, ModelSpec, TaskSpec, WheelWeights
from tests.ownfile.files import write_reviews

REGISTRY = load_registry()
REVISION = "0123456789abcdef0123456789abcdef01234567"
SHARED_GLUE = Path(__file__).resolve().parents[3] / "shared" / "glue"


@pytest.fixture(autouse=True)
def empty_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("NLU_ARENA_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)


def check(models: list[ModelSpec] = [], **tasks: str) -> dict[str, Finding]:  # noqa: B006
    specs = {name: REGISTRY.task(name) for name in tasks}
    pairs = {name: (specs[name], resolve_data(specs[name], data)) for name, data in tasks.items()}
    return {finding.subject: finding for finding in check_supply(Supply(models, pairs, {}))}


@pytest.fixture
def silent_hub(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A hub that does not answer; gives what is asked of it all the same."""
    asked: list[str] = []

    def knock(*_: object) -> bool:
        asked.append("knock")
        return False

    monkeypatch.setattr(hub_client, "hub_answers", knock)
    monkeypatch.setattr(hub_client, "ask", lambda repo: asked.append(repo.name))
    return asked


def test_a_silent_hub_is_asked_once_and_everything_that_needs_it_says_how_to_get_it(
    silent_hub: list[str],
) -> None:
    found = check([REGISTRY.model("bert-base"), REGISTRY.model("qwen-0.5b")], sst2="hub", rte="hub")
    assert silent_hub == ["knock"]
    for name, kind in {"bert-base": "model", "qwen-0.5b": "model", "sst2": "task", "rte": "task"}.items():
        assert found[name].state == "failure"
        assert found[name].blocks == {Subject(kind, name)}  # type: ignore[arg-type]
        assert f"nlu-arena pull --{kind} {name}" in found[name].remedy
    assert "--models-dir DIR with a copy of google-bert/bert-base-uncased" in found["bert-base"].remedy
    assert "--data DIR with the GLUE download" in found["sst2"].remedy
    assert found["hub"].state == "warning"
    assert found["hub"].text == f"{hub.DEFAULT_ENDPOINT} does not answer"


def test_a_gated_model_says_early_which_terms_to_accept_and_which_token_to_set(silent_hub: list[str]) -> None:
    remedy = check([REGISTRY.model("gemma-2b")])["gemma-2b"].remedy
    assert "https://huggingface.co/google/gemma-2-2b-it" in remedy
    assert "HF_TOKEN" in remedy


def test_the_clients_offline_mode_asks_nobody(silent_hub: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    found = check([REGISTRY.model("bert-base")])
    assert found["bert-base"].state == "failure"
    assert found["hub"].text == "HF_HUB_OFFLINE is set"
    assert silent_hub == []


def test_what_a_hub_has_will_be_fetched_and_its_size_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"config.json": 1, "tokenizer.json": 2, "model.safetensors": 400, "README.md": 0}
    glue = {
        "README.md": 5,
        "sst2/train-0.parquet": 10,
        "sst2/validation-0.parquet": 3,
        "ax/test-0.parquet": 0,
    }
    monkeypatch.setattr(hub_client, "hub_answers", lambda: True)
    monkeypatch.setattr(hub_client, "ask", lambda repo: files if repo.kind == "model" else glue)
    found = check([REGISTRY.model("bert-base")], sst2="hub")
    assert [found[name].state for name in ("bert-base", "sst2", "hub")] == ["ok"] * 3
    assert found["bert-base"].fetch == (403, hub.hub_cache())
    assert found["sst2"].fetch == (18, hub.hub_cache())


def test_what_the_hub_refuses_fails_with_the_hubs_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(repo: hub.Repo) -> dict[str, int]:
        if repo.owner == "gemma-2b":
            raise CannotStartError("it is gated", "Accept the terms.")
        return {"config.json": 1, "tokenizer.json": 1, "pytorch_model.bin": 400}

    monkeypatch.setattr(hub_client, "hub_answers", lambda: True)
    monkeypatch.setattr(hub_client, "ask", refuse)
    found = check([REGISTRY.model(name) for name in ("gemma-2b", "bert-base", "deberta-base")])
    assert (found["gemma-2b"].text, found["gemma-2b"].remedy) == ("it is gated", "Accept the terms.")
    assert "pickle file" in found["bert-base"].text
    assert found["deberta-base"].state == "ok"


def test_a_package_is_asked_for_at_the_index(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[str] = []
    monkeypatch.setattr(preflight_reach, "ask_index", lambda model, package: asked.append(package))
    model = REGISTRY.model("minilm")
    assert isinstance(model.weights, WheelWeights)
    finding = check([model])["minilm"]
    assert asked == list(model.weights.packages)
    assert finding.fetch == (8 * model.parameters, tmp_path / "cache")


def test_a_folder_with_damaged_weights_fails_before_the_sweep(
    tmp_path: Path, tiny_copy: Callable[[], Path]
) -> None:
    folder = tiny_copy()
    model = msgspec.structs.replace(REGISTRY.model("minilm"), weights=LocalWeights(path=str(folder)))
    assert check([model])["minilm"].state == "ok"
    (folder / "model.safetensors").write_bytes(b"cut")
    finding = check([model])["minilm"]
    assert finding.state == "failure"
    assert str(folder / "model.safetensors") in finding.text


@pytest.fixture
def tiny_copy(tmp_path: Path) -> Callable[[], Path]:
    def make() -> Path:
        folder = tmp_path / "copy"
        folder.mkdir()
        for name in ("config.json", "tokenizer.json"):
            (folder / name).write_text("{}")
        (folder / "model.safetensors").write_bytes((2).to_bytes(8, "little") + b"{}")
        return folder

    return make


def test_a_cache_that_may_not_be_read_is_a_finding_and_no_fault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied", "/shared/hf")

    monkeypatch.setattr(preflight_reach, "ask_index", refuse)
    finding = check([REGISTRY.model("minilm")])["minilm"]
    assert (finding.state, finding.text) == ("failure", "/shared/hf cannot be read: Permission denied")


def test_a_hub_cache_of_someone_else_is_a_finding_and_no_fault(
    silent_hub: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied", "/shared/hf")

    monkeypatch.setattr(preflight_reach, "find_weights", refuse)
    monkeypatch.setattr(preflight_reach.hub_data, "data_dir", refuse)
    found = check([REGISTRY.model("bert-base")], sst2="hub")
    for name in ("bert-base", "sst2"):
        assert (found[name].state, found[name].text) == (
            "failure",
            "/shared/hf cannot be read: Permission denied",
        )
    assert silent_hub == []


def test_models_and_tasks_that_could_not_be_planned_are_named() -> None:
    lost = {Subject("model", "mine"): CannotStartError("no folder", "Make one.")}
    (finding,) = check_supply(Supply([], {}, lost))
    assert (finding.subject, finding.state, finding.remedy) == ("mine", "failure", "Make one.")
    assert finding.blocks == {Subject("model", "mine")}


# ── Data in files ─────────────────────────────────────────────────────────────────────────────────────


HEADER = "index\tsentence1\tsentence2\tlabel"


def write_rte(folder: Path, header: str = HEADER, label: str = "entailment") -> str:
    (folder / "RTE").mkdir(parents=True)
    for name in ("train", "dev"):
        (folder / "RTE" / f"{name}.tsv").write_text(f"{header}\n0\ta\tb\t{label}\n", encoding="utf-8")
    return str(folder)


def test_starter_data_are_counted_and_never_compared() -> None:
    finding = check(mnli="starter")["mnli"]
    assert finding.state == "ok"
    assert "not GLUE" in finding.text
    assert "train 180, matched 120, mismatched 60" in finding.text


def test_splits_that_are_not_glues_are_a_warning_that_labels_results(tmp_path: Path) -> None:
    finding = check(rte=write_rte(tmp_path / "glue"))["rte"]
    assert finding.state == "warning"
    assert "dev: 1 rows, GLUE has 277" in finding.text
    assert 'labelled "not GLUE"' in finding.remedy


@pytest.mark.parametrize(
    ("header", "label", "said"),
    [
        ("index\tsentence1\tsentence2\tgold", "entailment", "no column label"),
        (HEADER, "maybe", "label 'maybe' is none of"),
    ],
)
def test_a_file_that_does_not_fit_the_task_fails_with_its_name(
    tmp_path: Path, header: str, label: str, said: str
) -> None:
    folder = write_rte(tmp_path / "glue", header, label)
    finding = check(rte=folder)["rte"]
    assert finding.state == "failure"
    assert f"{folder}/RTE/train.tsv" in finding.text
    assert said in finding.text


@pytest.mark.skipif(not SHARED_GLUE.is_dir(), reason="the GLUE files are not beside this checkout")
def test_the_real_glue_files_are_known() -> None:
    found = check(sst2=str(SHARED_GLUE), rte=str(SHARED_GLUE), mnli=str(SHARED_GLUE))
    assert [found[name].state for name in ("sst2", "rte", "mnli")] == ["ok", "ok", "warning"]
    assert "matched: 500 rows, GLUE has 9,815" in found["mnli"].text


def test_a_task_of_ones_own_needs_no_published_counts(tmp_path: Path) -> None:
    task: TaskSpec = msgspec.structs.replace(REGISTRY.task("rte"), published=None)
    ref = resolve_data(task, write_rte(tmp_path / "glue"))
    (finding,) = check_supply(Supply([], {"rte": (task, ref)}, {}))
    assert finding.state == "ok"


def test_weights_of_a_hub_model_that_are_here_ask_nobody(
    silent_hub: list[str], tmp_path: Path, tiny_copy: Callable[[], Path]
) -> None:
    weights = HubWeights(repo="org/tiny", revision=REVISION)
    snapshots = tmp_path / "hf" / "hub" / "models--org--tiny" / "snapshots"
    snapshots.mkdir(parents=True)
    tiny_copy().rename(snapshots / REVISION)
    (snapshots / REVISION / "tokenizer_config.json").write_text("{}")
    model = msgspec.structs.replace(REGISTRY.model("bert-base"), weights=weights)
    assert check([model])["bert-base"].state == "ok"
    assert silent_hub == []


def test_odd_rows_of_a_file_of_ones_own_are_a_warning_and_a_broken_one_a_failure(tmp_path: Path) -> None:
    path = write_reviews(tmp_path / "reviews.csv", labels=2)
    task = draft_task(OwnFile(path, text="review", label="stars"), "reviews").task
    (finding,) = check_supply(Supply([], {"reviews": (task, resolve_data(task, "hub"))}, {}))
    assert (finding.state, finding.text) == ("ok", f"{path}: train 32, dev 8")
    with path.open("a") as file:
        file.write(",1\n")
        file.write("A text of both stars,1\na text of both STARS,2\n")
    read, *odd = check_supply(Supply([], {"reviews": (task, resolve_data(task, "hub"))}, {}))
    assert (read.state, read.text) == ("ok", f"{path}: train 34, dev 8")
    assert [(finding.check, finding.subject, finding.state) for finding in odd] == [
        ("data", "reviews", "warning")
    ] * 2
    assert [finding.text.split(":")[:2] for finding in odd] == [
        ["reviews.csv", " 1 row without a text left out (row 41)"],
        ["reviews.csv", " 1 text has different labels in different rows"],
    ]
    with path.open("a") as file:
        file.write("good,\n")
    (finding,) = check_supply(Supply([], {"reviews": (task, resolve_data(task, "hub"))}, {}))
    assert finding.state == "failure"
    assert "reviews.csv, row 44, column 'stars': no label" in finding.text
