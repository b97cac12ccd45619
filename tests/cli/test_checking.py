"""The checks before a sweep, from the command line: what starts, what does not, and what is left out."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nlu_arena.cli import checking, doctor
from nlu_arena.cli.planning import Order, expect, plan_work
from nlu_arena.errors import CannotStartError
from nlu_arena.preflight import reach
from nlu_arena.profile import load_profile
from nlu_arena.views.figures import format_bytes
from tests.cli.arena import MODEL, Arena
from tests.cli.conftest import MakeArena
from tests.standin import StandInHub, build_repositories

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def silent_endpoint() -> str:
    """An address at which nobody answers."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{closed.getsockname()[1]}"


def nlu_arena(home: Path, *words: str, code: int, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the installed program itself in a user's empty folder, with caches of its own."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "NLU_ARENA_"))}
    ours = {name: str(home / name) for name in ("HF_HOME", "NLU_ARENA_CACHE", "NLU_ARENA_CONFIG")}
    process = subprocess.run(
        [sys.executable, "-m", "nlu_arena", *words],
        cwd=home,
        env={**kept, **ours, "PYTHONPATH": str(ROOT), **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert process.returncode == code, process.stdout + process.stderr
    return process


def test_without_network_the_full_sweep_says_within_5_seconds_what_is_missing_and_how_to_get_it(
    tmp_path: Path, silent_endpoint: str
) -> None:
    began = time.monotonic()
    process = nlu_arena(tmp_path, "sweep", "--profile", "full", code=3, HF_ENDPOINT=silent_endpoint)
    assert time.monotonic() - began < 5
    for name in ("bert-base", "deberta-base", "qwen-0.5b", "qwen-1.5b", "gemma-2b"):
        assert f"nlu-arena pull --model {name}" in process.stderr
    for name in ("sst2", "rte", "mnli"):
        assert f"nlu-arena pull --task {name}" in process.stderr
    assert "--models-dir DIR" in process.stderr
    assert "the sweep cannot start: 8 checks failed" in process.stderr
    assert "Traceback" not in process.stderr
    assert process.stdout == ""


def test_finding_out_that_nothing_is_within_reach_loads_neither_torch_nor_the_hubs_client(
    tmp_path: Path, silent_endpoint: str
) -> None:
    code = """
import sys
from nlu_arena.cli import app
sys.argv = ["nlu-arena", "doctor", "--profile", "full", "--json"]
try:
    app.main()
except SystemExit as end:
    assert end.code == 3
loaded = {"torch", "transformers", "datasets", "huggingface_hub", "numpy"} & set(sys.modules)
assert not loaded, loaded
"""
    variables = {"HF_ENDPOINT": silent_endpoint, "HF_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    environment = {k: v for k, v in os.environ.items() if k != "HF_HUB_OFFLINE"} | variables
    process = subprocess.run(
        [sys.executable, "-c", code],
        check=False,
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert process.returncode == 0, process.stderr
    document = json.loads(process.stdout)
    assert (document["schema"], document["can_start"]) == (1, False)
    assert {check["state"] for check in document["checks"]} == {"ok", "warning", "failure"}


def add_lost_model(arena: Arena) -> None:
    """Give the arena a second model whose weights are not there, and a profile of both."""
    lost = MODEL.format(name="lost").replace("../../weights", "../../nowhere")
    (arena.home / "plugins" / "models" / "lost.toml").write_text(lost)
    profile = arena.home / "profiles" / "toys.toml"
    profile.write_text(profile.read_text().replace('["toy"]', '["lost", "toy"]'))


def test_what_cannot_be_had_stops_the_sweep_and_names_the_way_around_it(make_arena: MakeArena) -> None:
    arena = make_arena(["answers", "more"])
    add_lost_model(arena)
    process = arena.run("sweep", "--profile", "toys", code=3)
    assert "failure: weights lost" in process.stderr
    assert "nowhere, does not exist" in process.stderr
    assert "--skip-unavailable does the other 2 experiments" in process.stderr


def test_the_rest_is_done_without_it_and_the_end_says_what_was_left_out(make_arena: MakeArena) -> None:
    arena = make_arena(["answers", "more"])
    add_lost_model(arena)
    process = arena.run("sweep", "--profile", "toys", "--skip-unavailable")
    assert "2 of 2 done" in process.stderr
    assert "left out: lost: The weights folder of lost" in process.stderr
    document = arena.status()
    assert {cell["model"] for cell in document["cells"]} == {"toy"}
    assert "lost" in document["sweep"]["details"]["left_out"][0]
    again = arena.run("sweep", "--profile", "toys", code=3)
    assert "--skip-unavailable" not in again.stderr.splitlines()[-1], "nothing else is left to do"


def test_a_failure_among_the_rest_is_what_the_exit_code_tells(make_arena: MakeArena) -> None:
    arena = make_arena(["answers", "fails"])
    add_lost_model(arena)
    arena.run("sweep", "--profile", "toys", "--skip-unavailable", code=1)


def test_nothing_left_to_do_cannot_start(make_arena: MakeArena) -> None:
    arena = make_arena(["answers"])
    shutil.rmtree(arena.home / "weights")
    process = arena.run("sweep", "--profile", "toys", "--skip-unavailable", code=3)
    assert "cannot start" in process.stderr
    assert "hint: --skip-unavailable" not in process.stderr


def test_a_broken_data_file_is_found_before_the_sweep(make_arena: MakeArena) -> None:
    arena = make_arena(["answers"])
    (arena.home / "data" / "dev.jsonl").write_text('{"text": "a", "gold": "no"}\n')
    process = arena.run("sweep", "--profile", "toys", code=3)
    assert "dev.jsonl: no column label (it has: text, gold)" in process.stderr


def test_when_all_is_done_nothing_is_looked_at(make_arena: MakeArena) -> None:
    arena = make_arena(["answers"])
    arena.run("sweep", "--profile", "toys")
    assert "before the start" not in arena.run("sweep", "--profile", "toys").stderr


def test_a_device_that_cannot_be_measured_leaves_assumed_hours_and_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(device: str) -> None:
        raise CannotStartError(f"{device} could not be measured: no driver")

    monkeypatch.setattr(checking, "recall_rate", fail)
    order = Order(load_profile("quick"), Path("results"))
    work = expect(order, plan_work(order), ())
    timed = checking.time_work(order, work)
    assert "note: cpu could not be measured: no driver" in capsys.readouterr().err
    assert timed.expected_text.endswith("by the rate of a usual device and earlier runs")


# ── doctor ────────────────────────────────────────────────────────────────────────────────────────────


def test_the_doctor_finds_a_ready_profile_ready(make_arena: MakeArena) -> None:
    arena = make_arena(["answers", "more"])
    document = json.loads(arena.run("doctor", "--profile", "toys", "--json").stdout)
    assert document["can_start"] is True
    checks = dict.fromkeys(check["check"] for check in document["checks"])
    assert list(checks) == ["device", "weights", "data", "memory", "disk", "time"]
    found = {check["subject"] for check in document["checks"] if check["check"] == "data"}
    assert found == {"answers", "more"}
    assert not arena.results.exists()


def test_the_doctor_says_what_is_missing_with_3(make_arena: MakeArena) -> None:
    arena = make_arena(["answers"])
    add_lost_model(arena)
    process = arena.run("doctor", "--profile", "toys", code=3)
    header, *lines = process.stdout.splitlines()
    assert header.split("\t")[:4] == ["state", "check", "subject", "text"]
    assert any(line.startswith("failure\tweights\tlost\t") for line in lines)


def test_without_a_profile_the_doctor_looks_at_every_model_and_task_and_nothing_fails(
    tmp_path: Path, silent_endpoint: str
) -> None:
    variables = {"HF_ENDPOINT": silent_endpoint, "PIP_NO_INDEX": "1"}
    process = nlu_arena(tmp_path, "doctor", "--json", code=0, **variables)
    document = json.loads(process.stdout)
    subjects = {check["subject"] for check in document["checks"]}
    assert {"bert-base", "minilm", "sst2", "mnli", "cpu"} <= subjects
    assert "failure" not in {check["state"] for check in document["checks"]}
    assert document["can_start"] is None
    nlu_arena(tmp_path, "doctor", "--limit", "3", code=2)


def ask_doctor(hub: StandInHub, home: Path, code: int, **variables: str) -> dict[str, dict[str, str]]:
    environment = hub.environment(home / "hf") | variables
    named = {name: value for name, value in environment.items() if name.startswith("HF_")}
    process = nlu_arena(home, "doctor", "--profile", "full", "--json", code=code, **named)
    return {check["subject"]: check for check in json.loads(process.stdout)["checks"]}


def test_the_doctor_asks_the_hub_for_everything_and_tells_the_hours(tmp_path: Path) -> None:
    with StandInHub(build_repositories()) as hub:
        found = ask_doctor(hub, tmp_path, 0)
        assert {request.method for request in hub.requests} <= {"GET", "HEAD"}
        assert not any(hub.downloads(repository.name) for repository in build_repositories())
    for name in ("bert-base", "deberta-base", "qwen-0.5b", "qwen-1.5b", "gemma-2b", "sst2", "rte", "mnli"):
        assert found[name]["state"] == "ok"
        assert "will be fetched from" in found[name]["text"]
    assert "30 experiments: ~" in found["full"]["text"]
    assert "by this device's measured rate" in found["full"]["text"]


@pytest.mark.parametrize("token", ["", StandInHub.stranger_token, "hf_wrong"])
def test_a_gated_model_is_found_before_the_sweep_with_its_page_and_the_token_to_set(
    tmp_path: Path, token: str
) -> None:
    with StandInHub(build_repositories()) as hub:
        found = ask_doctor(hub, tmp_path, 3, HF_TOKEN=token)
    assert found["gemma-2b"]["state"] == "failure"
    assert "HF_TOKEN" in found["gemma-2b"]["remedy"]
    if token != "hf_wrong":
        assert "https://huggingface.co/google/gemma-2-2b-it" in found["gemma-2b"]["remedy"]
        assert [name for name, check in found.items() if check["state"] == "failure"] == ["gemma-2b"]
    assert "full" not in found, "hours are told only when all else passes"


def test_a_hub_that_is_down_is_told_in_seconds_for_every_model(tmp_path: Path) -> None:
    with StandInHub(build_repositories()) as hub:
        hub.faults.down = True
        began = time.monotonic()
        found = ask_doctor(hub, tmp_path, 3)
    assert time.monotonic() - began < 15
    assert "the hub answers 503 (busy or down)" in found["bert-base"]["text"]


def test_without_a_profile_the_disk_must_hold_all_that_can_be_fetched(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("NLU_ARENA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(reach, "ask_index", lambda model, package: None)
    findings = doctor._check_everything("starter", None, tmp_path / "results", "cpu")
    fetched = [finding.fetch.size for finding in findings if finding.fetch is not None]
    assert len(fetched) == 3, "the models of the package index; the hub's are offline here"
    (disk,) = [finding for finding in findings if finding.check == "disk"]
    assert str(tmp_path / "cache") in disk.text
    assert f"{format_bytes(sum(fetched))} needed" in disk.text


# ── Local copies, data and settings ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("by", ["option", "variable"])
def test_a_models_folder_and_a_data_folder_are_used_and_said(make_arena: MakeArena, by: str) -> None:
    arena = make_arena(["answers"])
    text = (arena.home / "plugins" / "models" / "toy.toml").read_text()
    hub = f'source = "hub"\nrepo = "org/toy-lm"\nrevision = "{"0" * 40}"'
    text = text.replace('source = "local"\npath = "../../weights"', hub)
    (arena.home / "plugins" / "models" / "toy.toml").write_text(text)
    copy = arena.home / "models" / "toy-lm"
    copy.parent.mkdir()
    (arena.home / "weights").rename(copy)
    words = ["sweep", "--profile", "toys"]
    if by == "option":
        words += ["--models-dir", "models"]
    else:
        arena.variables["NLU_ARENA_MODELS"] = "models"
    process = arena.run(*words)
    assert f"weights: toy from {copy}" in process.stderr
    assert arena.status()["cells"][0]["weights_source"] == "local"


def test_settings_of_the_command_line_reach_the_experiment(tmp_path: Path) -> None:
    words = ["run", "--model", "minilm", "--task", "sst2", "--mode", "lora", "--dry-run", "--json"]
    keys = {
        json.loads(nlu_arena(tmp_path, *words, *settings, code=0).stdout)["plan"][0]["key"]
        for settings in ([], ["--set", "train.lr=1e-3"], ["--set", "train.lora.rank=4"])
    }
    assert len(keys) == 3
    process = nlu_arena(tmp_path, *words, "--set", "train.lrr=1", code=2)
    assert "unknown key `lrr`" in process.stderr
    assert "lr" in process.stderr.splitlines()[-1]
