"""Experiments, events and small sweeps for the tests of the ledger."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nlu_arena import events
from nlu_arena.ledger.store import RunStart, Store
from nlu_arena.spec import (
    DataRef,
    Example,
    Experiment,
    Mode,
    ModelSpec,
    Prediction,
    PromptSpec,
    Subset,
    TaskData,
    TaskSpec,
    WheelWeights,
)

LABELS = ("negative", "positive")
READY = events.Ready(device_kind="cpu", threads=2, code_version="abc", environment={"torch": "2.13.0"})


def make_experiment(
    model: str = "smol", task: str = "sst2", mode: Mode = "zero-shot", seed: int = 42, source: str = "starter"
) -> Experiment:
    weights = WheelWeights(
        packages=(f"{model}==1",), members=("a.gguf",), sha256=model * 4, quantisation="Q4_1"
    )
    spec = ModelSpec(
        name=model,
        title=model.title(),
        slug=f"{model}_135m",
        family="decoder",
        parameters=135,
        use_case="tests",
        licence="Apache-2.0",
        weights=weights,
    )
    prompt = PromptSpec(instruction="Judge.", template="{text}", cue="", words=dict.fromkeys(LABELS, "x"))
    task_spec = TaskSpec(
        name=task,
        title=task,
        type="sentiment",
        labels=LABELS,
        train_rows=10,
        difficulty="easy",
        licence="Apache-2.0",
        prompt=prompt,
        data=TaskData(),
    )
    return Experiment(
        model=spec,
        task=task_spec,
        mode=mode,
        data=DataRef(source=source, location="x", identity="data"),  # type: ignore[arg-type]
        weights_identity=weights.identity,
        precision="float32",
        seed=seed,
        subset=Subset(train=96),
        shots=5 if mode == "few-shot" else 0,
    )


def example_set(n: int, split: str = "dev", fingerprint: str = "") -> events.ExampleSet:
    examples = [Example(text=f"text {i}", label=i % 2, pair=None if i % 3 else "pair") for i in range(n)]
    return events.ExampleSet(split=split, fingerprint=fingerprint or f"first-{n}", examples=examples)


def prediction(index: int, predicted: int | None = None) -> Prediction:
    label = index % 2 if predicted is None else predicted
    scores = (-0.1 - index / 1000, -2.5) if label == 0 else (-2.5, -0.1 - index / 1000)
    return Prediction(index=index, gold=index % 2, predicted=label, scores=scores)


def answers(*indices: int, split: str = "dev") -> events.Predictions:
    return events.Predictions(split=split, rows=[prediction(index) for index in indices])


def start(store: Store, experiment: Experiment | None = None, **kwargs: Any) -> RunStart:
    """Begin a sweep of one experiment and its run."""
    one = experiment or make_experiment()
    return store.begin_run(store.begin_sweep("test", [one], {}), one, READY, **kwargs)


def complete(store: Store, experiment: Experiment | None = None, n: int = 4) -> RunStart:
    """Do a whole sweep of one experiment with n right answers."""
    run = start(store, experiment)
    store.record(run.run_id, example_set(n))
    store.finish_run(run.run_id, [answers(*range(n))])
    return run


@contextmanager
def without_privileges(*paths: Path) -> Iterator[None]:
    """Do what is inside as an ordinary user, for whom permissions count, with what is given away to it."""
    if os.geteuid() != 0:
        yield
        return
    nobody = 65534
    for path in paths:
        for item in (path, *path.rglob("*")):
            os.chown(item, nobody, nobody)
    os.seteuid(nobody)
    try:
        yield
    finally:
        os.seteuid(0)
