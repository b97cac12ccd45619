"""What results.json and history.json say about a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from nlu_arena.ledger.queries import Reader
from nlu_arena.ledger.rows import PointRow, RunRow
from nlu_arena.metrics import Metrics
from nlu_arena.views.records import clean_alarms
from nlu_arena.views.text import clean

SCHEMA = 1
# Findings of a run that are its cost or what a reader must know; the rest of them say how it came about.
COSTS = ("latency", "latency_notes", "memory", "evaluate_examples_per_second")
CAUTIONS = ("warnings", "alarms", "data_differences")


def summarise_run(reader: Reader, run: RunRow) -> dict[str, Any]:
    """Return everything that a reader of a run's number may want to know.

    Args:
        reader: The ledger that holds the run.
        run: A finished run.
    """
    experiment = run.experiment
    metrics = run.metrics
    differences: dict[str, str] | None = run.facts.get("data_differences")
    return {
        "schema": SCHEMA,
        "title": experiment.title,
        "key": run.key,
        "model": experiment.model.name,
        "task": experiment.task.name,
        "mode": experiment.mode,
        "seed": experiment.seed,
        **_describe_metrics(metrics),
        "by_split": {split: _describe_metrics(found) for split, found in run.by_split.items()},
        "calibrated": {split: _describe_metrics(found) for split, found in run.calibrated.items()},
        "labels": list(experiment.task.labels),
        "warnings": [clean(warning) for warning in run.warnings],
        "alarms": {split: clean_alarms(alarms) for split, alarms in run.alarms.items()},
        "published": None if differences is None else not differences,
        "data_differences": differences or {},
        "cost": _describe_cost(reader, run),
        "settings": _describe_settings(run),
        "provenance": _describe_provenance(reader, run),
        "findings": {k: v for k, v in run.facts.items() if k not in (*COSTS, *CAUTIONS)},
    }


def summarise_curve(run: RunRow, points: Sequence[PointRow]) -> dict[str, Any]:
    """Return the training curve: for each measure its steps, epochs and values."""
    curves: dict[str, dict[str, list[float]]] = {}
    for point in points:
        curve = curves.setdefault(point.name, {"step": [], "epoch": [], "value": []})
        curve["step"].append(point.step)
        curve["epoch"].append(point.epoch)
        curve["value"].append(point.value)
    return {"schema": SCHEMA, "title": run.experiment.title, "key": run.key, "curves": curves}


def _describe_metrics(metrics: Metrics | None) -> dict[str, Any]:
    if metrics is None:
        return {}
    return {
        "accuracy": metrics.accuracy,
        "interval": list(metrics.interval),
        "macro_f1": metrics.macro_f1,
        "mcc": metrics.mcc,
        "calibration_error": metrics.ece,
        "majority": metrics.majority,
        "n": metrics.n,
    }


def _describe_cost(reader: Reader, run: RunRow) -> dict[str, Any]:
    phases: dict[str, float] = {}
    for phase in reader.phases(run.run_id):
        phases[phase.phase] = phases.get(phase.phase, 0.0) + phase.seconds
    costs = {name: run.facts[name] for name in COSTS if name in run.facts}
    return {"seconds": run.seconds, "phases": phases, "peak_rss_bytes": run.peak_rss_bytes, **costs}


def _describe_settings(run: RunRow) -> dict[str, Any]:
    experiment = run.experiment
    return {
        "precision": experiment.precision,
        "shots": experiment.shots,
        "subset": msgspec.to_builtins(experiment.subset),
        "train": msgspec.to_builtins(experiment.train),
        "template": experiment.template,
        "prompt_style": experiment.model.prompt_style,
        "attention": experiment.model.attention,
    }


def _describe_provenance(reader: Reader, run: RunRow) -> dict[str, Any]:
    experiment = run.experiment
    weights = experiment.model.weights
    return {
        "run_id": run.run_id,
        "sweep_id": run.sweep_id,
        "attempt": run.attempt,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "continued": run.stretches > 1,
        "weights": {
            "source": str(weights.__struct_config__.tag),
            "identity": experiment.weights_identity,
            "quantisation": experiment.model.quantisation,
        },
        "data": msgspec.to_builtins(experiment.data),
        "fingerprints": {row.split: row.fingerprint for row in reader.splits(run.run_id)},
        "device_kind": run.device_kind,
        "threads": run.threads,
        "code_version": run.code_version,
        "environment": run.environment,
    }
