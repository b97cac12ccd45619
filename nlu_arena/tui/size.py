"""What stands on a terminal that is too small for the views."""

from __future__ import annotations

from rich.text import Text
from textual.widget import Widget

WIDTH = 60
HEIGHT = 16


class TooSmall(Widget):
    """Covers everything with a line on the size that is needed; the style sheet shows it where it is."""

    DEFAULT_CSS = """
    TooSmall {
        layer: over;
        display: none;
        width: 100%;
        height: 100%;
        content-align: center middle;
        background: $background;
    }
    """

    def __init__(self) -> None:
        super().__init__(id="too-small")

    def render(self) -> Text:
        """Say how large the terminal is and must be."""
        size = self.app.size
        return Text(
            f"{size.width} x {size.height} is too small.\n{WIDTH} x {HEIGHT} is needed.\nq quits.",
            justify="center",
        )
