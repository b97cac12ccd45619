"""The rows of the errors view: what was taken for what, and the texts, each in one line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from rich.cells import cell_len
from rich.text import Text

from nlu_arena.mistakes.replies import Reply
from nlu_arena.mistakes.review import Review
from nlu_arena.tui.fitting import cut_middle, fill
from nlu_arena.views.columns import shorten
from nlu_arena.views.gallery import NAMED
from nlu_arena.views.text import clean

if TYPE_CHECKING:
    from nlu_arena.mistakes.slices import Members

# So many of a contender's confusions are rows of their own.
CONFUSIONS_SHOWN = 8
LABEL_WIDTH = 10
# No row of a screen is longer; a text may be as long as it likes.
ROW_CHARACTERS = 1000
# More of a text takes too long to fold for a key to answer at once.
TEXT_CHARACTERS = 10_000


class Confusion(NamedTuple):
    """How many texts a contender is wrong on: all (`reply` None: anybody), or those of one confusion."""

    texts: int
    reply: int | None = None
    gold: int | None = None
    predicted: int | None = None


def count_confusions(review: Review, members: Members) -> list[Confusion]:
    """Return what some texts are taken for: everybody together, then each contender and its confusions.

    Each text counts once for a contender: several seeds have the label that most of them gave. So a count is
    that of the texts which `find_texts` gives.
    """
    import numpy as np

    labels = len(review.round.labels)
    gold = np.array([example.label for example in review.examples])
    rows = [Confusion(int(members.sum()))]
    for place, reply in enumerate(review.replies):
        wrong = reply.wrong & members
        counts = np.bincount(gold[wrong] * labels + reply.predicted[wrong], minlength=labels * labels)
        rows.append(Confusion(int(wrong.sum()), place))
        for pair in np.argsort(-counts, kind="stable")[:CONFUSIONS_SHOWN].tolist():
            if counts[pair]:
                rows.append(Confusion(int(counts[pair]), place, *divmod(pair, labels)))
    return rows


def find_texts(review: Review, members: Members, row: Confusion) -> list[int]:
    """Return the places of the texts that a row counts, those on which the most are wrong first."""
    listed = [place for place in review.listed if members[place]]
    if row.reply is None:
        return listed
    reply, examples = review.replies[row.reply], review.examples
    listed = [place for place in listed if reply.wrong[place]]
    if row.gold is None:
        return listed
    return [
        place
        for place in listed
        if examples[place].label == row.gold and reply.predicted[place] == row.predicted
    ]


def name_contender(reply: Reply, number: int, count: int) -> str:
    """Return a contender's name, with the number by which the answers name it where there are many."""
    name = clean(reply.contender.name)
    return f"[{number}] {name}" if count > NAMED else name


def say_confusion(row: Confusion, review: Review) -> str:
    """Say whose mistakes a row counts, and which; empty for all."""
    if row.reply is None:
        return ""
    name = name_contender(review.replies[row.reply], row.reply + 1, len(review.replies))
    if row.gold is None or row.predicted is None:
        return f"{name} is wrong"
    labels = review.round.labels
    return f"{name}: {clean(labels[row.gold])} → {clean(labels[row.predicted])}"


def draw_confusion(row: Confusion, review: Review, width: int) -> Text:
    """Return a row of the confusions."""
    figure = f"{row.texts:,}"
    room = max(1, width - len(figure) - 1)
    if row.reply is None:
        return Text.assemble((fill("all of these texts", room), "bold"), f" {figure}")
    if row.gold is None or row.predicted is None:
        name = name_contender(review.replies[row.reply], row.reply + 1, len(review.replies))
        return Text.assemble((fill(name, room), "bold"), f" {figure}")
    labels = review.round.labels
    half = max(1, (room - len("  ") - len(" → ")) // 2)
    words = " → ".join(shorten(clean(labels[label]), half) for label in (row.gold, row.predicted))
    return Text(f"{fill(f'  {words}', room)} {figure}")


def draw_example(review: Review, place: int, width: int) -> Text:
    """Return a text in one line: its number, its gold label, how many are wrong, and how it begins."""
    example = review.examples[place]
    wrong = sum(bool(reply.wrong[place]) for reply in review.replies)
    digits, n = len(str(len(review.examples) - 1)), len(review.replies)
    gold = fill(clean(review.round.labels[example.label]), _label_width(review))
    head = f"#{place:<{digits}} {wrong:>{len(str(n))}}/{n} "
    texts = " | ".join(clean(text[:ROW_CHARACTERS]).strip() for text in _texts(review, place))
    line = Text.assemble((head, "dim"), gold, " ", texts, no_wrap=True)
    line.truncate(width, overflow="ellipsis")
    return line


def open_text(review: Review, place: int) -> Review:
    """Return a review that lists one text only; a very long one is cut, and says so."""
    examples = list(review.examples)
    example = examples[place]
    pair = None if example.pair is None else _cut(example.pair)
    examples[place] = msgspec.structs.replace(example, text=_cut(example.text), pair=pair)
    return review._replace(listed=(place,), examples=examples)


def _cut(text: str) -> str:
    more = len(text) - TEXT_CHARACTERS
    return text if more <= 0 else f"{text[:TEXT_CHARACTERS]}… and {more:,} more characters"


def _label_width(review: Review) -> int:
    return min(LABEL_WIDTH, max(cell_len(clean(label)) for label in review.round.labels))


def _texts(review: Review, place: int) -> Iterator[str]:
    example = review.examples[place]
    yield example.text
    if example.pair is not None:
        yield example.pair


def cut_names(names: Sequence[str], width: int) -> str:
    """Return names joined by points in a width."""
    return cut_middle(" · ".join(filter(None, names)), width)
