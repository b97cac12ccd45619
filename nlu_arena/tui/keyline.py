"""The last line of the screen: the keys that work where the focus is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.text import Text
from textual import events
from textual.binding import Binding
from textual.screen import Screen
from textual.widget import Widget

NAMES = {
    "question_mark": "?",
    "slash": "/",
    "enter": "↵",
    "escape": "esc",
    "space": "space",
    "left": "←",
    "right": "→",
    "up": "↑",
    "down": "↓",
    "pageup": "pgup",
    "pagedown": "pgdn",
}
ASCII_NAMES = NAMES | {"enter": "enter", "left": "left", "right": "right", "up": "up", "down": "down"}
FIRST = ("quit", "help", "back")
GAP = 2


class Hint(NamedTuple):
    """A key as it is shown, what it does, and where in the line it stands."""

    key: str
    label: str
    start: int
    end: int


def key_name(binding: Binding, ascii: bool) -> str:
    """Return the keys of a binding as people read them."""
    names = ASCII_NAMES if ascii else NAMES
    return binding.key_display or "/".join(
        names.get(key, key.replace("ctrl+", "^")) for key in binding.key.split(",")
    )


class KeyLine(Widget):
    """Shows as many keys as fit, the most particular ones first; a click on one presses it."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES = {"keyline--key"}
    DEFAULT_CSS = """
    KeyLine { height: 1; dock: bottom; background: $panel; padding: 0 1; }
    KeyLine > .keyline--key { color: $accent; text-style: bold; }
    """

    def __init__(self, *, ascii: bool) -> None:
        super().__init__(id="keys")
        self._ascii = ascii
        self._shown: list[Binding] = []
        self._hints: list[Hint] = []

    def on_mount(self) -> None:
        """Follow the focus."""
        self.screen.bindings_updated_signal.subscribe(self, self._follow)

    def _follow(self, screen: Screen[object]) -> None:
        bindings = [active.binding for active in screen.active_bindings.values() if active.binding.show]
        # A key with two names is active twice; the way out and the list of all keys come first.
        shown = list({binding.action: binding for binding in reversed(bindings)}.values())[::-1]
        shown.sort(key=lambda binding: binding.action not in FIRST)
        if shown != self._shown:
            self._shown = shown
            self.refresh()

    def render(self) -> Text:
        """Return the keys that fit whole."""
        self._hints = list(_place(self._shown, self._ascii, self.size.width))
        key_style = self.get_component_rich_style("keyline--key", partial=True)
        line = Text()
        for hint in self._hints:
            line.append(" " * (hint.start - line.cell_len))
            line.append(hint.label.partition(" ")[0], style=key_style)
            line.append(" " + hint.label.partition(" ")[2])
        return line

    def on_click(self, event: events.Click) -> None:
        """Press the key that was clicked."""
        column = event.get_content_offset_capture(self).x
        for hint in self._hints:
            if hint.start <= column < hint.end:
                self.app.simulate_key(hint.key)


def _place(bindings: Sequence[Binding], ascii: bool, width: int) -> list[Hint]:
    hints: list[Hint] = []
    start = 0
    for binding in bindings:
        label = f"{key_name(binding, ascii)} {binding.description}"
        if ascii:
            label = label.replace("…", "...")
        end = start + Text(label).cell_len
        if end > width:
            break
        hints.append(Hint(binding.key.partition(",")[0], label, start, end))
        start = end + GAP
    return hints
