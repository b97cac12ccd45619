"""Ledgers in any state, made by the real store: a sweep whose experiments end as they are told to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from nlu_arena import events
from nlu_arena.hardware import Device
from nlu_arena.ledger.store import Store
from nlu_arena.paths import ledger_path
from nlu_arena.plan import build_plan
from nlu_arena.profile import load_profile, override
from nlu_arena.registry import load_registry
from nlu_arena.spec import Example, Experiment, Prediction

CPU = Device(name="cpu", kind="cpu", title="test", memory_bytes=None, fast_bfloat16=False)
READY = events.Ready(device_kind="cpu", threads=2, code_version="test", environment={"python": "3.11"})
Act = Callable[[Store, int, Experiment], None]
# Gives the answers to a split's examples for an accuracy.
Answer = Callable[[Experiment, int, float, Iterable[int]], list[Prediction]]


def quick_plan(**changes: Any) -> list[Experiment]:
    """The quick profile's experiments, with the command line's changes."""
    profile = override(load_profile("quick"), **changes)
    return build_plan(profile, load_registry(), [CPU], weights_identity=lambda model: model.name)


def dev_splits(experiment: Experiment) -> dict[str, int]:
    return {"matched": 120, "mismatched": 60} if experiment.task.name == "mnli" else {"dev": 120}


def examples(experiment: Experiment, n: int) -> list[Example]:
    """Balanced examples."""
    pair = "the other text" if experiment.task.is_pair else None
    labels = len(experiment.task.labels)
    return [Example(text=f"text {i}", label=i % labels, pair=pair) for i in range(n)]


def answers(experiment: Experiment, n: int, accuracy: float, indices: Iterable[int]) -> list[Prediction]:
    """Answers of which the first are right, as many as the accuracy says."""
    labels, rows = len(experiment.task.labels), []
    for i in indices:
        predicted = i % labels if i < round(accuracy * n) else (i + 1) % labels
        scores = tuple(-0.3 if label == predicted else -2.0 for label in range(labels))
        rows.append(Prediction(index=i, gold=i % labels, predicted=predicted, scores=scores))
    return rows


def one_label(experiment: Experiment, n: int, accuracy: float, indices: Iterable[int]) -> list[Prediction]:
    """The first label for every example."""
    labels = len(experiment.task.labels)
    scores = (-0.1, *[-2.0] * (labels - 1))
    return [Prediction(index=i, gold=i % labels, predicted=0, scores=scores) for i in indices]


def begin(store: Store, sweep: int, experiment: Experiment, *, fresh: bool = False) -> int:
    run = store.begin_run(sweep, experiment, READY, fresh=fresh).run_id
    for split, n in dev_splits(experiment).items():
        store.record(
            run,
            events.ExampleSet(
                split=split, fingerprint=f"{experiment.task.name}-{split}", examples=examples(experiment, n)
            ),
        )
    return run


def done(
    accuracy: float = 0.725,
    warnings: Sequence[str] = (),
    fresh: bool = False,
    answer: Answer = answers,
    mismatched: float | None = None,
    **facts: Any,
) -> Act:
    """The experiment is finished with an accuracy, maybe another on MNLI mismatched, and further findings."""

    def act(store: Store, sweep: int, experiment: Experiment) -> None:
        run = begin(store, sweep, experiment, fresh=fresh)
        store.record(run, events.PhaseFinished(phase="load", seconds=0.5))
        if experiment.train:
            for step, loss in enumerate((1.1, 0.9, 0.6), 1):
                store.record(run, events.MetricPoint(step=step, epoch=step / 3, name="loss", value=loss))
        latency = {"1": {"p50_ms": 4.0, "p95_ms": None, "p99_ms": None, "calls": 12}}
        store.record(run, events.Facts(facts={"latency": latency, "warnings": list(warnings)} | facts))
        for split, n in dev_splits(experiment).items():
            share = accuracy if split != "mismatched" or mismatched is None else mismatched
            rows = answer(experiment, n, share, range(n))
            store.record(run, events.Predictions(split=split, rows=rows))
        store.record_peak(run, 1_500_000_000)
        store.finish_run(run)

    return act


def failed(message: str, hint: str = "", error: str = "RunError") -> Act:
    """The experiment's run fails."""

    def act(store: Store, sweep: int, experiment: Experiment) -> None:
        run = begin(store, sweep, experiment)
        store.end_run(run, "failed", error=error, message=message, hint=hint)

    return act


def running(answered: int = 64, phase: str = "evaluate") -> Act:
    """The experiment is under way."""

    def act(store: Store, sweep: int, experiment: Experiment) -> None:
        run = begin(store, sweep, experiment)
        split, n = next(iter(dev_splits(experiment).items()))
        store.record(run, events.PhaseStarted(phase=phase))
        rows = answers(experiment, n, 1.0, range(answered))
        store.record(run, events.Predictions(split=split, rows=rows))
        store.record(run, events.Progress(phase=phase, done=answered, total=n))

    return act


def interrupted(answered: int = 32) -> Act:
    """The experiment was stopped in the middle."""

    def act(store: Store, sweep: int, experiment: Experiment) -> None:
        running(answered)(store, sweep, experiment)
        run = store.begin_run(sweep, experiment, READY).run_id
        store.end_run(run, "interrupted", error="Stopped", message="the sweep was stopped")

    return act


def waiting(store: Store, sweep: int, experiment: Experiment) -> None:
    """Nothing has happened yet."""


def write_sweep(
    results: Path,
    plan: Sequence[Experiment],
    acts: Sequence[Act],
    *,
    name: str = "quick",
    state: Any = "done",
    details: dict[str, Any] | None = None,
    keep_open: bool = False,
) -> Store:
    """Write a sweep whose experiments end as told; without a state it is left as if it were running.

    The store is closed unless the sweep shall look alive.
    """
    store = Store.open(ledger_path(results))
    sweep = store.begin_sweep(name, plan, {"command": f"nlu-arena sweep --profile {name}"} | (details or {}))
    for experiment, act in zip(plan, acts, strict=True):
        act(store, sweep, experiment)
    if state:
        store.finish_sweep(sweep, state)
    if not keep_open:
        store.close()
    return store


def with_data(experiment: Experiment, source: str) -> Experiment:
    """The same experiment on other data."""
    data = msgspec.structs.replace(experiment.data, source=source, identity=source)
    return msgspec.structs.replace(experiment, data=data)
