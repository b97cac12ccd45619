"""What the compare view shows, compared and drawn on a thread."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rich.text import Text
from textual.strip import Strip

from nlu_arena.comparing import Comparison, Order, Wish, compare
from nlu_arena.errors import ArenaError
from nlu_arena.ledger.queries import Reader
from nlu_arena.ledger.rows import Cell
from nlu_arena.tui.scrolling import draw_lines
from nlu_arena.views.commands import name_folder
from nlu_arena.views.compare import CompareView as ComparisonPage
from nlu_arena.views.text import clean


class Asked(NamedTuple):
    """What is compared, and how wide it is drawn; an empty baseline is the usual one."""

    results: int
    marked: frozenset[str]
    baseline: str
    order: Order
    width: int


class Answered(NamedTuple):
    """The lines of the page, whether they are a comparison, what was the baseline and what else could be."""

    strips: Sequence[Strip]
    has_rows: bool
    baseline: str
    choices: Sequence[str]


class Comparer:
    """Compares what is in a ledger and keeps the last comparison. For one thread at a time."""

    def __init__(self) -> None:
        self._known: tuple[Asked, Comparison | ArenaError, Sequence[str]] | None = None

    def answer(self, reader: Reader, asked: Asked, *, here: str, ascii: bool) -> Answered:
        """Return the page of a comparison, or one that says why there is none.

        Args:
            reader: The ledger; not asked when only the width is another.
            asked: What is compared.
            here: The results folder as commands must name it, empty where it is the usual one.
            ascii: Draw no signs beyond ASCII.
        """
        if self._known is None or self._known[0]._replace(width=asked.width) != asked:
            self._known = (asked, *_compare(reader, asked))
        _, found, choices = self._known
        if isinstance(found, ArenaError):
            told = (found.message, name_folder(found.hint, here))
            page = Text("\n\n").join(Text(clean(part)) for part in told if part)
            return Answered(draw_lines(page, asked.width, ascii=ascii), False, asked.baseline, choices)
        strips = draw_lines(ComparisonPage(found), asked.width, ascii=ascii)
        return Answered(strips, True, f"{found.model}:{found.mode}", choices)


def _compare(reader: Reader, asked: Asked) -> tuple[Comparison | ArenaError, Sequence[str]]:
    """Return the comparison of `nlu-arena compare`, or what it would say, and all possible baselines."""
    finished, unfinished = reader.finished(), reader.unfinished()
    choices = tuple(dict.fromkeys(f"{cell.model}:{cell.mode}" for cell in finished))
    baseline = asked.baseline or _first_encoder(finished, asked.marked)
    wish = Wish(baseline=baseline, order=asked.order, keys=asked.marked)
    try:
        return compare(finished, unfinished, reader.labels, wish), choices
    except ArenaError as error:
        return error, choices


def _first_encoder(finished: Iterable[Cell], marked: frozenset[str]) -> str:
    """Return the first fine-tuned encoder among the marked runs, empty where there is none."""
    for cell in finished:
        if cell.key in marked and cell.family == "encoder" and cell.mode == "fine-tune":
            return f"{cell.model}:{cell.mode}"
    return ""
