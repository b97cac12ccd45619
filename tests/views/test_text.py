from __future__ import annotations

import json

import pytest

from nlu_arena.views.text import clean, escape_json


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text, ümläut, 日本, 🙂", "plain text, ümläut, 日本, 🙂"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;new title\x07after", "after"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x9b2Jgone", "gone"),
        ("\x1bPsecret\x1b\\after", "after"),
        ("\x1b]0;never ended and the text stays", "0;never ended and the text stays"),
        ("\x1bcreset", "reset"),
        ("a\x00b\x07c\x7fd\x85e", "abcd e"),
        ("two\r\nlines\tand a tab", "two lines and a tab"),
        ("\u202eevil\u2066 \u200fmarks\u061c", "evil marks"),
        ("half \ud83d of a sign", "half \ufffd of a sign"),
        ("[bold]no markup[/x]", "[bold]no markup[/x]"),
    ],
)
def test_nothing_stays_that_a_terminal_would_obey(text: str, shown: str) -> None:
    assert clean(text) == shown


def test_clean_text_stays_as_it_is_when_cleaned_again() -> None:
    once = clean("\x1b\x1b[31m[31mx\x1b")
    assert clean(once) == once
    assert "\x1b" not in once


def test_a_document_keeps_its_content_and_shows_a_terminal_nothing_to_obey() -> None:
    content = {"a\x9b2J": ["\u202eevil\u2066", "\x7f\u2028", "ümläut 日本 🙂\n"]}
    document = escape_json(json.dumps(content, ensure_ascii=False, indent=2))
    assert json.loads(document) == content
    assert document == '{\n  "a\\u009b2J": [\n    "\\u202eevil\\u2066",\n' + (
        '    "\\u007f\\u2028",\n    "ümläut 日本 🙂\\n"\n  ]\n}'
    )
