"""What a sweep has found out, in a form in which two sweeps can be compared."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, NamedTuple

from nlu_arena.ledger.queries import Reader
from nlu_arena.ledger.rows import ArtifactRow, PointRow, RunRow
from nlu_arena.metrics import Metrics
from nlu_arena.paths import ledger_path
from nlu_arena.spec import Prediction

# Facts that are measured: they differ from one execution to the next.
MEASURED = {"evaluate_examples_per_second", "latency", "memory"}


class Outcome(NamedTuple):
    """One experiment: everything that must not depend on how often it was interrupted.

    `weights` has the hash of each file of weights in the run's folder, `files` has all names there.
    """

    predictions: dict[str, list[Prediction]]
    curve: list[PointRow]
    metrics: dict[str, Metrics]
    calibrated: dict[str, Metrics]
    facts: dict[str, Any]
    warnings: list[str]
    phases: set[str]
    artifacts: list[ArtifactRow]
    weights: dict[str, str]
    files: set[str]


def read_outcomes(results: Path) -> dict[str, Outcome]:
    """Return the outcomes of the last sweep by the titles of its experiments, which are all done."""
    with Reader.open(ledger_path(results)) as reader:
        sweep = reader.last_sweep()
        assert sweep is not None and sweep.state == "done"
        runs = [reader.run(cell.run_id) for cell in reader.cells(sweep.id) if cell.run_id is not None]
        return {run.experiment.title: _read_outcome(reader, run, results / run.folder) for run in runs}


def find_differences(expected: dict[str, Outcome], found: dict[str, Outcome]) -> list[str]:
    """Return what differs, by name only: the predictions themselves would fill the screen."""
    if list(expected) != list(found):
        return [f"experiments: {list(expected)}, {list(found)}"]
    return [
        f"{title}: {name}"
        for title, outcome in expected.items()
        for name in Outcome._fields
        if getattr(outcome, name) != getattr(found[title], name)
    ]


def count_stretches(results: Path) -> dict[str, list[int]]:
    """Return for each experiment the number of stretches of each of its runs, the oldest first."""
    stretches: dict[str, list[int]] = {}
    with Reader.open(ledger_path(results)) as reader:
        for run in sorted(reader.changed_since(0), key=lambda run: run.run_id):
            stretches.setdefault(run.experiment.title, []).append(run.stretches)
    return stretches


def _read_outcome(reader: Reader, run: RunRow, folder: Path) -> Outcome:
    assert run.state == "done"
    files = [path for path in folder.rglob("*") if path.is_file()]
    splits = [row.split for row in reader.splits(run.run_id)]
    return Outcome(
        predictions={split: reader.predictions(run.run_id, split) for split in splits},
        curve=reader.metric_points(run.run_id),
        metrics=run.by_split,
        calibrated=run.calibrated,
        facts={name: value for name, value in run.facts.items() if name not in {*MEASURED, "warnings"}},
        warnings=run.warnings,
        phases={row.phase for row in reader.phases(run.run_id)},
        artifacts=reader.artifacts(run.run_id),
        weights={
            path.name: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in files
            if path.suffix == ".safetensors"
        },
        files={path.relative_to(folder).as_posix() for path in files},
    )
