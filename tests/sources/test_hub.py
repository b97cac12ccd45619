"""Weights on the hub: found in the client's cache without the client, its refusals told in plain words."""

from __future__ import annotations

import errno
import hashlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from nlu_arena.errors import CannotStartError
from nlu_arena.sources import fetch_weights, hub_client, verify_weights, weights_dir, weights_identity
from nlu_arena.sources import hub as hub_files
from nlu_arena.sources.hub import Repo
from nlu_arena.spec import HubWeights, ModelSpec
from tests.standin import Faults, Repository, StandInHub

ROOT = Path(__file__).resolve().parents[2]
MakeModel = Callable[..., ModelSpec]
REVISION = "0123456789abcdef0123456789abcdef01234567"
FETCH = """
import sys
import msgspec
from nlu_arena.errors import ArenaError
from nlu_arena.sources import fetch_weights, weights_dir
from nlu_arena.spec import ModelSpec

model = msgspec.json.decode(sys.argv[1], type=ModelSpec)
weights_dir(model)
assert "huggingface_hub" not in sys.modules
try:
    fetch_weights(model, print)
except ArenaError as error:
    print(error.message, error.hint, sep="\\n")
"""


def make_repository(safetensors: Callable[..., bytes], name: str = "org/tiny", **fields: Any) -> Repository:
    """A repository with what a model needs, and with much that nothing here needs."""
    wanted = dict.fromkeys(("config.json", "tokenizer.json", "tokenizer_config.json"), b"{}")
    others = dict.fromkeys(("README.md", "pytorch_model.bin", "tf_model.h5", "onnx/model.safetensors"), b"no")
    return Repository(
        name=name, revision=REVISION, files={**wanted, **others, "model.safetensors": safetensors()}, **fields
    )


@pytest.fixture
def hub(safetensors: Callable[..., bytes]) -> Iterator[StandInHub]:
    pickled = {"config.json": b"{}", "tokenizer.json": b"{}", "pytorch_model.bin": b"cos"}
    repositories = [
        make_repository(safetensors),
        make_repository(safetensors, "org/gated", gated=True),
        Repository(name="org/pickled", revision=REVISION, files=pickled),
    ]
    with StandInHub(repositories) as hub:
        yield hub


@pytest.fixture
def snapshot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, safetensors: Callable[..., bytes]) -> Path:
    """A snapshot as the hub client lays it out: links to blobs that are named by their hash."""
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    repo = tmp_path / "hf" / "hub" / "models--org--tiny"
    folder = repo / "snapshots" / REVISION
    folder.mkdir(parents=True)
    (repo / "blobs").mkdir()
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        blob = repo / "blobs" / hashlib.sha1(b"blob 2\0{}").hexdigest()
        blob.write_bytes(b"{}")
        (folder / name).symlink_to(blob)
    blob = repo / "blobs" / hashlib.sha256(safetensors()).hexdigest()
    blob.write_bytes(safetensors())
    (folder / "model.safetensors").symlink_to(blob)
    return folder


def make_hub_model(make: MakeModel, repo: str = "org/tiny", **fields: object) -> ModelSpec:
    return make(HubWeights(repo=repo, revision=REVISION, **fields))  # type: ignore[arg-type]


