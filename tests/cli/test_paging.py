from __future__ import annotations

import io
import signal
from pathlib import Path

import pytest
from rich.text import Text

from nlu_arena.cli import paging
from nlu_arena.cli.paging import show_paged

CONTENT = Text.assemble("begin [bold] ", ("red", "red"), " 很好\n" * 3, "end")


class Keyboard(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal with a keyboard: stdout is caught and taken for a screen."""
    monkeypatch.setattr("sys.stdin", Keyboard())
    monkeypatch.setattr(paging, "is_screen", lambda stream: True)
    monkeypatch.delenv("LESS", raising=False)


def test_the_text_goes_through_the_users_pager(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PAGER", f"sh -c 'cat > {tmp_path}/seen; echo $LESS >> {tmp_path}/seen'")
    show_paged(CONTENT)
    seen = (tmp_path / "seen").read_text(encoding="utf-8")
    assert seen.startswith("begin [bold] red 很好\n")
    assert seen.endswith("end\nFRX\n")
    assert capfd.readouterr().out == ""


def test_less_is_told_that_the_text_is_utf_8(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAGER", f"sh -c 'cat > /dev/null; echo $LESSCHARSET >> {tmp_path}/seen'")
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.delenv("LESSCHARSET", raising=False)
    show_paged(CONTENT)
    monkeypatch.setenv("LESSCHARSET", "latin1")
    show_paged(CONTENT)
    assert (tmp_path / "seen").read_text() == "utf-8\nlatin1\n"


def test_a_pager_that_is_left_early_is_no_error_and_ctrl_c_works_afterwards(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PAGER", "true")
    before = signal.getsignal(signal.SIGINT)
    show_paged(Text("line\n" * 100_000))
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize("pager", ["", " ", "cat", "/bin/cat", "no-such-pager-here", "'"])
def test_without_a_pager_the_text_is_printed(
    pager: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PAGER", pager)
    show_paged(CONTENT)
    assert capsys.readouterr().out.startswith("begin [bold] red")


def test_without_a_keyboard_nobody_could_leave_a_pager(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    monkeypatch.setenv("PAGER", "false")
    show_paged(CONTENT)
    assert capsys.readouterr().out.startswith("begin [bold] red")


@pytest.mark.parametrize(
    ("pager", "flags", "shows"),
    [
        (["less"], "FRX", True),
        (["/usr/bin/less", "-R"], "", True),
        (["less"], "-S", False),
        (["less", "--quit-on-intr"], "S", False),
        (["more"], "FRX", False),
    ],
)
def test_colours_go_to_a_less_that_passes_them_on(pager: list[str], flags: str, shows: bool) -> None:
    assert paging._shows_colours(pager, flags) is shows
