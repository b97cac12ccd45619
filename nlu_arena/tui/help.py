"""The list of all keys, made from the bindings themselves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, cast

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from nlu_arena.tui.keyline import key_name
from nlu_arena.tui.view import VIEWS, view_class

if TYPE_CHECKING:
    from nlu_arena.tui.app import ArenaApp

WIDTH = 16


class HelpScreen(ModalScreen[None]):
    """All keys with what they do: those of everywhere first, then those of each view."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "escape,question_mark,f1", "dismiss", "Close", id="help.close", tooltip="Close the list of keys"
        ),
        # The list hides the keys of the application.
        Binding("q,ctrl+c", "app.quit", "Quit", id="help.quit", tooltip="Leave; a sweep goes on"),
    ]
    DEFAULT_CSS = """
    HelpScreen { align: center middle; background: $background 60%; }
    HelpScreen VerticalScroll {
        width: 76; max-width: 100%; height: auto; max-height: 100%;
        padding: 0 2; background: $panel;
    }
    """

    def compose(self) -> ComposeResult:
        """Lay out the list; it scrolls with the arrows."""
        with VerticalScroll():
            yield Static(key_list(cast("ArenaApp", self.app).ascii), markup=False)


def key_list(ascii: bool) -> Text:
    """Return the keys of the application and of every view with their explanations."""
    from nlu_arena.tui.app import ArenaApp

    text = Text("Keys", style="bold")
    text.append("   esc closes, arrows scroll\n", style="dim")
    palette = Binding(ArenaApp.COMMAND_PALETTE_BINDING, "", tooltip="Search for a command")
    _add(text, "everywhere", [*ArenaApp.BINDINGS, palette], ascii)
    for name in VIEWS:
        _add(text, name, view_class(name).BINDINGS, ascii)
    return text


def _add(text: Text, title: str, bindings: Iterable[BindingType], ascii: bool) -> None:
    text.append(f"\n{title}\n", style="bold")
    for binding in bindings:
        assert isinstance(binding, Binding)
        # Of its own name where the line of keys shows several as one.
        text.append(f"  {key_name(replace(binding, key_display=None), ascii):<{WIDTH}}")
        text.append(f"{binding.tooltip or binding.description}\n", style="dim")
