"""What is worth its cost on a task: the front of accuracy, latency, memory and training time."""

from __future__ import annotations

import math

from nlu_arena.comparing import Pair, compare_pairs
from nlu_arena.contender import Contender, Round
from nlu_arena.efficiency import find_front
from nlu_arena.findings.majority import find_strong
from nlu_arena.findings.records import MARGIN, Front, FrontPoint
from nlu_arena.findings.scene import Scene
from nlu_arena.limits import find_needs
from nlu_arena.statistics import holm


def draw_front(scene: Scene, found: Round) -> Front | None:
    """Return the front of a round on the device that most of it ran on, None where nothing was timed.

    An approach is a model and a mode: two settings of one are no trade-off.
    """
    timed = [contender for contender in scene.find_all(found) if contender.cost.call_ms]
    if not timed:
        return None
    devices = [contender.cost.device for contender in timed]
    device = max(dict.fromkeys(devices), key=devices.count)
    here = [contender for contender in timed if contender.cost.device == device]
    strong = find_strong(here, found)
    on_front = find_front([_place(contender) for contender in strong])
    ranked = sorted(zip(strong, on_front, strict=True), key=lambda item: -item[0].accuracy)
    members = [contender for contender, is_member in ranked if is_member]
    fastest = min(members, key=lambda c: c.cost.call_ms.get(1, math.inf), default=None)
    gap, interval, p_value = _test_gap(members, fastest, len(here), found)
    return Front(
        task=found.task,
        split=found.split,
        n=found.n,
        device=device,
        majority=found.majority,
        points=tuple(_make_point(contender, is_member) for contender, is_member in ranked),
        fastest=None if fastest is None else fastest.name,
        gap=gap,
        gap_interval=interval,
        gap_p=p_value,
        weak=tuple(contender.name for contender in here if contender not in strong),
        elsewhere=tuple(contender.name for contender in timed if contender not in here),
    )


def _place(contender: Contender) -> tuple[float, ...]:
    costs = find_needs(contender).costs
    return (contender.accuracy, *(math.inf if cost is None else float(cost) for cost in costs))


def _test_gap(
    members: list[Contender], fastest: Contender | None, count: int, found: Round
) -> tuple[float | None, tuple[float, float] | None, float | None]:
    """Test the most accurate of a front against the fastest; the same texts chose both out of all pairs."""
    if fastest is None or members[0] is fastest:
        return None, None, None
    (row,) = compare_pairs([Pair(members[0], fastest, found)], margin=MARGIN)
    (adjusted,) = holm([row.p_value], math.comb(count, 2))
    return row.difference, row.interval, adjusted


def _make_point(contender: Contender, is_member: bool) -> FrontPoint:
    needs = find_needs(contender)
    return FrontPoint(
        name=contender.name,
        accuracy=contender.accuracy,
        latency_ms=needs.latency_ms,
        memory_bytes=needs.memory_bytes,
        train_seconds=needs.train_seconds,
        cost=contender.cost,
        on_front=is_member,
    )
