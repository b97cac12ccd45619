"""Everything that a report is made of, read from a ledger once."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from nlu_arena.calibration import ContenderCalibration
from nlu_arena.contender import Round
from nlu_arena.findings import Criterion, Findings, Scene
from nlu_arena.learning_curve import Crossing, Curve
from nlu_arena.ledger.rows import Cell, SweepRow
from nlu_arena.report.plots import Picture
from nlu_arena.report.standings import Standing


class Pictures(NamedTuple):
    """The pictures of a report, of each kind as many as it takes."""

    accuracy: tuple[Picture, ...] = ()
    latency: tuple[Picture, ...] = ()
    fronts: tuple[Picture, ...] = ()
    reliability: tuple[Picture, ...] = ()
    curves: tuple[Picture, ...] = ()
    variants: tuple[Picture, ...] = ()

    @property
    def all(self) -> list[Picture]:
        """Return all of them in their order."""
        return [picture for kind in self for picture in kind]


class Learning(NamedTuple):
    """The learning curves of a round, and where they cross what is prompted."""

    round: Round
    curves: list[Curve]
    crossings: list[Crossing]


class Material(NamedTuple):
    """What is known: the rounds of the ledger, what follows from them, and what is missing.

    `rounds` are all of the ledger, those of the `scene` the ones that the questions look at.
    """

    made_at: datetime
    version: str
    sweep: SweepRow
    finished: list[Cell]
    unfinished: list[Cell]
    rounds: list[Round]
    scene: Scene
    findings: Findings
    criteria: tuple[Criterion, ...]
    calibrations: list[ContenderCalibration]
    standings: list[Standing]
    learning: list[Learning]
    pictures: Pictures
