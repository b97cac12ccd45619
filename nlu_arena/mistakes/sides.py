"""Contenders that a person names: by their own name, by model, or by model and mode."""

from __future__ import annotations

from collections.abc import Sequence

from nlu_arena.contender import Contender
from nlu_arena.errors import UsageError
from nlu_arena.naming import nearest
from nlu_arena.views.text import clean


def choose_contenders(wanted: str, contenders: Sequence[Contender]) -> list[Contender]:
    """Return the contenders that a word means: one's whole name, MODEL or MODEL:MODE, in any case of letters.

    A model may be named by an alias.

    Raises:
        UsageError: It means none of them; the hint has those that it may mean.
    """
    word = wanted.strip().casefold()
    by_name = [contender for contender in contenders if contender.name.casefold() == word]
    found = by_name or [contender for contender in contenders if word in _words(contender)]
    if not found:
        known = [f"{contender.model}:{contender.mode}" for contender in contenders]
        near = nearest(word, [*known, *(contender.model for contender in contenders)])
        valid = ", ".join(near or dict.fromkeys(known))
        said = f"Did you mean {valid}?" if near else f"There are: {valid}."
        raise UsageError(f"no run here is of {clean(wanted)!r}", said)
    return found


def _words(contender: Contender) -> set[str]:
    names = {contender.model, *contender.cells[0].aliases}
    return {word.casefold() for name in names for word in (name, f"{name}:{contender.mode}")}
