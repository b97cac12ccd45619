"""Experiments of every mode on tiny models."""

from __future__ import annotations

from pathlib import Path

import pytest

from nlu_arena.spec import Experiment
from tests.conftest import MakeExperiment
from tests.modes.runs import CELLS, MakeCell


@pytest.fixture
def make_cell(tiny_bert: Path, tiny_llama: Path, make_experiment: MakeExperiment) -> MakeCell:
    """Return a maker of experiments by their name in CELLS."""

    def make(name: str) -> Experiment:
        family, mode, settings = CELLS[name]
        return make_experiment(family, tiny_bert if family == "encoder" else tiny_llama, mode, **settings)

    return make


@pytest.fixture(autouse=True)
def short_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time a few calls only: how long they take is not what these tests are about."""
    monkeypatch.setattr("nlu_arena.backend.latency.MAX_CALLS", 2)
