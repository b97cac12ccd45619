"""The part growth: do examples a second and memory stay what they are as the work grows?

`nlu-arena run` in a process of its own, zero-shot, on the same 1,000 training sentences once and many times:
what is read, and how long it is, is the same in both, only the number of rows is not.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import psutil

from tests.benchmarks.speed.bench import Bench, say
from tests.benchmarks.speed.overhead import ROOT
from tests.benchmarks.speed.pairing import Quartiles
from tests.benchmarks.speed.results import Result

FEW, MANY, ALL = 1_000, 16_000, 60_000
QUICK_FEW, QUICK_MANY = 64, 256
FOLDER = "SST-2"
# What "flat" leaves to chance.
FLAT = 0.9
MIB = 2**20
SAMPLE_SECONDS = 0.2
RUN = ["run", "--model", "smollm2-135m", "--task", "sst2", "--mode", "zero-shot"]
COMMAND = [sys.executable, "-m", "nlu_arena", *RUN]


class Grown(NamedTuple):
    """A run: the examples a second of its evaluation and of the whole, its processes' peaks in bytes."""

    rate: float
    whole_rate: float
    worker: int
    scheduler: int


def measure_growth(bench: Bench) -> Iterator[Result]:
    """Measure a run of few rows and one of many."""
    few, many = (QUICK_FEW, QUICK_MANY) if bench.is_quick else (FEW, ALL if bench.is_full else MANY)
    say(f"growth: {few:,} and {many:,} rows")
    small, large = (score_rows(bench.glue, few, count) for count in (few, many))
    size = f"{few:,} and {many:,} rows"
    figures = (
        ("evaluating", "examples/s", large.rate, small.rate, large.rate / small.rate),
        ("whole run", "examples/s", large.whole_rate, small.whole_rate, large.whole_rate / small.whole_rate),
        ("worker's peak", "MiB", large.worker / MIB, small.worker / MIB, small.worker / large.worker),
        (
            "scheduler's peak",
            "MiB",
            large.scheduler / MIB,
            small.scheduler / MIB,
            small.scheduler / large.scheduler,
        ),
    )
    for work, unit, ours, theirs, ratio in figures:
        yield Result(
            part="growth",
            work=f"zero-shot sst2, {work}: many, few",
            size=size,
            unit=unit,
            ours=ours,
            theirs=theirs,
            ratio=Quartiles(ratio, ratio, ratio),
            reach=FLAT if work != "whole run" else None,
        )


def score_rows(glue: Path, distinct: int, count: int) -> Grown:
    """Score a dev file of so many rows, made of `distinct` training sentences again and again."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_rows(glue, folder / "glue", distinct, count)
        places = ["--data", str(folder / "glue"), "--results", str(folder / "results")]
        with (folder / "said").open("wb") as said:
            child = subprocess.Popen(
                [*COMMAND, *places],
                cwd=folder,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdout=subprocess.DEVNULL,
                stderr=said,
            )
            scheduler = watch_memory(child)
        if child.returncode:
            raise SystemExit(f"the run failed: {(folder / 'said').read_text(errors='replace')[-2000:]}")
        return read_run(folder / "results" / "arena.db", count, scheduler)


def watch_memory(child: subprocess.Popen[bytes]) -> int:
    """Wait for a process to end and return the largest memory that it was seen with."""
    process, peak = psutil.Process(child.pid), 0
    while child.poll() is None:
        with contextlib.suppress(psutil.Error):
            peak = max(peak, process.memory_info().rss)
        time.sleep(SAMPLE_SECONDS)
    return peak


def write_rows(glue: Path, folder: Path, distinct: int, count: int) -> None:
    """Write the files of the task: its own training file, and a dev file made of that one's first rows."""
    (folder / FOLDER).mkdir(parents=True)
    train = (glue / FOLDER / "train.tsv").read_text().splitlines()
    rows = itertools.islice(itertools.cycle(train[1 : distinct + 1]), count)
    (folder / FOLDER / "train.tsv").write_text("\n".join(train[: distinct + 1]) + "\n")
    (folder / FOLDER / "dev.tsv").write_text("\n".join([train[0], *rows]) + "\n")


def read_run(ledger: Path, count: int, scheduler: int) -> Grown:
    """Read what the ledger says of its one run."""
    connection = sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)
    try:
        seconds, worker, facts = connection.execute(
            "SELECT seconds, peak_rss_bytes, facts FROM runs"
        ).fetchone()
    finally:
        connection.close()
    rate = msgspec.json.decode(facts)["evaluate_examples_per_second"]
    return Grown(rate, count / seconds, worker, scheduler)
