"""Everything that is known of the mistakes on the texts of a split, for screens and files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from nlu_arena.calibration import ReadColumns
from nlu_arena.contender import Round
from nlu_arena.errors import NothingToShowError, UsageError
from nlu_arena.metrics import wilson_interval
from nlu_arena.mistakes.occasions import Occasion
from nlu_arena.mistakes.replies import Reply, read_reply
from nlu_arena.mistakes.sets import SetName, absent_set, find_difference, find_sets
from nlu_arena.mistakes.slices import Slice, find_slices
from nlu_arena.naming import suggest
from nlu_arena.spec import Example

if TYPE_CHECKING:
    from numpy import bool_, float64, int64
    from numpy.typing import NDArray

DEFAULT_SET: SetName = "all-wrong"
# So many gold labels have a slice that people are shown: those with the most wrong answers.
LABELS_SHOWN = 12


class Question(NamedTuple):
    """What is asked: the set whose texts are listed, or who is wrong while who else is right; gold labels."""

    of_set: SetName = DEFAULT_SET
    only: str | None = None
    other: str | None = None
    labels: tuple[str, ...] = ()


class ErrorRate(NamedTuple):
    """The share of wrong answers, a mean over the seeds, of n texts, with its 95 % interval."""

    n: int
    share: float
    interval: tuple[float, float]


class SliceRates(NamedTuple):
    """A slice, and the error rate on it of each contender in their order."""

    slice: Slice
    n: int
    rates: tuple[ErrorRate, ...]


class Review(NamedTuple):
    """The mistakes on the texts of a split.

    Attributes:
        round: The texts and who has answered them.
        others: The rounds of the same split on other texts.
        examples: All examples of the split.
        counted: Which of them have one of the gold labels asked for [n]: only they are in what follows.
        replies: The answers to all texts in the order of the contenders; confusions of the counted ones.
        rates: The error rate of each contender.
        sets: How many texts each set has.
        question: Which of them are listed.
        listed: Their places, those on which the most are wrong first, then the surest.
        slices: The error rates on each slice.
    """

    round: Round
    others: tuple[Round, ...]
    examples: Sequence[Example]
    counted: NDArray[bool_]
    replies: tuple[Reply, ...]
    rates: tuple[ErrorRate, ...]
    sets: dict[SetName, int]
    question: Question
    listed: tuple[int, ...]
    slices: tuple[SliceRates, ...]

    @property
    def has_seeds(self) -> bool:
        """Say whether any contender has several seeds."""
        return any(len(reply.contender.cells) > 1 for reply in self.replies)


def review(
    occasion: Occasion, examples: Sequence[Example], question: Question, read_columns: ReadColumns
) -> Review:
    """Return what goes wrong on the texts of a split.

    Raises:
        UsageError: A label, or a contender of --only and --not, is none.
        NothingToShowError: No text has such a label, or the set needs contenders that are not there.
    """
    import numpy as np

    met, _ = occasion
    asked = _find_labels(met.labels, question.labels)
    question = question._replace(labels=_spell(met.labels, asked) if question.labels else ())
    counted = asked[[example.label for example in examples]]
    if not counted.any():
        named = ", ".join(question.labels)
        raise NothingToShowError(f"no text of {met.task} ({met.split}) has the gold label {named}")
    replies = tuple(_keep(read_reply(found, met, read_columns), asked) for found in met.contenders)
    sets = find_sets(replies)
    members = sets.get(question.of_set)
    if question.only is not None:
        members = find_difference(replies, question.only, question.other)
    if members is None:
        raise absent_set(question.of_set)
    shares = np.stack([reply.wrong_share for reply in replies])
    slices = [part._replace(members=part.members & counted) for part in find_slices(examples, met.labels)]
    return Review(
        round=met,
        others=occasion.others,
        examples=examples,
        counted=counted,
        replies=replies,
        rates=_measure(shares, counted),
        sets={name: int((flags & counted).sum()) for name, flags in sets.items()},
        question=question,
        listed=_sort(np.flatnonzero(members & counted), replies),
        slices=tuple(
            SliceRates(part, int(part.members.sum()), _measure(shares, part.members))
            for part in slices
            if part.members.any()
        ),
    )


def choose_slices(slices: Sequence[SliceRates]) -> list[SliceRates]:
    """Return the slices to show: of many gold labels those on which the most answers are wrong."""
    by_label = [part for part in slices if part.slice.kind == "label"]
    if len(by_label) > LABELS_SHOWN:
        by_label.sort(key=lambda part: -part.n * sum(rate.share for rate in part.rates))
    return [part for part in slices if part.slice.kind != "label"] + by_label[:LABELS_SHOWN]


def _find_labels(labels: Sequence[str], wanted: Sequence[str]) -> NDArray[bool_]:
    """Return which of the labels are wanted, all where none is named [labels]."""
    import numpy as np

    flags = np.full(len(labels), not wanted)
    for word in wanted:
        exact = [place for place, label in enumerate(labels) if label == word]
        found = exact or [place for place, label in enumerate(labels) if label.casefold() == word.casefold()]
        if not found:
            raise UsageError(f"there is no label {word!r}", suggest(word, labels))
        flags[found] = True
    return flags


def _spell(labels: Sequence[str], asked: NDArray[bool_]) -> tuple[str, ...]:
    """Return the labels that are wanted as they are spelled."""
    return tuple(label for label, is_asked in zip(labels, asked, strict=True) if is_asked)


def _keep(reply: Reply, asked: NDArray[bool_]) -> Reply:
    """Return a reply whose confusions are those of some gold labels; everything else stays."""
    return reply._replace(confusions=reply.confusions * asked[:, None])


def _measure(shares: NDArray[float64], members: NDArray[bool_]) -> tuple[ErrorRate, ...]:
    """Return the error rate of each contender on some texts, where there are any.

    The interval is as wide as that of one seed: asking the same texts again makes them no more texts.
    """
    n = int(members.sum())
    means = shares[:, members].mean(axis=1).tolist() if n else []
    return tuple(ErrorRate(n, mean, wilson_interval(mean * n, n)) for mean in means)


def _sort(places: NDArray[int64], replies: Sequence[Reply]) -> tuple[int, ...]:
    """Return the places in the order in which they are worth a look."""
    import numpy as np

    wrong = np.stack([reply.wrong[places] for reply in replies])
    confidence = np.stack([reply.confidence[places] for reply in replies])
    count = wrong.sum(axis=0)
    mean = (confidence * wrong).sum(axis=0) / np.maximum(count, 1)
    order = np.lexsort((places, -mean, -count))
    return tuple(places[order].tolist())
