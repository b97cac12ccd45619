"""The cells of a sweep as records for other programs: the JSON document and the TSV lines of `status`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from nlu_arena.alarms import Alarms
from nlu_arena.answer import Answer
from nlu_arena.ledger.rows import Cell, SweepRow
from nlu_arena.metrics import Metrics
from nlu_arena.views.answer import answer_documents
from nlu_arena.views.matrix import alarms_of, describe_subset, is_near_majority, metrics_of
from nlu_arena.views.text import clean
from nlu_arena.views.totals import Totals
from nlu_arena.views.tsv import Record

SCHEMA = 1
TSV_COLUMNS = (
    "state",
    "model",
    "task",
    "split",
    "mode",
    "seed",
    "shots",
    "template",
    "subset",
    "accuracy",
    "low95",
    "high95",
    "majority",
    "near_majority",
    "alarms",
    "n",
    "macro_f1",
    "mcc",
    "seconds",
    "peak_rss_bytes",
    "data_source",
    "published",
    "weights_source",
    "quantisation",
    "key",
    "folder",
    "message",
    "hint",
)


def status_document(
    sweep: SweepRow, cells: Sequence[Cell], totals: Totals, answers: Sequence[Answer], as_of: str
) -> dict[str, Any]:
    """Return what `status --json` says: fields are only ever added."""
    return {
        "schema": SCHEMA,
        "as_of": as_of,
        "sweep": msgspec.to_builtins(sweep),
        "totals": totals._asdict(),
        "cells": [cell_document(cell) for cell in cells],
        "answers": answer_documents(answers),
    }


def cell_document(cell: Cell) -> dict[str, Any]:
    """Return one cell; numbers that do not exist yet are null."""
    metrics = cell.metrics
    return {
        "key": cell.key,
        "model": cell.model,
        "task": cell.task,
        "mode": cell.mode,
        "seed": cell.seed,
        "state": cell.state,
        "metrics": {name: _number(metrics, name) for name in ("accuracy", "macro_f1", "mcc", "ece")},
        "interval": cell.interval,
        "majority": cell.majority,
        "near_majority": _is_near_majority(metrics),
        "n": cell.n,
        "by_split": msgspec.to_builtins(cell.by_split),
        "seconds": cell.seconds,
        "peak_rss_bytes": cell.peak_rss_bytes,
        "data_source": cell.data_source,
        "published": cell.is_published(""),
        "data_differences": {split: clean(text) for split, text in cell.data_differences.items()},
        "weights_source": cell.weights_source,
        "quantisation": cell.quantisation,
        "subset": msgspec.to_builtins(cell.subset),
        "shots": cell.shots,
        "template": clean(cell.template),
        "draws": None if cell.mode == "zero-shot" else 1,
        "phase": cell.phase,
        "done": cell.done,
        "total": cell.total,
        "warnings": [clean(warning) for warning in cell.warnings],
        "alarms": {split: clean_alarms(alarms) for split, alarms in cell.alarms.items()},
        "error": clean(cell.error),
        "message": clean(cell.message),
        "hint": clean(cell.hint),
        "run_id": cell.run_id,
        "folder": cell.folder,
    }


def clean_alarms(alarms: Alarms) -> Alarms:
    """Return alarms whose sentences a terminal can show: they quote labels."""
    return {name: clean(sentence) for name, sentence in alarms.items()}


def cell_records(cells: Sequence[Cell]) -> Iterator[Record]:
    """Return a record for each cell and split; matched and mismatched are told apart."""
    for cell in cells:
        document = cell_document(cell)
        for split in list(cell.by_split) or [""]:
            metrics = metrics_of(cell, split)
            yield document | {
                "split": split,
                "subset": describe_subset(cell),
                "accuracy": _number(metrics, "accuracy"),
                "low95": None if metrics is None else round(metrics.interval[0], 6),
                "high95": None if metrics is None else round(metrics.interval[1], 6),
                "macro_f1": _number(metrics, "macro_f1"),
                "mcc": _number(metrics, "mcc"),
                "majority": _number(metrics, "majority"),
                "near_majority": _is_near_majority(metrics),
                # The sentences are in the JSON document.
                "alarms": ", ".join(alarms_of(cell, split)),
                "published": cell.is_published(split),
                "n": None if metrics is None else metrics.n,
                "seconds": None if cell.seconds is None else round(cell.seconds, 3),
            }


def _number(metrics: Metrics | None, name: str) -> float | None:
    return None if metrics is None else round(getattr(metrics, name), 6)


def _is_near_majority(metrics: Metrics | None) -> bool | None:
    return None if metrics is None else is_near_majority([metrics])
