"""The place where one of the views is shown."""

from __future__ import annotations

from textual.widgets import ContentSwitcher


class Switcher(ContentSwitcher):
    """Shows one view; while the screen closes it shows none, whatever was still asked for."""

    def watch_current(self, old: str | None, new: str | None) -> None:
        """Show another view; its parts may be gone already when the screen is being left."""
        if new is None or any(child.id == new for child in self.children):
            super().watch_current(old, new)
