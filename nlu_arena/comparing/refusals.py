"""What cannot be compared, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence

from nlu_arena.comparing.baseline import Baseline
from nlu_arena.comparing.suggestion import name_other_run
from nlu_arena.errors import NothingToShowError, UsageError
from nlu_arena.ledger.rows import Cell
from nlu_arena.naming import suggest

FIRST_COMMAND = "Begin with: nlu-arena sweep --profile quick"


def check_names(cells: Sequence[Cell], tasks: Sequence[str], modes: Sequence[str]) -> None:
    """Refuse a task or a mode of which the ledger has nothing; an empty ledger has another fault.

    Raises:
        UsageError: There is none of that name; the hint has those that there are.
    """
    known = {"task": {cell.task for cell in cells}, "mode": {str(cell.mode) for cell in cells}}
    for kind, names in (("task", tasks), ("mode", modes)):
        for name in names:
            if cells and name not in known[kind]:
                listing = f"The ledger has: {', '.join(sorted(known[kind]))}."
                meant = suggest(name, known[kind])
                hint = f"{meant} {listing}" if meant.startswith("Did") else listing
                raise UsageError(f"the ledger has no {kind} {name!r}", hint)


def nothing_done(unfinished: Sequence[Cell], tasks: Sequence[str]) -> NothingToShowError:
    """Return the error for tasks on which no run is finished; `unfinished` are theirs."""
    where = f" on {', '.join(tasks)}" if tasks else ""
    return NothingToShowError(
        f"no run{where} is finished yet", _go_on(unfinished) if unfinished else FIRST_COMMAND
    )


def nothing_common(
    finished: Sequence[Cell], unfinished: Sequence[Cell], baseline: Baseline, modes: Sequence[str]
) -> NothingToShowError:
    """Return the error for a baseline that is alone on its texts, or among the modes that are asked for.

    Where a sweep has such experiments still to do, the hint is how it goes on.
    """
    mine = [cell for cell in finished if (cell.model, cell.mode) == baseline]

    def is_other(cell: Cell) -> bool:
        return (cell.model, cell.mode) != baseline and (not modes or cell.mode in modes)

    others = dict.fromkeys(f"{cell.model} {cell.mode}" for cell in finished if is_other(cell))
    name = f"{baseline.model} {baseline.mode}"
    if others:
        message = f"{', '.join(others)}: none has answered the same texts as {name}"
    elif modes:
        message = f"nothing in mode {' or '.join(modes)} is finished that {name} could be compared with"
    else:
        message = f"nothing but {name} is finished: there is nothing to compare it with"
    if any(map(is_other, unfinished)):
        return NothingToShowError(message, _go_on(unfinished))
    return NothingToShowError(message, f"Give something the same texts: {name_other_run(mine[-1], modes)}")


def _go_on(unfinished: Sequence[Cell]) -> str:
    """Return the hint for experiments that are still to be done."""
    if any(cell.state == "running" for cell in unfinished):
        return "`nlu-arena status --watch` follows what is running."
    return "`nlu-arena status` says how to go on."
