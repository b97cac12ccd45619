from __future__ import annotations

import base64
from html.parser import HTMLParser

from nlu_arena.report.document import Block, Bullets, Commands, Document, Image, Paragraph, Section, Table
from nlu_arena.report.html import render_html

VOID = {"meta", "img"}


class Page(HTMLParser):
    """Checks that every tag that is opened is closed in its turn, and collects what a browser would fetch."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def render(*blocks: Block, pictures: dict[str, bytes] | None = None) -> str:
    return render_html(Document("A <title>", (Section("Part", blocks),)), pictures or {})


def test_the_page_is_well_formed_and_needs_nothing_from_elsewhere() -> None:
    png = b"\x89PNG bytes"
    text = render(
        Paragraph("One.", is_important=True),
        Bullets(("a", "b")),
        Commands(("run",)),
        Table(("name", "%"), (("x", "1"),)),
        Image("a.png", "What it shows."),
        pictures={"a.png": png},
    )
    page = Page(text)
    assert page.links == ["#s0", f"data:image/png;base64,{base64.b64encode(png).decode()}"]
    assert not {"script", "link", "iframe"} & set(page.tags)
    assert "http" not in text


def test_text_is_never_markup() -> None:
    evil = '<img src=x onerror=alert(1)>"&amp;\x1b[31m'
    page = Page(render(Paragraph(evil), Bullets((evil,)), Commands((evil,)), Table((evil,), ((evil,),))))
    assert "img" not in page.tags
    assert page.text.count('<img src=x onerror=alert(1)>"&amp;') == 5
    assert "\x1b" not in page.text


def test_a_caption_cannot_leave_its_attribute() -> None:
    page = Page(render(Image("a.png", '" onload="x'), pictures={"a.png": b""}))
    assert page.tags.count("img") == 1
    assert "onload" in page.text


def test_it_can_be_printed_and_read_in_the_dark() -> None:
    text = render()
    assert "@media print" in text
    assert "prefers-color-scheme: dark" in text
