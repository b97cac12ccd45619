"""The keys that work everywhere, and what the command palette offers."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from textual.app import SystemCommand
from textual.binding import Binding, BindingType

from nlu_arena.tui.view import VIEWS

if TYPE_CHECKING:
    from nlu_arena.tui.app import ArenaApp

KEYS: list[BindingType] = [
    Binding("q", "quit", "Quit", id="quit", tooltip="Leave; a sweep goes on"),
    Binding("ctrl+c", "quit", "Quit", show=False, id="quit.ctrl", tooltip="Copy what is selected, or leave"),
    Binding("question_mark,f1", "help", "Help", id="help", tooltip="Show all keys"),
    Binding("escape", "back", "Back", id="back", tooltip="One level up"),
    Binding(
        "1", "view('matrix')", "Views", key_display="1-5", id="view.matrix", tooltip="1: models by tasks"
    ),
    Binding("2", "view('run')", "Run", show=False, id="view.run", tooltip="The selected run"),
    Binding("3", "view('memory')", "Memory", show=False, id="view.memory", tooltip="GPUs and host memory"),
    Binding(
        "4", "view('compare')", "Compare", show=False, id="view.compare", tooltip="What is marked, or all"
    ),
    Binding("5", "view('errors')", "Errors", show=False, id="view.errors", tooltip="Wrong answers"),
    Binding("x", "stop", "Stop…", show=False, id="stop", tooltip="Ask the sweep to stop"),
    Binding("R", "retry", "Retry…", show=False, id="retry", tooltip="Try what failed again, or go on"),
    Binding("r", "refresh", "Refresh", show=False, id="refresh", tooltip="Read the ledger again"),
    Binding("t", "light_or_dark", "Theme", show=False, id="theme", tooltip="Light or dark"),
]


def palette(app: ArenaApp) -> Iterator[SystemCommand]:
    """Return what the command palette offers."""
    for name in VIEWS:
        show = partial(app.call_next, app.action_view, name)
        yield SystemCommand(name.capitalize(), f"Show the view {name}", show)
    yield SystemCommand("Stop the sweep", "Ask it to stop, after a question", app.action_stop)
    yield SystemCommand("Retry what failed", "Ask for it, after a question", app.action_retry)
    yield SystemCommand("Light or dark", "Change between the two themes", app.action_light_or_dark)
    yield SystemCommand("Theme", "Choose among all themes", app.action_change_theme)
    yield SystemCommand("Keys", "Show all keys", app.action_help)
    yield SystemCommand("Quit", "Leave; a sweep goes on", app.exit)
