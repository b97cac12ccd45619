"""A report as Markdown; what comes from data and names is text, never markup."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nlu_arena.report.document import Block, Bullets, Commands, Document, Image, Paragraph, Table
from nlu_arena.views.text import clean

# An underscore inside a word means nothing, as in Q4_1; elsewhere it emphasises.
MARKS = re.compile(r"[\\`*\[\]<>|~$]|(?<![^\W_])_|_(?![^\W_])")
# What a line may not begin with: headings, lists and rules.
STARTS = re.compile(r"^([#+=-]|\d+(?=[.)]))")


def render_markdown(document: Document) -> str:
    """Return the Markdown text of a report; pictures are referred to by their files' names."""
    parts = [f"# {escape_markdown(document.title)}"]
    for section in document.sections:
        parts.append(f"{'#' * section.level} {escape_markdown(section.title)}")
        parts += ["\n".join(_render(block)) for block in section.blocks]
    return "\n\n".join(parts) + "\n"


def escape_markdown(text: str) -> str:
    """Return a text as one line in which nothing is markup."""
    escaped = MARKS.sub(lambda match: f"\\{match[0]}", clean(text).replace("&", "&amp;"))
    return STARTS.sub(lambda match: f"\\{match[0]}" if not match[0].isdigit() else match[0], escaped)


def _render(block: Block) -> Iterator[str]:
    match block:
        case Paragraph(text, is_important):
            escaped = escape_markdown(text)
            yield f"**{escaped}**" if is_important else escaped
        case Bullets(items):
            yield from (f"- {escape_markdown(item)}" for item in items)
        case Commands(lines):
            # Indented code needs no fence that a line could close.
            yield from (f"    {clean(line)}" for line in lines)
        case Image(file, caption):
            escaped = escape_markdown(caption)
            yield f"![{escaped}]({file})"
            yield ""
            yield f"*{escaped}*"
        case Table():
            yield from _render_table(block)


def _render_table(table: Table) -> Iterator[str]:
    rules = ["---" if place < table.names else "---:" for place in range(len(table.head))]
    for row in (table.head, rules, *table.rows):
        cells = row if row is rules else map(escape_markdown, row)
        yield f"| {' | '.join(cells)} |"
