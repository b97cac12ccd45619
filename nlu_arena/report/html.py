"""A report as one HTML file that needs nothing else: no script, no network, the pictures inside."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from html import escape

from nlu_arena.report.document import Block, Bullets, Commands, Document, Image, Paragraph, Section, Table
from nlu_arena.report.stylesheet import STYLES
from nlu_arena.views.text import clean


def render_html(document: Document, pictures: Mapping[str, bytes]) -> str:
    """Return the HTML text of a report.

    Args:
        document: The report.
        pictures: The PNG files that it refers to, by their names.
    """
    title = _text(document.title)
    lines = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{title}</title>",
        f"<style>\n{STYLES}</style>",
        "</head>",
        "<body>",
        f"<h1>{title}</h1>",
        *_render_contents(document),
    ]
    for number, section in enumerate(document.sections):
        lines.append(f'<h{section.level} id="s{number}">{_text(section.title)}</h{section.level}>')
        lines += [line for block in section.blocks for line in _render(block, pictures)]
    return "\n".join([*lines, "</body>", "</html>", ""])


def _render_contents(document: Document) -> Iterator[str]:
    chapters: list[tuple[int, Section]] = [
        (number, section) for number, section in enumerate(document.sections) if section.level == 2
    ]
    links = [f'<a href="#s{number}">{_text(section.title)}</a>' for number, section in chapters]
    yield f"<nav>{' · '.join(links)}</nav>"


def _render(block: Block, pictures: Mapping[str, bytes]) -> Iterator[str]:
    match block:
        case Paragraph(text, is_important):
            kind = ' class="important"' if is_important else ""
            yield f"<p{kind}>{_text(text)}</p>"
        case Bullets(items):
            yield "<ul>"
            yield from (f"<li>{_text(item)}</li>" for item in items)
            yield "</ul>"
        case Commands(lines):
            commands = "\n".join(map(_text, lines))
            yield f"<pre><code>{commands}</code></pre>"
        case Image(file, caption):
            data = base64.b64encode(pictures[file]).decode("ascii")
            yield f'<figure><img src="data:image/png;base64,{data}" alt="{_text(caption)}">'
            yield f"<figcaption>{_text(caption)}</figcaption></figure>"
        case Table():
            yield from _render_table(block)


def _render_table(table: Table) -> Iterator[str]:
    # A wide table scrolls by itself, the page does not.
    yield '<div class="table"><table>'
    yield f"<thead><tr>{''.join(_cells(table, table.head, 'th'))}</tr></thead>"
    yield "<tbody>"
    for row in table.rows:
        yield f"<tr>{''.join(_cells(table, row, 'td'))}</tr>"
    yield "</tbody></table></div>"


def _cells(table: Table, row: tuple[str, ...], tag: str) -> Iterator[str]:
    for place, text in enumerate(row):
        kind = ' class="number"' if place >= table.names else ""
        yield f"<{tag}{kind}>{_text(text)}</{tag}>"


def _text(text: str) -> str:
    return escape(clean(text), quote=True)
