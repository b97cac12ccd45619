from __future__ import annotations

import io
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from typer.testing import CliRunner

from nlu_arena.cli.app import build_app
from nlu_arena.errors import CannotStartError, UsageError
from nlu_arena.tui.app import ArenaApp


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


Screens = list[tuple[ArenaApp, dict[str, Any]]]


@pytest.fixture(autouse=True)
def opened(monkeypatch: pytest.MonkeyPatch) -> Screens:
    """The screens that were opened, with the options of their running."""
    screens: Screens = []
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(ArenaApp, "run", lambda app, **options: screens.append((app, options)))
    return screens


def tui(*, without: str = "", **options: Any) -> None:
    """The command as on a terminal, one of whose streams may be none."""
    from nlu_arena.cli.tui import tui as command

    with ExitStack() as streams:
        for name in ("stdin", "stdout", "stderr"):
            stream = io.StringIO() if name == without else Terminal()
            streams.enter_context(mock.patch.object(sys, name, stream))
        command(**options)


@pytest.mark.parametrize("name", ["stdin", "stdout", "stderr"])
def test_it_refuses_without_a_terminal(opened: Screens, name: str) -> None:
    with pytest.raises(CannotStartError) as refusal:
        tui(without=name)
    assert "status --watch" in refusal.value.hint and not opened


@pytest.mark.parametrize("kind", ["dumb", ""])
def test_it_refuses_a_terminal_that_cannot_move_its_cursor(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", kind)
    with pytest.raises(CannotStartError):
        tui()


def test_its_options_reach_the_screen(opened: Screens, tmp_path: Path) -> None:
    tui(results=tmp_path, ascii=True, no_mouse=True)
    ((app, options),) = opened
    assert app.ledger == tmp_path / "arena.db" and app.ascii and options == {"mouse": False}


@pytest.mark.parametrize(("value", "is_plain"), [("1", True), ("", False)])
def test_an_empty_no_color_counts_as_none(
    opened: Screens,
    tmp_path: Path,
    value: str,
    is_plain: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NO_COLOR", value)
    tui(results=tmp_path)
    assert opened[0][0].no_color is is_plain


def test_a_profile_that_does_not_exist_is_refused_before_anything_starts(
    opened: Screens, tmp_path: Path
) -> None:
    with pytest.raises(UsageError):
        tui(results=tmp_path, sweep="no-such-profile")
    assert not opened and not list(tmp_path.iterdir())


def test_a_profile_is_started_in_its_own_process(
    opened: Screens, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr("nlu_arena.tui.starting.start_sweep", lambda *values: asked.append(values))
    tui(results=tmp_path, sweep="quick")
    assert asked == [(["sweep", "--profile", "quick", "--results", str(tmp_path)], tmp_path)]


def test_a_number_starts_nothing(opened: Screens, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nlu_arena.tui.starting.start_sweep", lambda *values: pytest.fail("started"))
    tui(results=tmp_path, sweep="7")
    assert len(opened) == 1


def test_its_help_names_what_it_takes() -> None:
    text = CliRunner().invoke(build_app(None), ["tui", "--help"]).stdout
    for option in ("--sweep", "--ascii", "--no-mouse", "--results"):
        assert option in text
