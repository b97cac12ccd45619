"""The run view or the memory view alone on the screen: see stage.py."""

from __future__ import annotations

from tests.tui.screen import screen_lines
from tests.tui.stage import Stage


class RunStage(Stage):
    """Has also what the run view asks of the application."""

    def select(self, key: str) -> None:
        assert self.frame is not None
        self.selected = next(tile for tile in self.frame.tiles if tile.key == key)

    def lines(self) -> list[str]:
        return screen_lines(self)

    def last_line(self) -> str:
        """The lowest line with a text, without the scrollbar at its end."""
        return [line for line in self.lines() if line][-1].rstrip(" ▁▂▃▄▅▆▇█")
