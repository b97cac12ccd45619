from __future__ import annotations

import pytest

from nlu_arena.report.document import Bullets, Commands, Document, Image, Paragraph, Section, Table
from nlu_arena.report.markdown import escape_markdown, render_markdown


def test_sections_lists_commands_and_pictures() -> None:
    blocks = (
        Paragraph("One sentence."),
        Paragraph("Mind this.", is_important=True),
        Bullets(("first", "second")),
        Commands(("nlu-arena run --model x",)),
        Image("a.png", "What it shows."),
    )
    text = render_markdown(Document("Title", (Section("Part", blocks), Section("Sub", (), level=3))))
    assert text.splitlines() == [
        "# Title",
        "",
        "## Part",
        "",
        "One sentence.",
        "",
        "**Mind this.**",
        "",
        "- first",
        "- second",
        "",
        "    nlu-arena run --model x",
        "",
        "![What it shows.](a.png)",
        "",
        "*What it shows.*",
        "",
        "### Sub",
    ]


def test_numbers_of_a_table_stand_right() -> None:
    table = Table(("model", "task", "%"), (("a", "b|c", "80.0"),), names=2)
    text = render_markdown(Document("T", (Section("S", (table,)),)))
    assert text.splitlines()[4:] == ["| model | task | % |", "| --- | --- | ---: |", "| a | b\\|c | 80.0 |"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("smollm2-135m Q4_K_M", "smollm2-135m Q4_K_M"),
        ("_bold_ *it* `code`", "\\_bold\\_ \\*it\\* \\`code\\`"),
        ("<script> [x](http://y)", "\\<script\\> \\[x\\](http://y)"),
        ("# not a heading", "\\# not a heading"),
        ("- not a list", "\\- not a list"),
        ("&lt;", "&amp;lt;"),
        ("two\nlines\x1b[31m", "two lines"),
    ],
)
def test_text_is_never_markup(text: str, shown: str) -> None:
    assert escape_markdown(text) == shown
