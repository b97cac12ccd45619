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
        raise _not_finished(name, [cell for cell in unfinished if cell.task == name])
    if name not in registered.values():
        raise unknown_name("task", wanted, {*registered, *done, *planned})
    if not done:
        raise NothingToShowError("the ledger has no finished run yet", FIRST_RUNS)
    raise NothingToShowError(
        f"the ledger has no run of the task {name!r}, only of {', '.join(sorted(done))}",
        f"Make some: nlu-arena sweep --profile quick --task {name}",
    )


def choose_round(rounds: Sequence[Round]) -> Round:
    """Return the round that stands for a task: of those with a choice the one with the most texts.

    More texts show smaller differences; a single contender leaves nothing to choose. Of equal rounds it is
    the newest. Only those of the task's first split count.
    """
    main = [found for found in rounds if found.is_main]
    return max(main, key=lambda found: (len(found.contenders) > 1, found.n, _last_run(found)))


def name_round(found: Round) -> str:
    """Name a round by its texts, where a task has several."""
    many = "" if len(found.contenders) == 1 else "s"
    texts = f"{found.n:,} texts of {found.data_source} data ({found.fingerprint[:6]})"
    return f"{len(found.contenders)} contender{many} on {texts}"


def _last_run(found: Round) -> int:
    return max(cell.run_id or 0 for contender in found.contenders for cell in contender.cells)


def _not_finished(name: str, cells: Sequence[Cell]) -> NothingToShowError:
    states = Counter(cell.state for cell in cells)
    said = ", ".join(f"{count} {state}" for state, count in states.items())
    hint = "`nlu-arena status` says why, and which command goes on."
    if states["running"]:
        hint = "`nlu-arena status --watch` follows it."
    return NothingToShowError(f"no run of the task {name!r} is finished: {said}", hint)
