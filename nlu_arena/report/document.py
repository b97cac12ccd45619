"""A written report before it has a format: sections of paragraphs, lists, tables, commands and pictures."""

from __future__ import annotations

from typing import NamedTuple


class Paragraph(NamedTuple):
    """Sentences; an important one stands out."""

    text: str
    is_important: bool = False


class Bullets(NamedTuple):
    """A list of sentences."""

    items: tuple[str, ...]


class Commands(NamedTuple):
    """Commands to copy, a line each."""

    lines: tuple[str, ...]


class Table(NamedTuple):
    """Texts in rows; the first `names` columns are words and stand left, the others are numbers."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    names: int = 1


class Image(NamedTuple):
    """A picture beside the report: the name of its file, and a sentence that says what it shows."""

    file: str
    caption: str


Block = Paragraph | Bullets | Commands | Table | Image


class Section(NamedTuple):
    """A heading and what stands below it; level 2 is a chapter, 3 a part of one."""

    title: str
    blocks: tuple[Block, ...]
    level: int = 2


class Document(NamedTuple):
    """A report: its title and its sections in order."""

    title: str
    sections: tuple[Section, ...]


def cut_table(table: Table, longest: int, where: str) -> tuple[Block, ...]:
    """Return a table of at most so many rows, and where the others are."""
    more = len(table.rows) - longest
    if more <= 0:
        return (table,) if table.rows else ()
    return table._replace(rows=table.rows[:longest]), Paragraph(f"{more:,} more rows: {where}.")
