"""The same two on all their tasks together."""

from __future__ import annotations

from collections.abc import Sequence

from nlu_arena.comparing.rows import Pair, Pool


def pool(pairs: Sequence[Pair]) -> list[Pool]:
    """Return a pool for each contender that meets its baseline on two tasks or more.

    A task counts once, with its first split. Where the two met on several selections of its texts, the
    largest one stands for the task: they overlap as a rule, and no text may count twice.
    """
    found: dict[str, dict[str, Pair]] = {}
    for pair in pairs:
        if not pair.round.is_main:
            continue
        by_task = found.setdefault(pair.this.name, {})
        known = by_task.get(pair.round.task)
        if known is None or pair.round.n > known.round.n:
            by_task[pair.round.task] = pair
    return [Pool(tuple(by_task.values())) for by_task in found.values() if len(by_task) > 1]
