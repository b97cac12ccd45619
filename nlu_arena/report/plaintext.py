"""A report as plain text of a bounded width."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from rich.cells import cell_len

from nlu_arena.report.document import Block, Bullets, Commands, Document, Paragraph, Table
from nlu_arena.views.columns import align
from nlu_arena.views.text import clean

WIDTH = 96
GAP = "  "


def render_text(document: Document) -> str:
    """Return a report as text of at most 96 columns, but for what cannot be broken; without its pictures."""
    lines = [clean(document.title), "=" * min(WIDTH, len(clean(document.title)))]
    for section in document.sections:
        rule = ("-" if section.level == 2 else ".") * min(WIDTH, len(clean(section.title)))
        lines += ["", clean(section.title), rule]
        for block in section.blocks:
            lines += _render(block)
    return "\n".join(lines) + "\n"


def _render(block: Block) -> Iterator[str]:
    match block:
        case Paragraph(text):
            yield from _wrap(text, "", "")
        case Bullets(items):
            for item in items:
                yield from _wrap(item, "- ", "  ")
        case Commands(lines):
            yield from (f"    {clean(line)}" for line in lines)
        case Table():
            yield ""
            yield from _render_table(block)
            yield ""


def _wrap(text: str, first: str, rest: str) -> list[str]:
    return textwrap.wrap(
        clean(text),
        WIDTH,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _render_table(table: Table) -> Iterator[str]:
    rows = [tuple(map(clean, row)) for row in (table.head, *table.rows)]
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    if sum(widths) + len(GAP) * (len(widths) - 1) <= WIDTH:
        yield from (_line(row, widths, table.names) for row in rows)
        return
    if table.names == len(table.head):
        for name, *others in table.rows:
            yield from _wrap(f"{name}: {'; '.join(filter(None, others))}", "- ", "  ")
        return
    # Too wide: the names of a row stand above its numbers, and nothing is cut.
    seen: tuple[str, ...] = ()
    for row in rows:
        names, numbers = row[: table.names], row[table.names :]
        if names != seen:
            yield from _wrap(" | ".join(filter(None, names)), "", "  ")
        seen = names
        yield f"    {_line(numbers, widths[table.names :], 0)}"


def _line(row: Sequence[str], widths: Sequence[int], names: int) -> str:
    cells = (
        align(text, width, right=place >= names)
        for place, (text, width) in enumerate(zip(row, widths, strict=True))
    )
    return GAP.join(cells).rstrip()
