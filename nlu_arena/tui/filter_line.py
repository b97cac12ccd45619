"""The line in which the text of a filter is typed."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import Input


class FilterLine(Input):
    """Takes no room until it is asked for; while it is there the line of keys says how to leave it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Keep the filter", id="filter.keep", tooltip="Keep the filter"),
        Binding("escape", "app.back", "Drop it", id="filter.drop", tooltip="Drop the filter"),
    ]
    DEFAULT_CSS = """
    FilterLine { display: none; height: 1; border: none; padding: 0 1; background: $boost; }
    FilterLine.-shown { display: block; }
    """

    def __init__(self) -> None:
        super().__init__(placeholder="words of a model, task, mode or state; !word for without", compact=True)
        # Nothing moves by itself.
        self.cursor_blink = False

    @property
    def is_open(self) -> bool:
        """Say whether it is there."""
        return self.has_class("-shown")

    def open(self) -> None:
        """Take the keys."""
        self.add_class("-shown")
        self.focus()

    def close(self, text: str) -> None:
        """Go away; the next time it begins with a text."""
        self.remove_class("-shown")
        with self.prevent(Input.Changed):
            self.value = text
