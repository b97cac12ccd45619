"""Ten kills of a sweep with real weights, an encoder and a decoder: what it finds out stays the same."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

from tests.slow.desks import Desk
from tests.slow.killing import Blow, draw_moments, sweep_under_fire
from tests.slow.outcomes import count_stretches, find_differences, read_outcomes
from tests.slow.sentences import write_sentences

PROFILE = """
description = "Every kind of training, long enough to be hit; the faster a model the more it has to answer"
data = "glue"

[[block]]
models = ["minilm"]
modes = ["fine-tune", "lora"]
tasks = ["sst2"]
train = { epochs = 3, batch_size = 16, held_out = 0.1, lora = { dropout = 0.1 } }

[[block]]
models = ["smollm2-135m"]
modes = ["lora", "few-shot"]
tasks = ["sst2"]
shots = 4
limit = 240
train_limit = 48
train = { epochs = 2, batch_size = 4, held_out = 0.1, lora = { dropout = 0.1 } }
"""
TUNED, ADAPTED = "minilm/sst2/fine-tune", "minilm/sst2/lora"
SMOL, PROMPTED = "smollm2-135m/sst2/lora", "smollm2-135m/sst2/few-shot"
# A worker that dies twice on one experiment in one sweep fails it: no experiment has two such in a row.
BLOWS = (
    Blow(TUNED, "train", "worker"),
    Blow(TUNED, "train", "both"),
    Blow(TUNED, "evaluate", "scheduler"),
    Blow(ADAPTED, "train", "scheduler"),
    Blow(ADAPTED, "evaluate", "worker"),
    Blow(ADAPTED, "evaluate", "both"),
    Blow(SMOL, "train", "both"),
    Blow(SMOL, "train", "scheduler"),
    Blow(SMOL, "evaluate", "scheduler"),
    Blow(PROMPTED, "evaluate", "worker"),
)
ROWS = {"train": 320, "dev": 1500}


def test_a_sweep_killed_ten_times_finds_what_an_undisturbed_one_does(tmp_path: Path) -> None:
    write_sentences(tmp_path / "glue", ROWS)
    desk = Desk(tmp_path, os.environ, PROFILE)
    desk.run("pull", "--model", "minilm", "--model", "smollm2-135m")
    calm, killed = tmp_path / "calm", tmp_path / "killed"
    desk.sweep(calm)
    hits = sweep_under_fire(desk, killed, draw_moments(BLOWS, seed=2))
    assert find_differences(read_outcomes(calm), read_outcomes(killed)) == []
    blows = Counter(blow.experiment for blow in BLOWS)
    assert count_stretches(killed) == {title: [1 + count] for title, count in blows.items()}
    assert sum(hit.step > 0 for hit in hits if hit.blow.phase == "train") >= 3, "too few had a checkpoint"
    assert not list(killed.rglob("checkpoint*"))
