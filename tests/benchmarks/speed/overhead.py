"""The part overhead: the whole quick sweep from a process with a warm cache, and its time outside model work.

With a revision, that is measured too, in turns: its tree is exported and found first by the interpreter.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from io import BytesIO
from pathlib import Path

from tests.benchmarks.speed.bench import Bench, say
from tests.benchmarks.speed.pairing import Pairs, Spans, measure_pairs, median_of
from tests.benchmarks.speed.results import Result

ROOT = Path(__file__).resolve().parents[3]
# The phases in which the model computes for the answers; all the rest of the sweep is overhead.
MODEL_WORK = ("train", "evaluate")
WALL, MODEL, REST = "wall", "model work", "not in model work"
MOST_WALL, MOST_REST = 180.0, 20.0
QUICK = ["--limit", "16", "--train-limit", "16"]


def measure_overhead(bench: Bench) -> Iterator[Result]:
    """Measure the sweep, and where its time goes."""
    arguments = QUICK if bench.is_quick else []
    ours = partial(sweep, ROOT, arguments)
    with tempfile.TemporaryDirectory() as folder:
        if bench.before is None:
            say("overhead: the quick sweep")
            pairs = Pairs([ours() for _ in range(bench.repeats)], [])
        else:
            say(f"overhead: the quick sweep, in turns with {bench.before}")
            before = export(bench.before, Path(folder))
            pairs = measure_pairs(ours, partial(sweep, before, arguments), bench.repeats)
    yield from _figures(pairs, "cut short" if arguments else "quick", bench.before)


def _figures(pairs: Pairs, size: str, before: str | None) -> Iterator[Result]:
    phases = ", ".join(
        f"{name} {median_of(pairs.ours, name):.1f}"
        for name in pairs.ours[0]
        if name not in (WALL, MODEL, REST)
    )
    for span, most in ((WALL, MOST_WALL), (MODEL, None), (REST, MOST_REST)):
        ours = median_of(pairs.ours, span)
        limit = [] if most is None else [f"to be under {most:.0f} s: {'ok' if ours < most else 'ABOVE'}"]
        yield Result(
            part="overhead",
            work=f"quick sweep, {span}" + (f" against {before}" if before else ""),
            size=size,
            unit="s",
            ours=ours,
            theirs=median_of(pairs.theirs, span) if pairs.theirs else None,
            ratio=pairs.ratios(span) if pairs.theirs else None,
            reach=2.0 if span == WALL and before else None,
            repeats=len(pairs.ours),
            notes=limit + ([f"seconds by phase: {phases}"] if span == WALL else []),
        )


def sweep(tree: Path, arguments: list[str]) -> Spans:
    """Do the quick sweep with the package of a tree and return its seconds by phase, and in all."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "nlu_arena", "sweep", "--profile", "quick", *arguments]
        began = time.perf_counter()
        done = subprocess.run(
            [*command, "--results", folder],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(tree)},
            capture_output=True,
            check=False,
        )
        wall = time.perf_counter() - began
        if done.returncode:
            raise SystemExit(f"the sweep failed: {done.stderr.decode(errors='replace')[-2000:]}")
        phases = read_phases(Path(folder) / "arena.db")
    model = sum(phases.get(name, 0.0) for name in MODEL_WORK)
    return {**phases, WALL: wall, MODEL: model, REST: wall - model}


def read_phases(ledger: Path) -> dict[str, float]:
    """Return the seconds of all runs by phase; in SQL, which reads the ledger of any version."""
    connection = sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)
    try:
        return dict(connection.execute("SELECT phase, SUM(seconds) FROM phases GROUP BY phase"))
    finally:
        connection.close()


def export(revision: str, folder: Path) -> Path:
    """Write the tree of a revision into a folder."""
    packed = subprocess.run(
        ["git", "archive", "--format=tar", revision], cwd=ROOT, capture_output=True, check=True
    )
    with tarfile.open(fileobj=BytesIO(packed.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder
