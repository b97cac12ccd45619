"""The full profile from an empty machine to the last cell: real processes, a stand-in hub, tiny models."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.standin import Faults, StandInHub, build_repositories
from tests.standin.checkpoints import BERT, DEBERTA, GEMMA, QWEN_LARGE, QWEN_SMALL
from tests.standin.glue import NAME as GLUE
from tests.standin.glue import SPLITS

CELLS = 30
TASKS = ("mnli", "rte", "sst2")
SMALL = ("--limit", "16", "--train-limit", "32")
QWEN_FILES = {
    "config.json",
    "merges.txt",
    "model.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.json",
}
NEEDED = {
    BERT: {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "vocab.txt"},
    DEBERTA: {"config.json", "pytorch_model.bin", "spm.model", "tokenizer_config.json"},
    QWEN_SMALL: QWEN_FILES,
    QWEN_LARGE: QWEN_FILES,
    GEMMA: {
        "config.json",
        "model-00001-of-00002.safetensors",
        "model-00002-of-00002.safetensors",
        "model.safetensors.index.json",
        "special_tokens_map.json",
        "tokenizer.json",
        "tokenizer.model",
        "tokenizer_config.json",
    },
}


@pytest.fixture
def hub() -> Iterator[StandInHub]:
    with StandInHub(build_repositories()) as hub:
        yield hub


def arena(hub: StandInHub, desk: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the program in a user's folder whose caches are empty at first."""
    ours = {"NLU_ARENA_CACHE": str(desk / "cache"), "NLU_ARENA_CONFIG": str(desk / "config")}
    return subprocess.run(
        [sys.executable, "-m", "nlu_arena", *words],
        cwd=desk,
        env=hub.environment(desk / "hf") | ours,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def read_cells(hub: StandInHub, desk: Path) -> list[dict[str, Any]]:
    cells: list[dict[str, Any]] = json.loads(arena(hub, desk, "status", "--json").stdout)["cells"]
    return cells


def test_the_whole_profile_from_nothing(hub: StandInHub, tmp_path: Path) -> None:
    swept = arena(hub, tmp_path, "sweep", "--profile", "full", *SMALL, "--json")
    assert swept.returncode == 0, swept.stderr
    events = [json.loads(line) for line in swept.stdout.splitlines()]
    assert [event["event"] for event in events].count("run_finished") == CELLS

    cells = read_cells(hub, tmp_path)
    assert len({cell["key"] for cell in cells}) == CELLS
    for cell in cells:
        assert (cell["state"], cell["data_source"], cell["weights_source"]) == ("done", "hub", "hub")
        splits = ["matched", "mismatched"] if cell["task"] == "mnli" else ["dev"]
        assert list(cell["by_split"]) == splits
        assert all(0 <= metrics["accuracy"] <= 1 for metrics in cell["by_split"].values())

    fetched = Counter(request.file for request in hub.requests if request.method == "GET" and request.file)
    assert set(fetched.values()) == {1}, "nothing is fetched twice"
    assert {name: hub.downloads(name) for name in NEEDED} == NEEDED
    files = hub.downloads(GLUE)
    assert {file.partition("/")[0] for file in files} == {"README.md", *TASKS}
    labelled = {f"{task}/{split}" for task in TASKS for split in SPLITS[task] if not split.startswith("test")}
    assert labelled <= {file.partition("-")[0] for file in files}

    # Nothing is asked of the hub any more, which may be down.
    hub.faults.down = True
    hub.requests.clear()
    again = arena(hub, tmp_path, "sweep", "--profile", "full", *SMALL)
    assert again.returncode == 0, again.stderr
    assert f"{CELLS} of {CELLS} done" in again.stdout + again.stderr
    assert hub.requests == []


def test_a_bad_line_and_a_busy_hub_cost_only_time(hub: StandInHub, tmp_path: Path) -> None:
    hub.faults = Faults(unavailable_every=11, limit_every=17, retry_after=0, break_every=6)
    swept = arena(hub, tmp_path, "sweep", "--profile", "full", "--limit", "8", "--train-limit", "16")
    assert swept.returncode == 0, swept.stderr
    assert {cell["state"] for cell in read_cells(hub, tmp_path)} == {"done"}
    assert f"{CELLS} of {CELLS} done" in swept.stderr
    assert {name: hub.downloads(name) for name in NEEDED} == NEEDED
    assert {429, 503} <= {request.status for request in hub.requests}


def test_a_download_outlives_connections_that_are_reset(hub: StandInHub, tmp_path: Path) -> None:
    hub.faults = Faults(break_every=3, reset=True)
    pulled = arena(hub, tmp_path, "pull", "--model", "gemma-2b")
    assert pulled.returncode == 0, pulled.stderr
    assert hub.downloads(GEMMA) == NEEDED[GEMMA]


def test_a_file_that_the_hub_serves_damaged_is_not_kept(hub: StandInHub, tmp_path: Path) -> None:
    hub.faults.damaged.add(f"{BERT}/model.safetensors")
    pulled = arena(hub, tmp_path, "pull", "--model", "bert-base")
    assert pulled.returncode == 3
    assert "model.safetensors" in pulled.stderr
    hub.faults.damaged.clear()
    again = arena(hub, tmp_path, "pull", "--model", "bert-base")
    assert again.returncode == 0, again.stderr
    assert hub.downloads(BERT) == NEEDED[BERT]
