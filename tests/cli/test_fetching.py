from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from nlu_arena.cli import fetching
from nlu_arena.dataref import resolve_data
from nlu_arena.errors import CannotStartError
from nlu_arena.plan import Subject
from nlu_arena.registry import load_registry
from nlu_arena.sources import FetchProgress
from nlu_arena.spec import ModelSpec

MODELS = load_registry().models


def fetch(steps: list[FetchProgress]) -> Callable[..., Path]:
    def fake(model: ModelSpec, report: Callable[[FetchProgress], None]) -> Path:
        for step in steps:
            report(step)
        return Path("/weights") / model.name

    return fake


def test_fetching_shows_terms_steps_and_the_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    size = 100 * 2**20
    steps = [FetchProgress("gemma3-270m", "downloading", done, size) for done in (0, size // 2, size)]
    steps.append(FetchProgress("gemma3-270m", "de-quantising Q4_K_M", 0, None))
    monkeypatch.setattr(fetching, "weights_dir", lambda model: None)
    monkeypatch.setattr(fetching, "fetch_weights", fetch(steps))
    assert fetching.fetch_all([fetching.weights_of(MODELS["gemma3-270m"])]) == []
    assert capsys.readouterr().err.splitlines() == [
        "gemma3-270m: The Gemma terms of use apply: https://ai.google.dev/gemma/terms",
        "gemma3-270m: downloading 100 MiB",
        "gemma3-270m: de-quantising Q4_K_M",
        "gemma3-270m (Q4_K_M): ready, in /weights/gemma3-270m",
    ]


def test_one_model_that_cannot_be_fetched_does_not_keep_the_others_away(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fake(model: ModelSpec, report: object) -> Path:
        if model.name == "bert-base":
            raise CannotStartError("no network", "Try again.")
        return Path("/weights")

    monkeypatch.setattr(fetching, "weights_dir", lambda model: None)
    monkeypatch.setattr(fetching, "fetch_weights", fake)
    parcels = [fetching.weights_of(MODELS[name]) for name in ("bert-base", "minilm")]
    (problem,) = fetching.fetch_all(parcels)
    assert problem.message == "no network"
    assert "minilm: ready" in capsys.readouterr().err


def test_weights_that_are_here_are_checked_and_not_fetched(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    checked: list[str] = []
    monkeypatch.setattr(fetching, "weights_dir", lambda model: Path("/weights"))
    monkeypatch.setattr(fetching, "verify_weights", lambda model: checked.append(model.name))
    assert fetching.ensure([fetching.weights_of(MODELS[n]) for n in ("minilm", "smollm2-135m")]) == {}
    assert checked == ["minilm", "smollm2-135m"]
    assert capsys.readouterr().err == ""


def test_only_data_that_come_from_the_hub_are_fetched() -> None:
    sst2 = load_registry().task("sst2")
    starter, hub = (resolve_data(sst2, source) for source in ("starter", "hub"))
    assert fetching.data_from_hub([(sst2, starter)]) == []
    (parcel,) = fetching.data_from_hub([(sst2, hub)])
    assert parcel.subject == Subject("task", "sst2")
