"""One figure of the benchmark, the table of all of them, and their JSON."""

from __future__ import annotations

import platform
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import msgspec
import torch

from nlu_arena.backend.device import device_title
from tests.benchmarks.speed.pairing import Pairs, Quartiles, median_of

PEERS = ("torch", "transformers", "peft", "lm-eval", "accelerate")
HEADS = ("part", "work", "size", "ours", "theirs", "ratio", "quartiles", "reach", "of the rate", "reach")


class Result(msgspec.Struct, kw_only=True):
    """A figure: what both sides do with one kind of work.

    `ours` and `theirs` are medians in `unit`. `ratio` is above 1 where ours is the better one, the median of
    the pairs' ratios; `reach` is what it is to be at least. `share` is the part of the measured matrix rate
    that our counted operations take, `share_reach` what that is to be. `has_failed` says that answers are
    wrong.
    """

    part: str
    work: str
    size: str
    unit: str
    ours: float
    theirs: float | None = None
    ratio: Quartiles | None = None
    reach: float | None = None
    share: float | None = None
    share_reach: float | None = None
    repeats: int = 1
    notes: list[str] = []
    has_failed: bool = False


def rate_result(pairs: Pairs, span: str, examples: int, **rest: object) -> Result:
    """Return the figure of one span of some executions, in examples a second."""
    return msgspec.convert(
        {
            "unit": "examples/s",
            "ours": examples / median_of(pairs.ours, span),
            "theirs": examples / median_of(pairs.theirs, span) if pairs.theirs else None,
            "ratio": pairs.ratios(span) if pairs.theirs else None,
            "repeats": len(pairs.ours),
            **rest,
        },
        Result,
    )


def print_table(results: Sequence[Result]) -> None:
    """Write all figures as aligned columns, and the notes below."""
    rows = [HEADS, *(_cells(result) for result in results)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADS))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    for result in results:
        for note in result.notes:
            print(f"{result.part}, {result.work}: {note}")
    sys.stdout.flush()


def write_json(results: Sequence[Result], file: Path, device: torch.device) -> None:
    """Write all figures, and what was measured where."""
    document = {
        "machine": {
            "device": device_title(device),
            "platform": platform.platform(),
            "threads": torch.get_num_threads(),
            "instructions": torch.backends.cpu.get_cpu_capability(),
            "packages": {name: version(name) for name in PEERS},
        },
        "results": results,
    }
    file.write_bytes(msgspec.json.format(msgspec.json.encode(document)) + b"\n")


def _cells(result: Result) -> tuple[str, ...]:
    ratio, reach, share = result.ratio, result.reach, result.share
    verdict = "" if reach is None or ratio is None else " ok" if ratio.median >= reach else " BELOW"
    return (
        result.part,
        result.work,
        result.size,
        f"{result.ours:.4g} {result.unit}",
        "" if result.theirs is None else f"{result.theirs:.4g}",
        "" if ratio is None else f"{ratio.median:.2f}",
        "" if ratio is None else f"{ratio.low:.2f} to {ratio.high:.2f} of {result.repeats}",
        "" if reach is None else f"{reach:g}{verdict}",
        "" if share is None else f"{share:.0%}",
        "" if share is None or result.share_reach is None else f"{result.share_reach:.0%}",
    )
