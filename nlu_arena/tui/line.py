"""One line of text, painted again only when it says something else."""

from __future__ import annotations

from rich.text import Text
from textual.widget import Widget


class Line(Widget):
    """Text that is not markup; what does not fit is cut at its end."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "Line { height: 1; padding: 0 1; }"

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self._text = Text()

    def say(self, text: Text) -> None:
        """Say something, which is painted if it is new."""
        # A Text compares by its letters alone.
        if _look_of(text) != _look_of(self._text):
            self._text = text
            self.refresh()

    def render(self) -> Text:
        """Return the line in the width there is."""
        line = self._text.copy()
        line.truncate(self.size.width, overflow="ellipsis")
        return line


def _look_of(text: Text) -> tuple[object, ...]:
    return text.plain, text.style, text.spans
