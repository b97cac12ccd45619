"""The whole program as a user runs it: real processes, tiny models, also killed in the middle."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
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
description = "all modes on tiny models"
data = "starter"
[[block]]
models = ["tiny-bert"]
modes = ["fine-tune", "lora"]
tasks = ["sst2", "mnli"]
train_limit = 48
train = { epochs = 1, batch_size = 8 }
[[block]]
models = ["tiny-llama"]
modes = ["zero-shot", "few-shot", "lora"]
tasks = ["sst2", "mnli"]
shots = 2
train_limit = 32
train = { epochs = 1, batch_size = 8, lora = { rank = 2 } }
"""
CELLS = 10


@pytest.fixture
def desk(tmp_path: Path, tiny_bert: Path, tiny_llama: Path) -> Path:
    """A user's folder with two models and a profile of their own."""
    models = tmp_path / "plugins" / "models"
    models.mkdir(parents=True)
    for name, family, path in (("tiny-bert", "encoder", tiny_bert), ("tiny-llama", "decoder", tiny_llama)):
        (models / f"{name}.toml").write_text(
            MODEL.format(name=name, family=family, path=path), encoding="utf-8"
        )
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "tiny.toml").write_text(PROFILE, encoding="utf-8")
    return tmp_path


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


def test_a_sweep_from_the_command_line_leaves_everything_it_promises(desk: Path) -> None:
    swept = arena(desk, "sweep", "--profile", "tiny", "--json")
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
    desk: Path, victim: str
) -> None:
    assert arena(desk, "sweep", "--profile", "tiny", "--results", "whole").returncode == 0
    words = command("sweep", "--profile", "tiny", "--results", "cut", "--json")
    scheduler = subprocess.Popen(words, cwd=desk, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert scheduler.stdout is not None
    finished = 0
    for line in scheduler.stdout:
        event = json.loads(line)
        finished += event["event"] == "run_finished"
        # In the middle of the fourth experiment, when its training has just begun.
        if finished == 3 and event["event"] == "phase" and event["phase"] == "train":
            break
    workers = psutil.Process(scheduler.pid).children()
    assert workers
    if victim == "scheduler":
        scheduler.kill()
        scheduler.wait()
        _, alive = psutil.wait_procs(workers, timeout=5)
        assert not alive, "no worker outlives its scheduler"
        with Reader.open(ledger_path(desk / "cut")) as reader:
            (state,) = {cell.state for cell in reader.cells(1) if cell.run_id} - {"done"}
            assert state == "interrupted"
        assert arena(desk, "sweep", "--profile", "tiny", "--results", "cut").returncode == 0
    else:
        os.kill(min(workers, key=lambda child: child.create_time()).pid, signal.SIGKILL)
        scheduler.communicate(timeout=240)
        assert scheduler.returncode == 0, "a worker that dies once is replaced"
    assert answers(desk / "cut") == answers(desk / "whole")


def test_ctrl_c_keeps_what_is_done_and_says_how_to_go_on(desk: Path) -> None:
    words = command("sweep", "--profile", "tiny", "--json")
    sweep = subprocess.Popen(words, cwd=desk, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert sweep.stdout is not None
    for line in sweep.stdout:
        if json.loads(line)["event"] == "run_finished":
            break
    began = time.monotonic()
    sweep.send_signal(signal.SIGINT)
    _, narration = sweep.communicate(timeout=60)
    assert sweep.returncode == 130
    assert time.monotonic() - began < 10
    assert "everything so far is kept" in narration
    assert arena(desk, "sweep", "--profile", "tiny").returncode == 0
