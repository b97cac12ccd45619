"""Examples that went wrong, for a terminal: each with its text and what everybody answered, side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.padding import Padding
from rich.table import Column
from rich.table import Table as Grid
from rich.text import Text

from nlu_arena.mistakes.replies import Reply
from nlu_arena.mistakes.review import Review
from nlu_arena.spec import Example
from nlu_arena.views.figures import format_share
from nlu_arena.views.text import clean

INDENT = 2
# With more contenders than that an answer names them by their numbers in the table at the top.
NAMED = 8


def gallery_lines(review: Review) -> Iterator[Text | Padding | Grid]:
    """Return the listed examples one below the other, in their order."""
    labels = [clean(label) for label in review.round.labels]
    names = [clean(reply.contender.name) for reply in review.replies]
    if len(names) > NAMED:
        names = [f"[{number}]" for number, _ in enumerate(names, 1)]
    for place in review.listed:
        example = review.examples[place]
        wrong = sum(bool(reply.wrong[place]) for reply in review.replies)
        genre = f" \u00b7 {clean(example.genre)}" if example.genre else ""
        yield Text.assemble(
            (f"#{place}", "bold"),
            f" \u00b7 gold {labels[example.label]} \u00b7 {wrong} of {len(names)} wrong{genre}",
        )
        for text in _texts(example):
            yield Padding(text, (0, 0, 0, INDENT))
        grid = Grid.grid(Column(width=INDENT, justify="right"), Column(), padding=(0, 1, 0, 0))
        for sign, answers in _answers(review.replies, names, labels, example.label, place):
            grid.add_row(sign, answers)
        yield grid
        yield Text()


def _texts(example: Example) -> list[Text]:
    if example.pair is None:
        return [Text(clean(example.text).strip())]
    sides = {"premise": example.text, "hypothesis": example.pair}
    return [Text.assemble((f"{side}: ", "dim"), clean(text).strip()) for side, text in sides.items()]


def _answers(
    replies: Sequence[Reply], names: Sequence[str], labels: Sequence[str], gold: int, place: int
) -> Iterator[tuple[Text, Text]]:
    """Return a sign and a text for each label that was given: the gold one first, then the most frequent."""
    given: dict[int, list[str]] = {}
    for reply, name in zip(replies, names, strict=True):
        given.setdefault(int(reply.predicted[place]), []).append(f"{name} {_sureness(reply, place)}")
    for label in sorted(given, key=lambda label: (label != gold, -len(given[label]), label)):
        sign = Text("\u2713", "green") if label == gold else Text("\u2717", "red")
        yield sign, Text.assemble((labels[label], "bold"), f"  {', '.join(given[label])}")


def _sureness(reply: Reply, place: int) -> str:
    """Return the confidence of an answer, and how many seeds are wrong where they do not agree."""
    seeds = len(reply.contender.cells)
    wrong = round(float(reply.wrong_share[place]) * seeds)
    divided = f" ({wrong} of {seeds} seeds wrong)" if 0 < wrong < seeds else ""
    return f"{format_share(float(reply.confidence[place]))}{divided}"
