"""Sets of texts by who is wrong on them, and those whose gold label is likely to be the mistake."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, get_args

from nlu_arena.alarms import BELOW_MAJORITY, ONE_LABEL
from nlu_arena.contender import Contender
from nlu_arena.errors import NothingToShowError, UsageError
from nlu_arena.mistakes.replies import Reply
from nlu_arena.mistakes.sides import choose_contenders

if TYPE_CHECKING:
    from nlu_arena.mistakes.slices import Members

SetName = Literal["all-wrong", "llms-wrong", "encoders-wrong", "any-wrong", "suspects"]
SET_NAMES: tuple[SetName, ...] = get_args(SetName)

# How sure everybody must be of another label, so that the gold label is doubted.
SURE = 0.9
# Whoever gives one label throughout, or does worse than that would, is no witness against a gold label.
UNRELIABLE = frozenset({ONE_LABEL, BELOW_MAJORITY})


def find_sets(replies: Sequence[Reply]) -> dict[SetName, Members]:
    """Return the texts of each set as flags [n]; a set that needs contenders that are not there is left out.

    In "llms-wrong" all LLMs are wrong and all encoders right, in "encoders-wrong" it is the other way round.
    """
    import numpy as np

    wrong = np.stack([reply.wrong for reply in replies])
    encodes = np.array([reply.contender.is_encoder for reply in replies])
    sets: dict[SetName, Members] = {"all-wrong": np.all(wrong, axis=0)}
    if 0 < encodes.sum() < len(replies):
        llms, encoders = wrong[~encodes], wrong[encodes]
        sets["llms-wrong"] = llms.all(axis=0) & ~encoders.any(axis=0)
        sets["encoders-wrong"] = encoders.all(axis=0) & ~llms.any(axis=0)
    sets["any-wrong"] = np.any(wrong, axis=0)
    witnesses = [reply for reply in replies if not UNRELIABLE & set(reply.contender.alarms)]
    if {reply.contender.is_encoder for reply in witnesses} == {True, False}:
        sets["suspects"] = find_suspects(witnesses)
    return sets


def find_suspects(witnesses: Sequence[Reply]) -> Members:
    """Return on which texts all agree on one label that is not the gold one, each with 0.9 or more [n]."""
    import numpy as np

    first = witnesses[0]
    agreed = np.stack([w.predicted == first.predicted for w in witnesses]).all(axis=0)
    sure = np.stack([w.confidence >= SURE for w in witnesses]).all(axis=0)
    return np.asarray(first.wrong & agreed & sure)


def find_difference(replies: Sequence[Reply], only: str, other: str | None) -> Members:
    """Return on which texts the contenders of `only` are all wrong and those of `other` all right [n].

    Without `other` those are everybody else.

    Raises:
        UsageError: A word means no contender, both mean the same, or nobody else is there.
    """
    import numpy as np

    contenders = [reply.contender for reply in replies]
    losers = choose_contenders(only, contenders)
    winners = _others(contenders, losers) if other is None else choose_contenders(other, contenders)
    if shared := [contender.name for contender in losers if contender in winners]:
        raise UsageError(
            f"{shared[0]} cannot be wrong and right: both --only and --not mean it",
            "Name one contender by its whole name, or a model and mode as in MODEL:MODE.",
        )
    if not winners:
        raise UsageError(f"nobody but {only} has answered these texts", "Leave --only out.")
    wrong = {reply.contender.name: reply.wrong for reply in replies}
    lost = np.stack([wrong[contender.name] for contender in losers]).all(axis=0)
    won = ~np.stack([wrong[contender.name] for contender in winners]).any(axis=0)
    return np.asarray(lost & won)


def _others(contenders: Sequence[Contender], those: Sequence[Contender]) -> list[Contender]:
    return [contender for contender in contenders if contender not in those]


def absent_set(name: SetName) -> NothingToShowError:
    """Return the error for a set that needs contenders which are not there."""
    needs = "an encoder and an LLM that have answered the same texts"
    if name == "suspects":
        needs += ", without an alarm"
    return NothingToShowError(f"the set {name} needs {needs}", "`nlu-arena list models` shows both kinds.")
