"""What a report says: the answer to a question, a headline, a criterion, each with what it rests on."""

from __future__ import annotations

from typing import Literal

import msgspec

from nlu_arena.comparing import Row
from nlu_arena.contender import Cost

# How much worse than another still matches it, as a share: 0.02 are two points.
MARGIN = 0.02

Verdict = Literal["yes", "in part", "no", "not shown", "cannot be said yet"]
Standing = Literal["shown", "shown in part", "not shown", "cannot be said yet"]


class SliceTest(msgspec.Struct, frozen=True, kw_only=True):
    """A language model against the reference on the texts of one kind; both are means over seeds.

    `elsewhere` is the difference on all other texts of the split. `p_adjusted` accounts for all kinds, tasks
    and language models of the question, so that the best model may be looked at alone; `shown` is what it
    shows of the language model.
    """

    task: str
    split: str
    kind: str
    slice: str
    n: int
    name: str
    reference: str
    value: float
    reference_value: float
    difference: float
    interval: tuple[float, float]
    elsewhere: float
    p_value: float
    p_adjusted: float
    is_best: bool
    shown: Literal["better", "worse", "not shown"]

    @property
    def is_worse(self) -> bool:
        """Say whether the language model is shown to be worse."""
        return self.shown == "worse"


class FrontPoint(msgspec.Struct, frozen=True, kw_only=True):
    """A contender with its accuracy and costs, and whether it is on the Pareto front.

    `train_seconds` is 0 where nothing is trained; a cost that was not measured is None, and counts as
    infinite.
    """

    name: str
    accuracy: float
    latency_ms: float | None
    memory_bytes: int | None
    train_seconds: float | None
    cost: Cost
    on_front: bool


class Front(msgspec.Struct, frozen=True, kw_only=True):
    """What is worth its cost on one task, from the most accurate down, all timed on one device.

    `gap` is the difference in accuracy between the most accurate point of the front and the fastest one,
    with its interval and a p-value that accounts for all pairs that these could have been; None where they
    are one. `weak` names what is not shown to beat the majority share, `elsewhere` what was timed on another
    device.
    """

    task: str
    split: str
    n: int
    device: str
    majority: float
    points: tuple[FrontPoint, ...]
    fastest: str | None
    gap: float | None
    gap_interval: tuple[float, float] | None
    gap_p: float | None
    weak: tuple[str, ...]
    elsewhere: tuple[str, ...]

    @property
    def members(self) -> list[FrontPoint]:
        """Return the points that no other one beats in everything."""
        return [point for point in self.points if point.on_front]


Evidence = tuple[Row, ...] | tuple[Front, ...] | tuple[SliceTest, ...]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a question, from tests of one family.

    The verdict is on the `claim`, `summary` says on what it holds; `commands` are what to run where it
    cannot be said yet.
    """

    key: str
    question: str
    claim: str
    verdict: Verdict
    summary: str
    sentences: tuple[str, ...] = ()
    evidence: Evidence = ()
    commands: tuple[str, ...] = ()

    @property
    def answer(self) -> str:
        """Return the verdict with what it holds on."""
        return f"{self.verdict}: {self.summary}" if self.summary else self.verdict


class Headline(msgspec.Struct, frozen=True, kw_only=True):
    """A statement that people like to make, and whether the ledger shows it."""

    key: str
    statement: str
    standing: Standing
    sentence: str
    evidence: tuple[Row, ...] = ()


class Criterion(msgspec.Struct, frozen=True, kw_only=True):
    """Something that has to be so for the benchmark to count as done, and what keeps it from being so."""

    key: str
    statement: str
    is_met: bool
    sentence: str
    exceptions: tuple[str, ...] = ()
