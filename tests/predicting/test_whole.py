"""From a run to labelled rows with real processes: the dev file labelled again gives what was recorded."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

from nlu_arena.ledger.queries import Reader
from nlu_arena.metrics import label_probability
from nlu_arena.paths import ledger_path, starter_dir

MODEL = """
name = "tiny-llama"
title = "Tiny"
slug = "tiny_llama"
family = "decoder"
parameters = 50_000
use_case = "tests"
licence = "Apache-2.0"
prompt_style = "chat"
weights = {{ source = "local", path = "{path}" }}
"""


def arena(desk: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"NLU_ARENA_CONFIG": str(desk / "config"), "CUDA_VISIBLE_DEVICES": ""}
    command = [sys.executable, "-m", "nlu_arena", *words]
    return subprocess.run(
        command, cwd=desk, env=environment, capture_output=True, text=True, timeout=240, check=True
    )


def test_a_few_shot_run_on_pairs_labels_its_dev_file_as_it_did(tiny_llama: Path, tmp_path: Path) -> None:
    models = tmp_path / "plugins" / "models"
    models.mkdir(parents=True)
    (models / "tiny.toml").write_text(MODEL.format(path=tiny_llama), encoding="utf-8")
    arena(tmp_path, "run", "--model", "tiny-llama", "--task", "rte", "--mode", "few-shot", "--shots", "2")
    dev = starter_dir() / "rte" / "dev.jsonl"
    done = arena(tmp_path, "predict", "tiny-llama/rte/few-shot", str(dev), "--output", "labelled.csv")
    assert "expected: not known" not in done.stderr
    assert "once the model is loaded" in done.stderr

    with Reader.open(ledger_path(tmp_path / "results")) as reader:
        labels = reader.run(1).experiment.task.labels
        recorded = reader.predictions(1, "dev")
    with (tmp_path / "labelled.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(recorded) == 120
    for row, answer in zip(rows, recorded, strict=True):
        # The file has its own labels, which stay.
        assert (row["label"], row["label_2"]) == (labels[answer.gold], labels[answer.predicted])
        for number, name in enumerate(labels):
            share = label_probability(answer.scores, number)
            assert float(row[f"p({name})"]) == pytest.approx(share, abs=1e-4)
