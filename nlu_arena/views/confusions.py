"""Confusion matrices for a terminal, side by side; of many labels the most frequent confusions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.text import Text

from nlu_arena.mistakes.replies import Reply
from nlu_arena.mistakes.review import Review
from nlu_arena.views.columns import align, fill_rows, shorten, wrap_words
from nlu_arena.views.text import clean

GAP, BETWEEN = 2, 4
# The widest label of a matrix's side and head, and the most labels that a matrix shows.
SIDE, HEAD, MATRIX_LABELS = 20, 10, 8
CONFUSIONS_SHOWN = 8


def confusion_lines(review: Review, width: int) -> Iterator[Text]:
    """Return what each contender takes for what."""
    labels = [clean(label) for label in review.round.labels]
    seeds = ", the answers of all seeds" if review.has_seeds else ""
    if len(labels) <= MATRIX_LABELS:
        blocks = [_draw_matrix(reply, labels) for reply in review.replies]
        widths = [max(map(cell_len, block)) for block in blocks]
        if max(widths) <= width:
            yield Text(f"confusions: gold label down, predicted label across{seeds}", style="bold")
            yield from _flow(blocks, widths, width)
            return
    yield Text(f"most frequent confusions: gold \u2192 predicted{seeds}; --json has all", style="bold")
    for reply in review.replies:
        yield Text(clean(reply.contender.name))
        yield from _most_frequent(reply, labels, width)


def _draw_matrix(reply: Reply, labels: Sequence[str]) -> list[str]:
    counts = [[f"{n:,}" for n in row] for row in reply.confusions.tolist()]
    side = [shorten(label, SIDE) for label in labels]
    heads = [shorten(label, HEAD) for label in labels]
    widths = [max(map(cell_len, [head, *(row[place] for row in counts)])) for place, head in enumerate(heads)]
    rows = [("", heads), *zip(side, counts, strict=True)]
    first = max(map(cell_len, side))
    lines = [
        (" " * GAP).join(
            [align(lead, first), *(align(t, w, right=True) for t, w in zip(texts, widths, strict=True))]
        )
        for lead, texts in rows
    ]
    return [*wrap_words(clean(reply.contender.name), max(map(cell_len, lines))), *lines]


def _flow(blocks: Sequence[Sequence[str]], widths: Sequence[int], width: int) -> Iterator[Text]:
    """Return blocks side by side, their last lines on one level."""
    for row in fill_rows(widths, width, BETWEEN):
        height = max(len(blocks[place]) for place in row)
        raised = {place: [""] * (height - len(blocks[place])) + list(blocks[place]) for place in row}
        for level in range(height):
            line = (" " * BETWEEN).join(align(raised[place][level], widths[place]) for place in row)
            yield Text(line.rstrip(), no_wrap=True)
        yield Text()


def _most_frequent(reply: Reply, labels: Sequence[str], width: int) -> Iterator[Text]:
    import numpy as np

    counts = reply.confusions.copy()
    totals = counts.sum(axis=1)
    np.fill_diagonal(counts, 0)
    order = np.argsort(-counts, axis=None, kind="stable")[:CONFUSIONS_SHOWN]
    pairs = [divmod(place, len(labels)) for place in order.tolist()]
    shown = [(gold, predicted) for gold, predicted in pairs if counts[gold, predicted]]
    figures = [f"{counts[pair]:,} of {totals[pair[0]]:,}" for pair in shown]
    digits = max(map(len, figures), default=0)
    room = (width - digits - 2 * GAP - len(" \u2192 ")) // 2
    for (gold, predicted), figure in zip(shown, figures, strict=True):
        words = f"{shorten(labels[gold], room)} \u2192 {shorten(labels[predicted], room)}"
        yield Text(f"{' ' * GAP}{figure:>{digits}}{' ' * GAP}{words}", no_wrap=True)
    rest = int(counts.sum()) - sum(int(counts[pair]) for pair in shown)
    if rest:
        yield Text(f"{' ' * GAP}and {rest:,} more wrong answers", style="dim")
    yield Text()
