"""A comparison for other programs: one flat record a row, and as a document."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from nlu_arena.comparing import Comparison, Row
from nlu_arena.contender import Cost
from nlu_arena.views.text import clean
from nlu_arena.views.tsv import Record

SCHEMA = 1
# Beside the row's own fields, which keep their order.
COSTS = (
    *("device", "train_seconds", "latency_1_ms", "latency_32_ms", "examples_per_second"),
    *("peak_rss_bytes", "device_peak_bytes", "trainable_parameters"),
)


def comparison_document(comparison: Comparison) -> dict[str, Any]:
    """Return what `compare --json` says: fields are only ever added."""
    names = dict.fromkeys(row.baseline for row in comparison.rows)
    return {
        "schema": SCHEMA,
        "baseline": {"model": comparison.model, "mode": comparison.mode, "names": list(names)},
        "metric": comparison.metric,
        "margin": comparison.margin,
        "family": len(comparison.rows),
        "rows": msgspec.to_builtins(comparison.rows, str_keys=True),
        "left_out": msgspec.to_builtins(comparison.left_out),
        "notes": list(comparison.notes),
    }


def comparison_records(comparison: Comparison) -> list[dict[str, Any]]:
    """Return every row as one level of named values; lists are joined by commas."""
    return [_flatten(row) for row in comparison.rows]


def csv_lines(records: Sequence[Record]) -> Iterator[str]:
    """Return a header and one line a record as CSV (RFC 4180); absent values are empty."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(records[0])
    for record in records:
        writer.writerow(["" if value is None else clean(str(value)) for value in record.values()])
    yield from stream.getvalue().splitlines()


def _flatten(row: Row) -> dict[str, Any]:
    record: dict[str, Any] = {}
    for name in row.__struct_fields__:
        value = getattr(row, name)
        match name:
            case "interval":
                record["low95"], record["high95"] = value
            case "cost":
                record |= _flatten_cost(value, "")
            case "baseline_cost":
                record |= _flatten_cost(value, "baseline_")
            case "ratios":
                record |= {f"ratio_{part}": getattr(value, part) for part in value.__struct_fields__}
            case _:
                record[name] = ", ".join(map(str, value)) if isinstance(value, tuple) else value
    return record


def _flatten_cost(cost: Cost, prefix: str) -> Mapping[str, Any]:
    known = {"latency_1_ms": cost.call_ms.get(1), "latency_32_ms": cost.call_ms.get(32)}
    return {f"{prefix}{name}": known[name] if name in known else getattr(cost, name) for name in COSTS}
