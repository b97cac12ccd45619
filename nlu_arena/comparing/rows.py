"""Who is compared with whom, and what came of it."""

from __future__ import annotations

from typing import Literal, NamedTuple

import msgspec

from nlu_arena.contender import Contender, Cost, Round
from nlu_arena.spec import Mode

Method = Literal["exact", "bootstrap"]
Verdict = Literal["better", "worse", "matches", "within the margin"]
# The task of a row that pools several.
ALL_TASKS = "all"


class Pair(NamedTuple):
    """A contender and what it is compared with, both of one round."""

    this: Contender
    baseline: Contender
    round: Round


class Pool(NamedTuple):
    """The same contender on several tasks, compared on all their texts together; a pair for each task."""

    pairs: tuple[Pair, ...]


class Ratios(msgspec.Struct, frozen=True, kw_only=True):
    """What a contender costs as a multiple of its baseline's cost; None where the two cannot be compared.

    Latencies are of a call with 1 and with 32 texts; of throughput more is better, of all others less.
    """

    train_seconds: float | None
    latency_1: float | None
    latency_32: float | None
    throughput: float | None
    peak_memory: float | None
    trainable_parameters: float | None


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One contender against its baseline on the same texts: how good, how sure, at what cost.

    Values, differences and margins are shares, so that 0.02 are two points; `difference` is `value` less
    `baseline_value`, each the mean of its seeds. `tasks` has one task, or those pooled: then `task` is "all",
    `split` and `fingerprint` are empty, values are means weighted by texts, and costs means over tasks.

    `only_this` and `only_baseline` count the texts that one alone got right, and `mid_p` goes with them: None
    with several seeds or another metric than accuracy. `p_value` is of no difference, `p_matches` of being
    worse by the margin or more, `p_within` of differing by it or more. `p_adjusted`, `p_matches` and
    `p_within` are adjusted for the rows of the same family (Holm 1979), each for itself, and decide the
    `verdicts`; without any, nothing is shown. `detectable_gap` is the smallest difference and
    `provable_margin` the smallest margin that as a rule (80 %) would have been shown in this family;
    1 where nothing would.

    `published` says whether the texts are those of the published data set, None where nothing tells.
    """

    task: str
    split: str
    fingerprint: str
    tasks: tuple[str, ...]
    data_source: str
    published: bool | None
    n: int
    name: str
    model: str
    mode: Mode
    baseline: str
    value: float
    baseline_value: float
    difference: float
    interval: tuple[float, float]
    method: Method
    seeds: tuple[int, ...]
    baseline_seeds: tuple[int, ...]
    only_this: int | None
    only_baseline: int | None
    p_value: float
    mid_p: float | None
    p_adjusted: float
    detectable_gap: float
    p_matches: float
    p_within: float
    provable_margin: float
    verdicts: tuple[Verdict, ...]
    alarms: tuple[str, ...]
    baseline_alarms: tuple[str, ...]
    cost: Cost
    baseline_cost: Cost
    ratios: Ratios

    @property
    def is_pooled(self) -> bool:
        """Say whether the row is of several tasks together."""
        return len(self.tasks) > 1
