"""Which texts of a task are looked at, where runs have answered several choices of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from nlu_arena.contender import Round
from nlu_arena.errors import UsageError
from nlu_arena.naming import suggest


class Occasion(NamedTuple):
    """The round of a split that is looked at, and the rounds of the same split on other texts."""

    round: Round
    others: tuple[Round, ...]


def choose_occasions(rounds: Sequence[Round], split: str | None, texts: str | None) -> list[Occasion]:
    """Return what is looked at of a task: of each split the texts with the most runs, of equals the newest.

    Args:
        rounds: All rounds of the task, at least one.
        split: Only this split.
        texts: Only the texts whose fingerprint begins so.

    Raises:
        UsageError: There is no such split, or there are no such texts.
    """
    splits = list(dict.fromkeys(r.split for r in sorted(rounds, key=lambda r: not r.is_main)))
    if split is not None and split not in splits:
        raise UsageError(f"{rounds[0].task} has no split {split!r} in the ledger", suggest(split, splits))
    asked = [r for r in rounds if split in (None, r.split) and r.fingerprint.startswith(texts or "")]
    if not asked:
        known = ", ".join(f"{r.fingerprint[:8]} ({r.split}, {r.n} texts)" for r in rounds)
        raise UsageError(f"no run has answered texts {texts!r}", f"There are: {known}.")
    occasions = []
    for name in splits:
        if candidates := [r for r in asked if r.split == name]:
            chosen = max(candidates, key=_weigh)
            others = tuple(r for r in rounds if r.split == name and r is not chosen)
            occasions.append(Occasion(chosen, others))
    return occasions


def _weigh(candidate: Round) -> tuple[int, int]:
    """Return how many runs a round has, and its newest one."""
    runs = [cell.run_id or 0 for contender in candidate.contenders for cell in contender.cells]
    return len(runs), max(runs)
