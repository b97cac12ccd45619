"""Which task of a ledger a person means, and which of its rounds stands for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from nlu_arena.contender import Round
from nlu_arena.errors import NothingToShowError
from nlu_arena.ledger.rows import Cell
from nlu_arena.naming import unknown_name

FIRST_RUNS = "Begin with: nlu-arena sweep --profile quick"


def find_task(
    wanted: str, finished: Sequence[Cell], unfinished: Sequence[Cell], registered: Mapping[str, str]
) -> str:
    """Return the name of a task that has finished runs.

    Args:
        wanted: A name or an alias, in any case of letters.
        finished: The experiments of the ledger that are done.
        unfinished: Those that are not.
        registered: The task of every name and alias that has a manifest.

    Raises:
        UsageError: There is no such task; the hint has the nearest names.
        NothingToShowError: There is one, and none of its runs is finished.
    """
    word = wanted.lower()
    name = registered.get(word, word)
    done, planned = ({cell.task for cell in cells} for cells in (finished, unfinished))
    if name in done:
        return name
    if name in planned:
        raise _not_finished(name, unfinished)
    if name not in registered.values():
        raise unknown_name("task", wanted, {*registered, *done, *planned})
    if not done:
        raise NothingToShowError("the ledger has no finished run yet", FIRST_RUNS)
    raise NothingToShowError(
        f"the ledger has no run of the task {name!r}, only of {', '.join(sorted(done))}",
        f"Make some: nlu-arena sweep --profile quick --task {name}",
    )


def choose_round(rounds: Sequence[Round]) -> Round:
    """Return the round that stands for a task; only those of the task's first split count."""
    return max((found for found in rounds if found.is_main), key=rank_round)


def rank_round(found: Round) -> tuple[bool, bool, int, int]:
    """Return by what one round of a split stands for it rather than another: higher ones do.

    A single contender leaves nothing to choose; published splits are what a task's name promises; more texts
    show smaller differences; of equal rounds it is the newest.
    """
    return len(found.contenders) > 1, is_published(found), found.n, _last_run(found)


def is_published(found: Round) -> bool:
    """Say whether all numbers of a round are known to come from the published splits."""
    return all(cell.is_published(found.split) for c in found.contenders for cell in c.cells)


def name_round(found: Round) -> str:
    """Name a round by its texts, where a task has several."""
    many = "" if len(found.contenders) == 1 else "s"
    texts = f"{found.n:,} texts of {found.data_source} data ({found.fingerprint[:6]})"
    return f"{len(found.contenders)} contender{many} on {texts}"


def _last_run(found: Round) -> int:
    return max(cell.run_id or 0 for contender in found.contenders for cell in contender.cells)


def _not_finished(name: str, unfinished: Sequence[Cell]) -> NothingToShowError:
    states = Counter(cell.state for cell in unfinished if cell.task == name)
    said = ", ".join(f"{count} {state}" for state, count in states.items())
    hint = "`nlu-arena status` says why, and which command goes on."
    if any(cell.state == "running" for cell in unfinished):
        hint = "`nlu-arena status --watch` follows the sweep."
    return NothingToShowError(f"no run of the task {name!r} is finished: {said}", hint)
