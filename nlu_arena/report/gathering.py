"""Reading a ledger for a report: once, everything."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from nlu_arena.calibration import ContenderCalibration, find_calibrations
from nlu_arena.comparing.refusals import nothing_done
from nlu_arena.contender import Round, find_rounds
from nlu_arena.findings import find_findings, set_scene
from nlu_arena.findings.criteria import check_complete, check_crashes, check_saved, check_tables
from nlu_arena.learning_curve import find_crossings, find_curves
from nlu_arena.ledger.queries import Reader
from nlu_arena.ledger.rows import Cell
from nlu_arena.report.material import Learning, Material, Pictures
from nlu_arena.report.plots import (
    draw_accuracy,
    draw_curves,
    draw_fronts,
    draw_latency,
    draw_reliability,
    draw_templates,
)
from nlu_arena.report.standings import list_standings

# The names of the pictures; further pages have a number behind.
ACCURACY, LATENCY, FRONTS = "accuracy_comparison.png", "latency_comparison.png", "pareto.png"
RELIABILITY, CURVES, VARIANTS = "reliability.png", "learning_curve.png", "prompt_variants.png"
PICTURES = (ACCURACY, LATENCY, FRONTS, RELIABILITY, CURVES, VARIANTS)


def read_finished(reader: Reader) -> list[Cell]:
    """Return the experiments that are done.

    Raises:
        NothingToShowError: There are none; the hint says what to do.
    """
    finished = reader.finished()
    if not finished:
        raise nothing_done(reader.unfinished(), ())
    return finished


def gather(reader: Reader, finished: list[Cell], results: Path, folder: Path) -> Material:
    """Return everything that a report is made of, and draw its pictures.

    Args:
        reader: The ledger.
        finished: Its experiments that are done, at least one.
        results: The folder of the run folders.
        folder: Where the pictures go.
    """
    sweep = reader.last_sweep()
    assert sweep is not None  # a finished run is part of one
    rounds = find_rounds(finished, reader.labels)
    scene = set_scene(rounds)
    findings = find_findings(scene, reader.examples)
    calibrations = [found for one in rounds for found in find_calibrations(one, reader.columns)]
    runs = {run.run_id: run for run in reader.changed_since(0)}
    unfinished = reader.unfinished()
    criteria = (
        check_complete(sweep, reader.cells(sweep.id), unfinished),
        check_saved(finished, results),
        check_crashes(list(runs.values()), finished),
        check_tables(rounds, findings.comparisons),
    )
    return Material(
        made_at=datetime.now(UTC),
        version=version("nlu-arena"),
        sweep=sweep,
        finished=finished,
        unfinished=unfinished,
        rounds=rounds,
        scene=scene,
        findings=findings,
        criteria=criteria,
        calibrations=calibrations,
        standings=list_standings(calibrations, runs),
        learning=[
            Learning(found, curves, find_crossings(found))
            for found in rounds
            if (curves := find_curves(found))
        ],
        pictures=_draw(rounds, calibrations, folder),
    )


def _draw(rounds: Sequence[Round], calibrations: Sequence[ContenderCalibration], folder: Path) -> Pictures:
    return Pictures(
        accuracy=tuple(draw_accuracy(rounds, folder / ACCURACY)),
        latency=tuple(draw_latency(rounds, folder / LATENCY)),
        fronts=tuple(draw_fronts(rounds, folder / FRONTS)),
        reliability=tuple(draw_reliability(calibrations, folder / RELIABILITY)),
        curves=tuple(draw_curves(rounds, folder / CURVES)),
        variants=tuple(draw_templates(rounds, folder / VARIANTS)),
    )
