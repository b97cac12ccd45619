"""Slices of a split: texts of one kind, on which a model may do worse than on the rest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from nlu_arena.mistakes.wording import find_words, has_negation, has_number, measure_overlap
from nlu_arena.spec import Example

if TYPE_CHECKING:
    from numpy import bool_
    from numpy.typing import ArrayLike, NDArray

    Members = NDArray[bool_]

SliceKind = Literal["length", "negation", "number", "overlap", "genre", "label"]

QUARTERS, THIRDS = 4, 3


class Slice(NamedTuple):
    """Texts of one kind; `members` says of each text of the split whether it belongs to them [n]."""

    kind: SliceKind
    name: str
    members: Members


def find_slices(examples: Sequence[Example], labels: Sequence[str]) -> list[Slice]:
    """Return the slices of a split, those of one kind side by side.

    Length is in words, of both texts of a pair, in quarters of the examples; English words and digits tell
    negation and numbers; overlap is the share of the hypothesis' words that the premise has, in thirds of
    the examples; genres where they are known; one for each gold label. Slices of one kind do not overlap. One
    that has no text, or all of them, is left out.

    Args:
        examples: All examples of the split in their order.
        labels: The names of the labels by id.
    """
    first = [find_words(example.text) for example in examples]
    second = [find_words(example.pair or "") for example in examples]
    is_pair = any(example.pair is not None for example in examples)
    slices = _split_by_length([len(a) + len(b) for a, b in zip(first, second, strict=True)])
    slices += _split_by_negation(first, second, is_pair)
    slices += _split_by_number([a + b for a, b in zip(first, second, strict=True)])
    if is_pair:
        slices += _split_by_overlap(list(map(measure_overlap, first, second)))
    slices += _split_by_value("genre", [example.genre for example in examples])
    slices += _split_by_value("label", [labels[example.label] for example in examples], labels)
    return [part for part in slices if 0 < part.members.sum() < len(examples)]


def _split_by_length(lengths: Sequence[int]) -> list[Slice]:
    def name(low: float, high: float) -> str:
        return f"{low:.0f} words" if low == high else f"{low:.0f}\u2013{high:.0f} words"

    return _split_evenly("length", lengths, QUARTERS, name)


def _split_by_overlap(shares: Sequence[float]) -> list[Slice]:
    def name(low: float, high: float) -> str:
        share = f"{100 * low:.0f}" if low == high else f"{100 * low:.0f}\u2013{100 * high:.0f}"
        return f"{share} % of the words"

    return _split_evenly("overlap", shares, THIRDS, name)


def _split_evenly(
    kind: SliceKind, values: Sequence[float], parts: int, name: Callable[[float, float], str]
) -> list[Slice]:
    """Return parts of about the same size; equal values stay together, so there may be fewer."""
    import numpy as np

    array = np.asarray(values, dtype=float)
    # A cut is a value that occurs: everything up to it goes below.
    shares = [place / parts for place in range(1, parts)]
    cuts = np.unique(np.quantile(array, shares, method="inverted_cdf"))
    places = np.searchsorted(cuts, array, side="left")
    slices = []
    for place in np.unique(places):
        members = places == place
        within = array[members]
        slices.append(Slice(kind, name(within.min(), within.max()), members))
    return slices


def _split_by_negation(first: Sequence[list[str]], second: Sequence[list[str]], is_pair: bool) -> list[Slice]:
    import numpy as np

    in_first, in_second = (np.array(list(map(has_negation, words)), dtype=bool) for words in (first, second))
    names: list[tuple[str, ArrayLike]] = [("with a negation", in_first)]
    if is_pair:
        # A negation in the hypothesis alone betrays the label of many a pair (Gururangan et al. 2018).
        names = [("in the hypothesis", in_second), ("in the premise only", in_first & ~in_second)]
    names.append(("no negation", ~(in_first | in_second)))
    return [Slice("negation", name, np.asarray(members)) for name, members in names]


def _split_by_number(words: Sequence[list[str]]) -> list[Slice]:
    import numpy as np

    members = np.array(list(map(has_number, words)), dtype=bool)
    return [Slice("number", "with a number", members), Slice("number", "no number", ~members)]


def _split_by_value(
    kind: SliceKind, values: Sequence[str | None], order: Sequence[str] | None = None
) -> list[Slice]:
    import numpy as np

    known = sorted({value for value in values if value is not None}) if order is None else order
    array = np.array(values, dtype=object)
    return [Slice(kind, value, np.asarray(array == value, dtype=bool)) for value in known]
