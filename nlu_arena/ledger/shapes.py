"""From rows of SQLite to the records that screens work with."""

from __future__ import annotations

import functools
import sqlite3
from typing import Any

import msgspec

from nlu_arena.alarms import recorded_alarms
from nlu_arena.ledger.rows import Cell, RunRow, SweepRow
from nlu_arena.metrics import Metrics
from nlu_arena.spec import TRAINED_MODES, Experiment

# Columns of a run that are the same in its record.
SAME = (
    *("run_id", "rev", "key", "sweep_id", "attempt", "folder", "device_kind", "threads", "code_version"),
    *("started_at", "updated_at", "finished_at", "seconds", "stretches", "phase", "done", "total"),
    *("peak_rss_bytes", "error", "message", "hint", "traceback"),
)
IN_CELL = (
    *("run_id", "folder", "seconds", "peak_rss_bytes", "phase", "done", "total", "started_at", "updated_at"),
    *("error", "message", "hint"),
)

RUN_COLUMNS = "runs.*, experiments.definition FROM runs JOIN experiments USING (experiment_id)"
CELL_COLUMNS = (
    "runs.*, (SELECT sum(phases.seconds) FROM phases"
    " WHERE phases.run_id = runs.run_id AND phases.phase = 'train') AS train_seconds,"
    " (SELECT json_group_object(run_splits.split, fingerprint)"
    " FROM run_splits JOIN example_sets USING (set_id)"
    " WHERE run_splits.run_id = runs.run_id) AS fingerprints"
)
CELLS = (
    f"SELECT {CELL_COLUMNS}, planned.key AS planned_key, position, experiments.definition,"
    " used.definition AS used_definition"
    " FROM sweep_experiments AS planned JOIN experiments USING (experiment_id)"
    " LEFT JOIN runs ON runs.run_id = planned.run_id"
    " LEFT JOIN experiments AS used ON used.experiment_id = runs.experiment_id"
)

decode_splits = msgspec.json.Decoder(dict[str, Metrics]).decode
decode_table = msgspec.json.Decoder(dict[str, Any]).decode


@functools.lru_cache(maxsize=1024)
def decode_experiment(definition: str) -> Experiment:
    """Return the experiment of a stored definition; screens read the same ones again and again."""
    return msgspec.json.decode(definition, type=Experiment)


def make_sweep(row: sqlite3.Row, dead: bool) -> SweepRow:
    """Return the record of a sweep; a running one without a living writer was interrupted."""
    return SweepRow(
        id=row["sweep_id"],
        name=row["name"],
        state=settle(row["state"], dead),
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        details=decode_table(row["details"]),
    )


def make_run(row: sqlite3.Row, dead: bool) -> RunRow:
    """Return the record of a run, with its experiment's definition in the row."""
    by_split = decode_splits(row["by_split"])
    return RunRow(
        **{name: row[name] for name in SAME},
        state=settle(row["state"], dead),
        experiment=decode_experiment(row["definition"]),
        environment=decode_table(row["environment"]),
        metrics=next(iter(by_split.values()), None),
        by_split=by_split,
        calibrated=decode_splits(row["calibrated"]),
        facts=decode_table(row["facts"]),
    )


def make_cell(row: sqlite3.Row, dead: bool) -> Cell:
    """Return the record of a planned experiment, with its run's columns where there is one.

    The names are the plan's, the sources those that the run used: equal bytes can come from either.
    """
    experiment = decode_experiment(row["definition"])
    used = decode_experiment(row["used_definition"]) if row["used_definition"] else experiment
    cell = Cell(
        key=row["planned_key"],
        model=experiment.model.name,
        title=experiment.model.title,
        aliases=experiment.model.aliases,
        family=experiment.model.family,
        size=experiment.model.parameters,
        task=experiment.task.name,
        mode=experiment.mode,
        seed=experiment.seed,
        position=row["position"],
        state="waiting",
        data_source=used.data.source,
        weights_source=str(used.model.weights.__struct_config__.tag),
        quantisation=used.model.quantisation,
        subset=experiment.subset,
        shots=experiment.shots,
        template=experiment.template,
        setting=setting_of(row["definition"]),
        curve=curve_of(row["definition"]),
        settings=settings_of(row["definition"]),
        labels=used.task.labels,
    )
    if row["run_id"] is None:
        return cell
    by_split = decode_splits(row["by_split"])
    metrics = next(iter(by_split.values()), None)
    facts = decode_table(row["facts"])
    published = used.task.published if "data_differences" in facts else None
    return msgspec.structs.replace(
        cell,
        **{name: row[name] for name in IN_CELL},
        state=settle(row["state"], dead),
        metrics=metrics,
        by_split=by_split,
        majority=metrics.majority if metrics else None,
        n=metrics.n if metrics else None,
        interval=metrics.interval if metrics else None,
        warnings=facts.get("warnings", []),
        alarms=recorded_alarms(facts, by_split),
        fingerprints=decode_table(row["fingerprints"]),
        published=published.name if published else "",
        data_differences=facts.get("data_differences", {}),
        device=describe_device(row),
        train_rows=facts.get("train_rows") if used.mode in TRAINED_MODES else used.shots,
        call_ms=_call_ms(facts),
        examples_per_second=facts.get("evaluate_examples_per_second"),
        train_seconds=row["train_seconds"],
        trainable_parameters=facts.get("trainable_parameters"),
        device_peak_bytes=max(_device_peaks(facts), default=None),
    )


@functools.lru_cache(maxsize=1024)
def setting_of(definition: str) -> str:
    """Return what the seeds of one experiment have in common: its key but for the seed."""
    return msgspec.structs.replace(decode_experiment(definition), seed=0).key


@functools.lru_cache(maxsize=1024)
def curve_of(definition: str) -> str:
    """Return what the points of one learning curve have in common: the setting but for the training rows."""
    experiment = decode_experiment(definition)
    if experiment.subset.train is None:
        return setting_of(definition)
    unlimited = msgspec.structs.replace(experiment.subset, train=None)
    return msgspec.structs.replace(experiment, seed=0, subset=unlimited).key


@functools.lru_cache(maxsize=1024)
def settings_of(definition: str) -> dict[str, int | float | str]:
    """Return the settings of a training, those of an adapter among them, and the precision, by name."""
    experiment = decode_experiment(definition)
    train: dict[str, Any] = msgspec.to_builtins(experiment.train) or {}
    adapter = train.pop("lora", None) or {}
    return {**train, **adapter, "precision": experiment.precision}


def describe_device(row: sqlite3.Row) -> str:
    """Name what a run was timed on; equal names mean comparable times."""
    title = decode_table(row["environment"]).get("device_title", "")
    threads = f", {row['threads']} threads" if row["device_kind"] == "cpu" else ""
    return f"{row['device_kind']} {title}".strip() + threads


def _call_ms(facts: dict[str, Any]) -> dict[int, float]:
    """Return the median milliseconds of a call by the number of texts in it."""
    latency: dict[str, dict[str, float | None]] = facts.get("latency", {})
    medians = {int(batch): figures.get("p50_ms") for batch, figures in latency.items()}
    return {batch: median for batch, median in medians.items() if median is not None}


def _device_peaks(facts: dict[str, Any]) -> list[int]:
    """Return the highest reading of the device's allocator in each phase, where there is one."""
    readings = (phase.get("device_peak_allocated_bytes") for phase in facts.get("memory", {}).values())
    return [size for size in readings if size is not None]


def settle(state: Any, dead: bool) -> Any:
    """Return a state as it is, where "running" without a living writer is "interrupted"."""
    return "interrupted" if dead and state == "running" else state
