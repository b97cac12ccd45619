"""A ledger for the views of results: an encoder, two ways of prompting and one run that is not finished."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nlu_arena import events
from nlu_arena.ledger.store import Store
from nlu_arena.paths import ledger_path
from nlu_arena.spec import Example, Experiment
from tests.tui.stage import Stage
from tests.views.ledgers import READY, Act, answers, done, quick_plan, waiting, write_sweep


def write_contest(results: Path, tasks: Sequence[str] = ("rte", "sst2")) -> Path:
    """Write a finished sweep of minilm and smollm2, whose LoRA is waiting, and return the ledger."""
    plan = [e for e in quick_plan() if e.task.name in tasks]
    acts: dict[str, Act] = {
        "fine-tune": done(0.9),
        "zero-shot": done(0.5),
        "few-shot": done(0.7),
        "lora": waiting,
    }
    write_sweep(results, plan, [acts[e.mode] for e in plan])
    return ledger_path(results)


def say(texts: Sequence[str], wrong: int) -> Act:
    """The experiment has answered these texts, so many of them wrong."""

    def act(store: Store, sweep: int, experiment: Experiment) -> None:
        run = store.begin_run(sweep, experiment, READY).run_id
        labels, n = len(experiment.task.labels), len(texts)
        pair = "the other \x1b[7mtext" if experiment.task.is_pair else None
        rows = [Example(text=text, label=i % labels, pair=pair) for i, text in enumerate(texts)]
        store.record(run, events.ExampleSet(split="dev", fingerprint="hostile", examples=rows))
        given = answers(experiment, n, 1 - wrong / n, range(n))
        store.record(run, events.Predictions(split="dev", rows=given))
        store.finish_run(run)

    return act


def mark(stage: Stage, *modes: str) -> None:
    """Mark the experiments of some modes, and show that."""
    assert stage.frame is not None
    stage.marked = {tile.key for tile in stage.frame.tiles if tile.mode in modes}
    stage.tick()
