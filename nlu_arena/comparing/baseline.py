"""What all others are compared with: one model, used in one mode."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from nlu_arena.comparing.suggestion import SMALLEST, name_run
from nlu_arena.contender import Contender, Round
from nlu_arena.errors import NothingToShowError, UsageError
from nlu_arena.ledger.rows import Cell
from nlu_arena.naming import nearest
from nlu_arena.registry import find_mode, load_registry
from nlu_arena.spec import MODES_OF_FAMILY, Family, Mode

# The usual yardstick, where a ledger has none.
USUAL: tuple[str, Mode] = ("bert-base", "fine-tune")


class Baseline(NamedTuple):
    """A model and a mode; in each round one of its settings stands for it."""

    model: str
    mode: Mode

    def find(self, found: Round) -> Contender | None:
        """Return the setting with the task's own prompt, the most labelled examples, the newest, if any.

        The questions of a report choose the same.
        """
        settings = [c for c in found.contenders if (c.model, c.mode) == self]
        return max(settings, key=_rank, default=None)


def choose_baseline(cells: Sequence[Cell], wanted: str = "") -> Baseline:
    """Return the baseline that a name stands for, without a name the first fine-tuned encoder.

    Args:
        cells: What is done, oldest first; at least one.
        wanted: A model's name or alias in any case of letters, or that and a mode: "bert:lora". Without a
            mode its fine-tuning counts, else its only mode.

    Raises:
        UsageError: There is no such mode, the model cannot do it, or it has several and none is fine-tuning.
        NothingToShowError: Nothing of that name is done.
    """
    if not wanted:
        return _find_default(cells)
    name, has_mode, mode_name = wanted.partition(":")
    mode = find_mode(mode_name) if has_mode else None
    mine = [cell for cell in cells if name.lower() in _names(cell)]
    if not mine:
        raise _never_ran(cells, name, mode or USUAL[1])
    model, modes = mine[0].model, list(dict.fromkeys(cell.mode for cell in mine))
    if mode is None:
        mode = "fine-tune" if "fine-tune" in modes else modes[0]
        if len(modes) > 1 and mode != "fine-tune":
            choices = " or ".join(f"--vs {model}:{mode}" for mode in modes)
            raise UsageError(f"{model} ran in several modes, none of them fine-tune", f"Choose: {choices}.")
    if mode not in modes:
        _check_mode(model, mine[0].family, mode)
        raise NothingToShowError(
            f"no run of {model} in mode {mode} is finished",
            f"Its finished modes: {', '.join(modes)}. To make one: {name_run(model, mode, mine[0])}",
        )
    return Baseline(model, mode)


def _find_default(cells: Sequence[Cell]) -> Baseline:
    for cell in cells:
        if cell.family == "encoder" and cell.mode == "fine-tune":
            return Baseline(cell.model, cell.mode)
    known = ", ".join(dict.fromkeys(f"{cell.model}:{cell.mode}" for cell in cells))
    # Who has made everything from packages may have no hub.
    usual = SMALLEST["encoder"] if all(cell.weights_source == "wheel" for cell in cells) else USUAL
    raise NothingToShowError(
        "no fine-tuned encoder is finished that the others could be compared with",
        f"--vs takes another baseline: {known}. To make one: {name_run(*usual, cells[0])}",
    )


def _never_ran(cells: Sequence[Cell], name: str, mode: Mode) -> NothingToShowError:
    """Return the error for a model of which nothing is done, whether it is one or a wrong word."""
    close = nearest(name, (name for cell in cells for name in _names(cell)))
    meant = f"Did you mean {' or '.join(close)}? " if close else ""
    ran = ", ".join(dict.fromkeys(cell.model for cell in cells))
    try:
        model = load_registry().model(name)
    except UsageError:
        other = "`nlu-arena list models` shows what can be run."
    else:
        _check_mode(model.name, model.family, mode)
        other = f"To make one: {name_run(model.name, mode, cells[0])}"
    return NothingToShowError(f"no run of {name!r} is finished", f"{meant}Finished: {ran}. {other}")


def _check_mode(model: str, family: Family, mode: Mode) -> None:
    """Refuse a mode that a model of this family cannot do."""
    able = MODES_OF_FAMILY[family]
    if mode not in able:
        raise UsageError(f"the {family} {model} cannot do {mode}", f"It can do {', '.join(able)}.")


def _names(cell: Cell) -> set[str]:
    return {name.lower() for name in (cell.model, *cell.aliases)}


def _rank(contender: Contender) -> tuple[bool, int, int]:
    cells = contender.cells
    rows, run = max(cell.train_rows or 0 for cell in cells), max(cell.run_id or 0 for cell in cells)
    return not cells[0].template, rows, run
