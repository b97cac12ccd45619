"""The whole program as a user runs it: real processes, tiny models, also killed in the middle."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from nlu_arena.ledger.queries import Reader
from nlu_arena.paths import ledger_path
from nlu_arena.spec import Prediction

MODEL = """
name = "{name}"
title = "Tiny"
slug = "{name}"
family = "{family}"
parameters = 50_000
use_case = "tests"
licence = "Apache-2.0"
prompt_style = "chat"
weights = {{ source = "local", path = "{path}" }}
"""
PROFILE = """
description = "every way of working, on tiny models"
data = "starter"
[[block]]
models = ["tiny-bert"]
modes = ["fine-tune"]
tasks = ["sst2"]
train_limit = 48
train = { epochs = 1, batch_size = 8 }
[[block]]
models = ["tiny-llama"]
modes = ["few-shot", "lora"]
tasks = ["mnli"]
shots = 2
train_limit = 32
train = { epochs = 1, batch_size = 8, lora = { rank = 2 } }
"""
CELLS = 3


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, tiny_bert: Path, tiny_llama: Path) -> Path:
    """A user's folder with two models and a profile of their own."""
    folder = tmp_path_factory.mktemp("desk")
    models = folder / "plugins" / "models"
    models.mkdir(parents=True)
    for name, family, path in (("tiny-bert", "encoder", tiny_bert), ("tiny-llama", "decoder", tiny_llama)):
        text = MODEL.format(name=name, family=family, path=path)
        (models / f"{name}.toml").write_text(text, encoding="utf-8")
    (folder / "profiles").mkdir()
    (folder / "profiles" / "tiny.toml").write_text(PROFILE, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def swept(desk: Path) -> subprocess.CompletedProcess[str]:
    """An undisturbed sweep into the folder "results"."""
    return arena(desk, "sweep", "--profile", "tiny", "--json")


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "nlu_arena", *words]


def arena(desk: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "NLU_ARENA_CONFIG": str(desk / "config")}
    return subprocess.run(
        command(*words), cwd=desk, env=environment, capture_output=True, text=True, timeout=240, check=False
    )


def answers(results: Path) -> dict[str, list[list[Prediction]]]:
    """Return every prediction of the last sweep by experiment, split by split."""
    with Reader.open(ledger_path(results)) as reader:
        sweep = reader.last_sweep()
        assert sweep is not None
        return {
            cell.key: [reader.predictions(cell.run_id, split) for split in cell.by_split]
            for cell in reader.cells(sweep.id)
            if cell.run_id is not None
        }


def read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def test_a_sweep_from_the_command_line_leaves_everything_it_promises(
    desk: Path, swept: subprocess.CompletedProcess[str]
) -> None:
    assert swept.returncode == 0, swept.stderr
    events = [json.loads(line) for line in swept.stdout.splitlines()]
    assert [event["event"] for event in events].count("run_finished") == CELLS
    assert (events[0]["event"], events[-1]["event"]) == ("sweep_started", "sweep_finished")

    status = json.loads(arena(desk, "status", "--json").stdout)
    assert status["schema"] == 1
    assert len(status["cells"]) == CELLS
    for cell in status["cells"]:
        assert cell["state"] == "done"
        assert cell["n"] == 120
        assert cell["peak_rss_bytes"] > 50_000_000
        assert (cell["data_source"], cell["weights_source"]) == ("starter", "local")
        assert 0 <= cell["metrics"]["accuracy"] <= 1
        folder = desk / "results" / cell["folder"]
        result = read_json(folder / "results.json")
        assert result["key"] == cell["key"]
        assert list((folder / "error_analysis").glob("*_confusion_matrix.png"))
        assert list((folder / "error_analysis").glob("*_errors.csv"))
        trained = cell["mode"] in ("fine-tune", "lora")
        assert (folder / "best_model").is_dir() == (folder / "history.json").is_file() == trained
    assert len(list((desk / "results").glob("benchmark_*.log"))) == 1

    again = arena(desk, "sweep", "--profile", "tiny")
    assert again.returncode == 0
    assert f"{CELLS} of {CELLS} done" in again.stdout + again.stderr


@pytest.mark.parametrize("victim", ["scheduler", "worker"])
def test_a_sweep_killed_in_the_middle_ends_with_the_answers_of_an_undisturbed_one(
    desk: Path, swept: subprocess.CompletedProcess[str], victim: str
) -> None:
    words = command("sweep", "--profile", "tiny", "--results", victim, "--json")
    scheduler = subprocess.Popen(words, cwd=desk, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert scheduler.stdout is not None
    finished = 0
    for line in scheduler.stdout:
        event = json.loads(line)
        finished += event["event"] == "run_finished"
        # In the middle of the last experiment, when its training has just begun.
        if finished == CELLS - 1 and event["event"] == "phase" and event["phase"] == "train":
            break
    (worker,) = psutil.Process(scheduler.pid).children()
    if victim == "scheduler":
        scheduler.kill()
        scheduler.wait()
        _, alive = psutil.wait_procs([worker], timeout=5)
        assert not alive, "no worker outlives its scheduler"
        with Reader.open(ledger_path(desk / victim)) as reader:
            states = [cell.state for cell in reader.cells(1)]
        assert states == ["done", "done", "interrupted"]
        assert arena(desk, "sweep", "--profile", "tiny", "--results", victim).returncode == 0
    else:
        worker.kill()
        scheduler.communicate(timeout=240)
        assert scheduler.returncode == 0, "a worker that dies once is replaced"
    assert answers(desk / victim) == answers(desk / "results")
