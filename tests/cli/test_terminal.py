from __future__ import annotations

import os
import sys
from collections.abc import Callable

import pytest

from nlu_arena.cli.terminal import narrate

Said = Callable[..., list[str]]
LINE = "  hint: sixteen experiments of an earlier sweep are done already, and none of them is done again"


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Said:
    def say(line: str, *, columns: int, is_terminal: bool = True) -> list[str]:
        monkeypatch.setattr(sys.stderr, "isatty", lambda: is_terminal)
        monkeypatch.setattr(sys.stderr, "fileno", lambda: 2, raising=False)
        monkeypatch.setattr(os, "get_terminal_size", lambda fd: os.terminal_size((columns, 24)))
        narrate(line)
        return capsys.readouterr().err.splitlines()

    return say


def test_a_terminal_gets_long_lines_broken_between_words(said: Said) -> None:
    lines = said(LINE, columns=40)
    assert lines == [
        "  hint: sixteen experiments of an",
        "    earlier sweep are done already, and",
        "    none of them is done again",
    ]


@pytest.mark.parametrize(("columns", "is_terminal"), [(40, False), (96, True), (0, True)])
def test_elsewhere_and_where_it_fits_a_line_stays_a_line(said: Said, columns: int, is_terminal: bool) -> None:
    assert said(LINE, columns=columns, is_terminal=is_terminal) == [LINE]


@pytest.mark.parametrize(
    "line",
    ["next: nlu-arena sweep --profile laptop --task reviews.csv --limit 400", "/a/very/long-path/" * 4],
)
def test_commands_and_paths_can_be_copied(said: Said, line: str) -> None:
    assert said(line, columns=40) == [line]