def fetch_elsewhere(model: ModelSpec, environment: dict[str, str]) -> str:
    """Fetch in a fresh process, because the client reads its variables when it is imported."""
    command = [sys.executable, "-c", FETCH, msgspec.json.encode(model).decode()]
    ended = subprocess.run(
        command, check=False, capture_output=True, text=True, env=environment, timeout=60, cwd=ROOT
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == ""
    return ended.stdout


def test_only_what_loading_needs_is_downloaded_and_damage_is_repaired(
    hub: StandInHub, make: MakeModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = make_hub_model(make)
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    told = fetch_elsewhere(model, hub.environment(tmp_path))
    assert "downloading org/tiny" in told
    folder = verify_weights(model)
    wanted = {"config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"}
    assert {file.name for file in folder.iterdir()} == wanted
    # Equal files are fetched once.
    assert "model.safetensors" in hub.downloads("org/tiny") <= wanted
    (folder / "model.safetensors").resolve().write_bytes(b"damaged")
    with pytest.raises(CannotStartError, match="is damaged"):
        verify_weights(model)
    fetch_elsewhere(model, hub.environment(tmp_path))
    assert verify_weights(model) == folder


def test_a_download_that_was_cut_off_is_not_taken_for_a_whole_one(
    hub: StandInHub, make: MakeModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = make_hub_model(make)
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    fetch_elsewhere(model, hub.environment(tmp_path))
    folder = weights_dir(model)
    assert folder is not None
    (folder / "tokenizer_config.json").unlink()
    assert weights_dir(model) is None
    fetch_elsewhere(model, hub.environment(tmp_path))
    assert weights_dir(model) == folder


def test_a_busy_hub_and_a_broken_line_are_waited_for(
    hub: StandInHub, make: MakeModel, tmp_path: Path
) -> None:
    hub.faults = Faults(unavailable_every=3, break_every=2)
    told = fetch_elsewhere(make_hub_model(make), hub.environment(tmp_path))
    assert "org/tiny" in told
    assert 503 in {request.status for request in hub.requests}
    assert "could not" not in told


def test_a_hub_that_stays_down_is_given_up_in_seconds(
    hub: StandInHub, make: MakeModel, tmp_path: Path
) -> None:
    hub.faults.down = True
    told = fetch_elsewhere(make_hub_model(make), hub.environment(tmp_path))
    assert "org/tiny: the hub answers 503 (busy or down)" in told
    assert "nlu-arena pull --model tiny" in told


def test_bytes_that_are_not_the_hubs_are_not_kept(hub: StandInHub, make: MakeModel, tmp_path: Path) -> None:
    hub.faults.damaged.add("org/tiny/model.safetensors")
    told = fetch_elsewhere(make_hub_model(make), hub.environment(tmp_path))
    assert "is not what the hub's own hash says" in told
    assert not list((tmp_path / "hub").rglob("model.safetensors"))


def test_a_complete_snapshot_is_used_and_fetches_nothing(snapshot: Path, make: MakeModel) -> None:
    model = make_hub_model(make)
    assert weights_dir(model) == verify_weights(model) == fetch_weights(model, print) == snapshot
    assert weights_identity(model) == f"org/tiny@{REVISION}"


@pytest.mark.parametrize("absent", ["config.json", "tokenizer_config.json", "model.safetensors"])
def test_a_half_fetched_snapshot_does_not_count(snapshot: Path, make: MakeModel, absent: str) -> None:
    (snapshot / absent).unlink()
    assert weights_dir(make_hub_model(make)) is None
    with pytest.raises(CannotStartError, match="not on this machine"):
        verify_weights(make_hub_model(make))


def test_a_blob_that_leads_into_a_shared_store_keeps_its_own_name_as_its_hash(
    snapshot: Path, make: MakeModel, tmp_path: Path
) -> None:
    file = snapshot / "model.safetensors"
    blob = file.parent / file.readlink()
    store = tmp_path / "store" / hashlib.sha256(b"another way of hashing").hexdigest()
    store.parent.mkdir()
    blob.rename(store)
    blob.symlink_to(store)
    assert verify_weights(make_hub_model(make)) == snapshot
    hub_files.remove_files([file])
    assert store.exists(), "other repositories may share it"
    assert not file.is_symlink()


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_damaged_blob_is_named(snapshot: Path, make: MakeModel, name: str) -> None:
    blob = (snapshot / name).resolve()
    blob.write_bytes(blob.read_bytes()[:-1] + b"?")
    with pytest.raises(CannotStartError, match="is damaged") as caught:
        verify_weights(make_hub_model(make))
    assert str(snapshot) in caught.value.message
    assert "nlu-arena pull --model tiny" in caught.value.hint


def test_pickled_weights_count_only_where_the_manifest_allows_them(snapshot: Path, make: MakeModel) -> None:
    (snapshot / "model.safetensors").rename(snapshot / "pytorch_model.bin")
    assert weights_dir(make_hub_model(make)) is None
    assert weights_dir(make_hub_model(make, allow_pickle=True)) == snapshot


@pytest.mark.parametrize("variable", ["HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"])
def test_the_cache_is_where_the_clients_variables_put_it(
    snapshot: Path, make: MakeModel, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv("HF_HOME", "/nowhere")
    monkeypatch.setenv(variable, str(snapshot.parents[2]))
    assert weights_dir(make_hub_model(make)) == snapshot


def test_a_refusal_says_what_to_do(hub: StandInHub, make: MakeModel, tmp_path: Path) -> None:
    def ask(repo: str, token: str | None = None, revision: str = REVISION) -> list[str]:
        weights = HubWeights(repo=repo, revision=revision)
        return fetch_elsewhere(make(weights), hub.environment(tmp_path, token)).splitlines()

    for token in (None, hub.stranger_token):
        message, advice = ask("org/gated", token)
        assert "org/gated is gated" in message
        assert "accept the terms at https://huggingface.co/org/gated, then set HF_TOKEN" in advice
    message, advice = ask("org/absent")
    assert "org/absent does not exist on the hub, or it is private" in message
    assert "HF_TOKEN" in advice
    message, advice = ask("org/tiny", revision="f" * 40)
    assert f"org/tiny has no revision {'f' * 40}" in message
    assert "manifest of tiny" in advice
    message, advice = ask("org/tiny", token="hf_wrong")
    assert "the hub does not accept the token" in message
    assert "Correct HF_TOKEN, or unset it" in advice
    message, advice = ask("org/pickled")
    assert "pickle file (pytorch_model.bin), which can run code when it is read" in message
    assert "allow_pickle = true" in advice
    ask("org/gated", hub.token)
    assert hub.downloads("org/gated")


def test_without_network_it_says_so_at_once(hub: StandInHub, make: MakeModel, tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{closed.getsockname()[1]}"
    environment = hub.environment(tmp_path) | {"HF_ENDPOINT": endpoint}
    message, advice = fetch_elsewhere(make_hub_model(make), environment).splitlines()
    assert message.endswith(f"could not be downloaded: org/tiny: {endpoint} does not answer")
    assert "Check the network" in advice


def test_offline_mode_is_named(hub: StandInHub, make: MakeModel, tmp_path: Path) -> None:
    told = fetch_elsewhere(make_hub_model(make), hub.environment(tmp_path) | {"HF_HUB_OFFLINE": "1"})
    assert "HF_HUB_OFFLINE" in told
    assert hub.requests == []


def make_repo(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Repo:
    """What is needed of a repository that the hub seems to have."""
    monkeypatch.setenv("HF_HOME", str(folder))
    monkeypatch.setattr(hub_client, "hub_answers", lambda timeout: True)
    monkeypatch.setattr(hub_client, "ask", lambda repo, pauses: {"model.safetensors": 10})
    return Repo("model", "org/tiny", REVISION, "tiny", "the weights of tiny", "pull", "config.json", ("*",))


def test_a_full_disk_is_told_from_other_errors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = make_repo(tmp_path, monkeypatch)

    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(tmp_path / "abc.incomplete"))

    monkeypatch.setattr("huggingface_hub.snapshot_download", fail)
    with pytest.raises(CannotStartError, match="the disk is full") as caught:
        hub_client.download(repo, print, lambda names: None)
    assert "abc.incomplete" in caught.value.message
    assert "HF_HOME" in caught.value.hint


def test_what_a_killed_download_left_half_written_is_removed_and_a_living_one_s_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = make_repo(tmp_path, monkeypatch)
    blobs = repo.folder / "blobs"
    blobs.mkdir(parents=True)
    for name, age in (("left", 7200), ("living", 1)):
        (blobs / f"{name}.incomplete").write_bytes(b"half")
        os.utime(blobs / f"{name}.incomplete", (time.time() - age,) * 2)
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda *_, **__: str(repo.snapshot))
    hub_client.download(repo, print, lambda names: None)
    assert [file.name for file in blobs.iterdir()] == ["living.incomplete"]
