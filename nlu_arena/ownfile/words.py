"""Label names become label words: what a language model is asked to answer."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence

from nlu_arena.errors import UsageError

NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?")
# "paymentFailed", "HTTPError": where a new word begins without a space.
CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
JOINTS = re.compile(r"[_\-\s]+")


def derive_words(labels: Sequence[str]) -> dict[str, str]:
    """Return a word or a few for each label name: "top_up-failed" and "TopUpFailed" become "top up failed".

    Numbers stay as they are. Names that would become the same keep their capitals, or their own form.

    Raises:
        UsageError: A name has no letter or digit.
    """
    blank = next((label for label in labels if not any(map(str.isalnum, label))), None)
    if blank is not None:
        raise UsageError(
            f"the label {blank!r} has neither a letter nor a digit: no model could answer it",
            "Give the label a name in the file.",
        )
    steps = dict.fromkeys(labels, 0)
    while True:
        words = {label: FORMS[step](label) for label, step in steps.items()}
        counts = Counter(words.values())
        equal = [label for label, word in words.items() if counts[word] > 1 and steps[label] + 1 < len(FORMS)]
        if not equal:
            return words
        steps |= {label: steps[label] + 1 for label in equal}


def _space(label: str) -> str:
    if NUMBER.fullmatch(label):
        return label
    return JOINTS.sub(" ", CAMEL.sub(" ", label)).strip()


# Each keeps more of the name than the one before; the last keeps different names different.
FORMS: tuple[Callable[[str], str], ...] = (lambda label: _space(label).lower(), _space, lambda label: label)
