"""Weights on the hub: found in the client's cache without the client, its refusals told in plain words."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import msgspec
import pytest

from nlu_arena.errors import CannotStartError
from nlu_arena.sources import fetch_weights, verify_weights, weights_dir, weights_identity
from nlu_arena.spec import HubWeights, ModelSpec

MakeModel = Callable[..., ModelSpec]
REVISION = "0123456789abcdef0123456789abcdef01234567"
REFUSALS = {"gated": (403, "GatedRepo"), "absent": (404, "RepoNotFound"), "moved": (404, "RevisionNotFound")}

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


class _Hub(BaseHTTPRequestHandler):
    """A hub that serves org/served and refuses every other repository in the way its name asks for."""

    files: ClassVar[dict[str, bytes]] = {}

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if "served" not in path:
            status, code = next(value for name, value in REFUSALS.items() if name in path)
            self.answer(status, b"", {"X-Error-Code": code})
        elif "/tree/" in path:
            listed = [
                {"type": "file", "path": name, "size": len(content), "oid": hashlib.sha1(content).hexdigest()}
                for name, content in self.files.items()
            ]
            self.answer(200, json.dumps(listed).encode(), {"Content-Type": "application/json"})
        else:
            content = self.files[path.partition(f"/resolve/{REVISION}/")[2]]
            etag = hashlib.sha256(content).hexdigest()
            self.answer(200, content, {"ETag": f'"{etag}"', "X-Repo-Commit": REVISION})

    do_HEAD = do_GET  # noqa: N815

    def answer(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(content))}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent."""


@pytest.fixture(scope="module")
def hub() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


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


def fetch_elsewhere(model: ModelSpec, **env: str) -> str:
    """Fetch in a fresh process, because the client reads its variables when it is imported."""
    command = [sys.executable, "-c", FETCH, msgspec.json.encode(model).decode()]
    ended = subprocess.run(
        command, check=False, capture_output=True, text=True, env=os.environ | env, timeout=60
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_only_what_loading_needs_is_downloaded_and_damage_is_repaired(
    hub: str,
    make: MakeModel,
    tmp_path: Path,
    safetensors: Callable[..., bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wanted = dict.fromkeys(("config.json", "tokenizer.json", "tokenizer_config.json"), b"{}")
    wanted["model.safetensors"] = safetensors()
    others = dict.fromkeys(("README.md", "pytorch_model.bin", "onnx/model.safetensors"), b"no")
    _Hub.files = wanted | others
    model = make_hub_model(make, "org/served")
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    told = fetch_elsewhere(model, HF_ENDPOINT=hub)
    assert "downloading org/served" in told
    folder = verify_weights(model)
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == wanted
    (folder / "model.safetensors").resolve().write_bytes(b"damaged")
    with pytest.raises(CannotStartError, match="is damaged"):
        verify_weights(model)
    fetch_elsewhere(model, HF_ENDPOINT=hub)
    assert verify_weights(model) == folder


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


@pytest.mark.parametrize(
    ("repo", "said", "hint"),
    [
        ("org/gated", "is gated", "accept the terms at https://huggingface.co/org/gated"),
        ("org/absent", "does not exist on the hub", "HF_TOKEN"),
        ("org/moved", f"no revision {REVISION}", "manifest"),
    ],
)
def test_a_refusal_says_what_to_do(
    hub: str, make: MakeModel, tmp_path: Path, repo: str, said: str, hint: str
) -> None:
    text = fetch_elsewhere(make_hub_model(make, repo), HF_ENDPOINT=hub, HF_HOME=str(tmp_path))
    message, advice = text.splitlines()
    assert said in message
    assert hint in advice


def test_without_network_it_says_so(make: MakeModel, tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{closed.getsockname()[1]}"
    text = fetch_elsewhere(make_hub_model(make), HF_ENDPOINT=endpoint, HF_HOME=str(tmp_path))
    assert "could not be downloaded: org/tiny" in text
    assert "Check the network" in text


def test_offline_mode_is_named(make: MakeModel, tmp_path: Path) -> None:
    text = fetch_elsewhere(make_hub_model(make), HF_HUB_OFFLINE="1", HF_HOME=str(tmp_path))
    assert "HF_HUB_OFFLINE" in text
