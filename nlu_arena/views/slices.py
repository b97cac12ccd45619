"""Error rates by kind of text for a terminal: slices down, contenders across."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.text import Text

from nlu_arena.mistakes.review import ErrorRate, Review, choose_slices
from nlu_arena.views.columns import align, fill_rows, shorten, wrap_words
from nlu_arena.views.figures import format_interval, format_percent
from nlu_arena.views.text import clean

GAP = 2
# The widest name of a slice; the narrowest column of a contender, whose name stands above it.
NAME_WIDTH, COLUMN_WIDTH = 30, 12


def slice_lines(review: Review, width: int) -> Iterator[Text]:
    """Return the error rates of all contenders, in as many blocks as the width needs."""
    yield Text("error rate in % and its 95 % interval, by kind of text", style="bold")
    shown = choose_slices(review.slices)
    names = [f"  {clean(part.slice.name)}" for part in shown]
    counts = [part.n for part in shown]
    count_width = max(len(f"{n:,}") for n in [review.rates[0].n, *counts])
    columns = [
        [_write(review.rates[place]), *(_write(part.rates[place]) for part in shown)]
        for place in range(len(review.replies))
    ]
    widths = [max(COLUMN_WIDTH, *map(cell_len, column)) for column in columns]
    heads = [
        wrap_words(clean(reply.contender.name), w) for reply, w in zip(review.replies, widths, strict=True)
    ]
    room = max(len("all texts"), width - 2 * GAP - count_width - max(widths))
    name_width = min(NAME_WIDTH, room, max(map(cell_len, ["all texts", *names])))
    left = name_width + GAP + count_width
    for row in fill_rows(widths, width - left - GAP, GAP):
        yield from _head(left, [heads[place] for place in row], [widths[place] for place in row])
        lead = f"{align('all texts', name_width)}{' ' * GAP}{review.rates[0].n:>{count_width},}"
        yield _line(lead, [columns[place][0] for place in row], [widths[place] for place in row])
        kind = ""
        for number, part in enumerate(shown, 1):
            if part.slice.kind != kind:
                kind = part.slice.kind
                yield Text("gold label" if kind == "label" else kind, style="dim")
            name = align(shorten(names[number - 1], name_width), name_width)
            lead = f"{name}{' ' * GAP}{part.n:>{count_width},}"
            yield _line(lead, [columns[place][number] for place in row], [widths[place] for place in row])
        yield Text()
    if left_out := len(review.slices) - len(shown):
        yield Text(f"{left_out} more gold labels: --json has them, --label LABEL shows one", style="dim")
    yield Text("Each interval is for one slice alone: of many some stand out by chance.", style="dim")


def _head(left: int, heads: Sequence[Sequence[str]], widths: Sequence[int]) -> Iterator[Text]:
    """Return the contenders' names, their last lines on one level."""
    height = max(map(len, heads))
    for level in range(height):
        texts = [([""] * (height - len(head)) + list(head))[level] for head in heads]
        first = align("", left - 1) + "n" if level == height - 1 else " " * left
        yield _line(first, texts, widths, style="bold")


def _line(lead: str, texts: Sequence[str], widths: Sequence[int], style: str = "") -> Text:
    cells = (align(text, width) for text, width in zip(texts, widths, strict=True))
    return Text((" " * GAP).join([lead, *cells]).rstrip(), style=style, no_wrap=True)


def _write(rate: ErrorRate) -> str:
    return f"{format_percent(rate.share):>5} {format_interval(rate.interval)}"
