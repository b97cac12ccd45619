from __future__ import annotations

import sys
from pathlib import Path

import pytest

from nlu_arena.cli import observers
from nlu_arena.cli.observers import LogFile, choose_display
from nlu_arena.cli.options import Display


@pytest.mark.parametrize(
    ("is_screen", "is_json_on_terminal", "shown"),
    [(True, False, Display.RICH), (True, True, Display.NONE), (False, False, Display.PLAIN)],
)
def test_the_display_follows_the_terminal(
    monkeypatch: pytest.MonkeyPatch, is_screen: bool, is_json_on_terminal: bool, shown: Display
) -> None:
    monkeypatch.setattr(observers, "is_screen", lambda stream: is_screen)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: is_json_on_terminal)
    assert choose_display(Display.AUTO, is_json_on_terminal) is shown


def test_a_display_that_was_asked_for_is_kept() -> None:
    assert [choose_display(d, True) for d in (Display.RICH, Display.NONE)] == [Display.RICH, Display.NONE]


def test_a_log_that_cannot_be_written_is_said_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = LogFile(tmp_path / "nowhere" / "log")
    log.write("one")
    log.write("two")
    assert capsys.readouterr().err.count("cannot be written") == 1


def test_the_log_is_added_to_line_by_line(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "log")
    log.write("one")
    (tmp_path / "log").open("a").write("worker\n")
    log.write("two")
    assert (tmp_path / "log").read_text() == "one\nworker\ntwo\n"
