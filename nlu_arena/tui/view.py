"""What the views of the screen have in common, and where each of them is found."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

from textual.widget import Widget

if TYPE_CHECKING:
    from nlu_arena.tui.app import ArenaApp
    from nlu_arena.tui.feed import Frame

# In the order of their digits. A view is imported when it is first shown: the matrix must not wait for it.
VIEWS = {
    "matrix": ("matrix_view", "MatrixView"),
    "run": ("run_view", "RunView"),
    "memory": ("memory_view", "MemoryView"),
    "compare": ("compare_view", "CompareView"),
    "errors": ("errors_view", "ErrorsView"),
}


class View(Widget):
    """One of the views; it fills the screen between the header and the line of keys."""

    DEFAULT_CSS = "View { height: 1fr; width: 1fr; }"

    @property
    def arena(self) -> ArenaApp:
        """Return the application with its type."""
        return cast("ArenaApp", self.app)

    def show(self, frame: Frame) -> None:
        """Show a state of the sweep: called when the view becomes visible and on each change while it is."""
        raise NotImplementedError

    def take_focus(self) -> None:
        """Let the keys come here: to the first part that takes them."""
        target = next((widget for widget in (self, *self.query("*")) if widget.focusable), None)
        self.screen.set_focus(target)

    def back(self) -> bool:
        """Leave what is only passing, such as a filter, and say whether there was anything to leave."""
        return False


def view_class(name: str) -> type[View]:
    """Return the class of a view by its name."""
    module, attribute = VIEWS[name]
    return cast(type[View], getattr(import_module(f"nlu_arena.tui.{module}"), attribute))
