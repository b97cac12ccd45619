"""Names of experiments say what it takes to tell them apart, and no more."""

from __future__ import annotations

from pathlib import Path

import msgspec

from nlu_arena.ledger.queries import Reader
from nlu_arena.paths import ledger_path
from nlu_arena.spec import Experiment, Subset
from nlu_arena.views.names import name_cells, name_experiments
from tests.views.ledgers import done, quick_plan, write_sweep


def vary(experiment: Experiment, template: str = "", limit: int | None = None, seed: int = 42) -> Experiment:
    prompt = msgspec.structs.replace(experiment.task.prompt, cue=template)
    task = msgspec.structs.replace(experiment.task, prompt=prompt)
    subset = Subset(train=limit)
    return msgspec.structs.replace(experiment, task=task, template=template, subset=subset, seed=seed)


def test_limits_templates_and_seeds_are_named_where_there_are_several() -> None:
    tuned, *_ = quick_plan()
    asked = next(e for e in quick_plan() if e.mode == "few-shot")
    plan = [
        *(vary(tuned, limit=8, seed=1), vary(tuned, limit=8, seed=2), vary(tuned, limit=16)),
        *(vary(asked), vary(asked, "question", limit=8)),
        vary(quick_plan()[1], limit=8),
    ]
    assert list(name_experiments(plan).values()) == [
        "minilm/sst2/fine-tune (train 8) seed 1",
        "minilm/sst2/fine-tune (train 8) seed 2",
        "minilm/sst2/fine-tune (train 16)",
        "smollm2-135m/sst2/few-shot",
        "smollm2-135m/sst2/few-shot (question)",
        "minilm/rte/fine-tune",
    ]


def test_cells_have_the_names_of_their_experiments(tmp_path: Path) -> None:
    asked = next(e for e in quick_plan() if e.mode == "few-shot")
    plan = [vary(asked), vary(asked, "question"), vary(asked, "question", seed=7)]
    write_sweep(tmp_path, plan, [done()] * 3)
    with Reader.open(ledger_path(tmp_path)) as reader:
        assert name_cells(reader.cells(1)) == name_experiments(plan)
