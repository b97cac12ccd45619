"""Label names become label words: what a language model is asked to answer."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from nlu_arena.errors import UsageError
from nlu_arena.views.text import clean

NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?")
# "paymentFailed", "HTTPError": where a new word begins without a space.
CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
JOINTS = re.compile(r"[_\-\s]+")


def derive_words(labels: Sequence[str]) -> dict[str, str]:
    """Return a word or a few for each label name: "top_up-failed" and "TopUpFailed" become "top up failed".

    Numbers stay as they are, and so do names of signs alone. Names that would become the same keep their
    capitals, or their own form. Control characters and direction marks are no part of a word.

    Raises:
        UsageError: A name has nothing else, or two differ in nothing else.
    """
    steps = dict.fromkeys(labels, 0)
    while True:
        words = {label: FORMS[step](label) for label, step in steps.items()}
        counts = Counter(words.values())
        equal = [label for label, word in words.items() if counts[word] > 1]
        movable = [label for label in equal if steps[label] + 1 < len(FORMS)]
        if not movable:
            _check_visible(words, equal)
            return words
        steps |= {label: steps[label] + 1 for label in movable}


def _check_visible(words: Mapping[str, str], equal: Sequence[str]) -> None:
    """Refuse words that show nothing, or not what tells them apart."""
    blank = next((label for label, word in words.items() if not word), None)
    if blank is not None:
        raise UsageError(
            f"the label {blank!r} has nothing but control characters: no model could answer it",
            "Give the label a name in the file.",
        )
    if equal:
        raise UsageError(
            f"the labels {', '.join(map(repr, equal[:2]))} differ in control characters or spaces only",
            "Make them one label in the file, or give them different names.",
        )


def _keep(label: str) -> str:
    return clean(label).strip()


def _space(label: str) -> str:
    shown = _keep(label)
    if NUMBER.fullmatch(shown):
        return shown
    # Of "--" nothing but the name itself is left.
    return JOINTS.sub(" ", CAMEL.sub(" ", shown)).strip() or shown


# Each keeps more of the name than the one before; the last keeps different names different.
FORMS: tuple[Callable[[str], str], ...] = (lambda label: _space(label).lower(), _space, _keep)
