"""Names that people type: their form, the nearest valid ones, and the error for an unknown one."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from nlu_arena.errors import UsageError

NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
NAME_FORM = "small letters, digits, dots, dashes and underscores, beginning with a letter or digit"


def is_name(text: str) -> bool:
    """Say whether a text may name something: it is also safe as part of a file name."""
    return NAME.fullmatch(text) is not None


def nearest(word: str, known: Iterable[str]) -> list[str]:
    """Return up to three known words that look like the given one, the most similar first."""
    return difflib.get_close_matches(word.lower(), sorted(set(known)), n=3, cutoff=0.6)


def suggest(word: str, known: Iterable[str]) -> str:
    """Return "Did you mean ...?" for a wrong word, or the valid words where none is near."""
    words = sorted(set(known))
    close = nearest(word, words)
    if close:
        return f"Did you mean {' or '.join(close)}?"
    return f"Valid here: {', '.join(words)}." if words else ""


def unknown_name(kind: str, name: str, known: Iterable[str]) -> UsageError:
    """Return the error for a name that is not in the registry.

    Args:
        kind: "model", "task", "mode" or "profile".
        name: What was asked for.
        known: Every valid name and alias.
    """
    listing = f"`nlu-arena list {kind}s` shows them all."
    return UsageError(f"there is no {kind} {name!r}", f"{suggest(name, known)} {listing}".strip())
