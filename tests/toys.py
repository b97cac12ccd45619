"""Experiments for the toy worker, whose task's name chooses what it does; a wait that ends."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from nlu_arena.spec import DataRef, Experiment, HubWeights, ModelSpec, PromptSpec, TaskData, TaskSpec


def experiment(model: str = "tiny", behaviour: str = "answers", seed: int = 1) -> Experiment:
    spec = ModelSpec(
        name=model,
        title=model,
        slug=model,
        family="decoder",
        parameters=1,
        use_case="tests",
        licence="none",
        weights=HubWeights(repo=f"toys/{model}", revision="0"),
    )
    prompt = PromptSpec(instruction="", template="{text}", cue="", words={"no": "no", "yes": "yes"})
    task = TaskSpec(
        name=behaviour,
        title=behaviour,
        type="sentiment",
        labels=("no", "yes"),
        train_rows=0,
        difficulty="easy",
        licence="none",
        prompt=prompt,
        data=TaskData(),
    )
    data = DataRef(source="starter", location=behaviour, identity=behaviour)
    return Experiment(
        model=spec,
        task=task,
        mode="few-shot",
        shots=1,
        data=data,
        weights_identity=f"toys/{model}@0",
        precision="float32",
        seed=seed,
    )


def wait_for(met: Callable[[], object], seconds: float = 10) -> None:
    """Wait until something is true, at most some seconds."""
    pause = threading.Event()
    for _ in range(int(seconds / 0.02)):
        if met():
            return
        pause.wait(0.02)
    pytest.fail(f"it did not happen within {seconds} s")
