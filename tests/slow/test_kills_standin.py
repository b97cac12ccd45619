"""Ten kills of a sweep with tiny models of the real architectures: what it finds out stays the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.slow.desks import Desk
from tests.slow.killing import Blow, draw_moments, sweep_under_fire
from tests.slow.outcomes import count_stretches, find_differences, read_outcomes
from tests.slow.sentences import write_sentences
from tests.standin import StandInHub, build_repositories

PROFILE = """
description = "Every kind of training, long enough to be hit; the faster a model the more it has to answer"
data = "glue"

[[block]]
models = ["bert-base"]
modes = ["fine-tune"]
tasks = ["sst2"]
train = { epochs = 10, batch_size = 8, lr = 1e-3, held_out = 0.1 }

[[block]]
models = ["deberta-base"]
modes = ["lora"]
tasks = ["sst2"]
limit = 6000
train = { epochs = 5, batch_size = 8, lr = 1e-3, held_out = 0.1, lora = { dropout = 0.1 } }

[[block]]
models = ["qwen-0.5b"]
modes = ["lora", "few-shot"]
tasks = ["sst2"]
shots = 4
limit = 12000
train = { epochs = 5, batch_size = 8, lr = 1e-3, held_out = 0.1, lora = { dropout = 0.1 } }
"""
BERT, DEBERTA = "bert-base/sst2/fine-tune", "deberta-base/sst2/lora"
QWEN, PROMPTED = "qwen-0.5b/sst2/lora", "qwen-0.5b/sst2/few-shot"
# A worker that dies twice on one experiment in one sweep fails it: no experiment has two such in a row.
BLOWS = (
    Blow(BERT, "train", "scheduler"),
    Blow(BERT, "train", "worker"),
    Blow(BERT, "evaluate", "both"),
    Blow(DEBERTA, "train", "both"),
    Blow(DEBERTA, "evaluate", "worker"),
    Blow(DEBERTA, "evaluate", "scheduler"),
    Blow(QWEN, "train", "worker"),
    Blow(QWEN, "train", "both"),
    Blow(QWEN, "evaluate", "worker"),
    Blow(PROMPTED, "evaluate", "scheduler"),
)
ROWS = {"train": 1000, "dev": 30_000}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A user's folder with the weights of the stand-in hub and the data of a GLUE download."""
    write_sentences(tmp_path / "glue", ROWS)
    with StandInHub(build_repositories()) as hub:
        variables = hub.environment(tmp_path / "hf") | {"NLU_ARENA_CACHE": str(tmp_path / "cache")}
        desk = Desk(tmp_path, variables, PROFILE)
        desk.run("pull", "--profile", "kills")
        yield desk


def test_a_sweep_killed_ten_times_finds_what_an_undisturbed_one_does(desk: Desk, tmp_path: Path) -> None:
    calm, killed = tmp_path / "calm", tmp_path / "killed"
    desk.sweep(calm)
    hits = sweep_under_fire(desk, killed, draw_moments(BLOWS, seed=1))
    assert find_differences(read_outcomes(calm), read_outcomes(killed)) == []
    blows = Counter(blow.experiment for blow in BLOWS)
    assert count_stretches(killed) == {title: [1 + count] for title, count in blows.items()}
    assert sum(hit.step > 0 for hit in hits if hit.blow.phase == "train") >= 3, "too few had a checkpoint"
    assert not list(killed.rglob("checkpoint*"))
