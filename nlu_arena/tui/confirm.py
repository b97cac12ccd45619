"""The question before something is changed; the answer is no unless the person says yes."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from nlu_arena.views.text import clean


class Confirm(ModalScreen[bool]):
    """Asks a question, and gives True for yes."""

    DEFAULT_CSS = """
    Confirm {
        align: center middle;
        #box {
            width: 72; max-width: 100%; height: auto; max-height: 100%;
            padding: 0 1; background: $surface; border: round $primary;
        }
        #question { text-style: bold; }
        #detail { height: auto; max-height: 8; }
        #answers { height: 1; margin-top: 1; }
        Button { margin-right: 2; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Yes", id="confirm.yes", tooltip="Do it"),
        Binding("n,escape,q", "answer(False)", "No", id="confirm.no", tooltip="Leave everything as it is"),
        Binding("left,right,h,l", "app.focus_next", "Other", id="confirm.other", tooltip="The other answer"),
        # A question hides the keys of the application.
        Binding("ctrl+c", "app.quit", "Quit", id="confirm.quit", tooltip="Leave; a sweep goes on"),
    ]

    def __init__(self, question: str, detail: str, yes: str = "Yes") -> None:
        """Prepare a question.

        Args:
            question: One line.
            detail: What will happen, and the command that does the same.
            yes: What the button for yes says.
        """
        super().__init__()
        self._question = question
        self._detail = detail
        self._yes = yes

    def compose(self) -> ComposeResult:
        """Put the safe answer first: the focus is on it."""
        with Vertical(id="box"):
            yield Static(Content(clean(self._question)), id="question")
            with VerticalScroll(id="detail", can_focus=False):
                yield Static(Content("\n".join(clean(line) for line in self._detail.splitlines())))
            with Horizontal(id="answers"):
                yield Button(Content("No (n)"), id="no", compact=True)
                yield Button(Content(f"{self._yes} (y)"), id="yes", compact=True)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Take the answer of a button."""
        self.dismiss(event.button.id == "yes")

    def action_answer(self, answer: bool) -> None:
        """Take the answer of a key."""
        self.dismiss(answer)
