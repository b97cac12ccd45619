"""Text in pictures: only what the font has, and no longer than there is room for."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from nlu_arena.views.text import clean

LONGEST_LABEL = 24


def letter_labels(labels: Sequence[str]) -> list[str]:
    """Return the labels as a picture can show them, each another.

    What the font lacks is left out; such a label, and one that is no different from another when it is
    shortened, begins with its place among the labels: #0 is the first.
    """
    cleaned = [clean(label).strip() for label in labels]
    shown = ["".join(filter(is_drawable, label)).strip() for label in cleaned]
    short = [shorten(label, LONGEST_LABEL) for label in shown]
    return [
        label
        if label and shown[place] == cleaned[place] and short.count(label) == 1
        else shorten(f"#{place} {shown[place]}".strip(), LONGEST_LABEL)
        for place, label in enumerate(short)
    ]


def letter_text(text: str, longest: int) -> str:
    """Return a text as a picture can show it: what the font lacks as escaped code points."""
    return shorten("".join(c if is_drawable(c) else _escape(c) for c in clean(text)), longest)


def shorten(text: str, longest: int) -> str:
    """Return a text of at most so many characters: what is too much is left out of its middle."""
    if len(text) <= longest:
        return text
    tail = (longest - 1) // 2
    return f"{text[: longest - 1 - tail]}\u2026{text[-tail:]}"


def is_drawable(character: str) -> bool:
    """Say whether the font of pictures has a character, upright and bold."""
    return character == " " or ord(character) in _glyphs()


@functools.cache
def _glyphs() -> frozenset[int]:
    from matplotlib.font_manager import FontProperties, findfont, get_font

    fonts = (get_font(findfont(FontProperties(weight=weight))) for weight in ("normal", "bold"))
    return frozenset.intersection(*(frozenset(font.get_charmap()) for font in fonts))


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode()
