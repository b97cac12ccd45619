"""The line above the matrix: which value of which experiments it shows, and which part of it is seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len
from rich.text import Text
from textual.widget import Widget

from nlu_arena.spec import Mode
from nlu_arena.tui.field import Value
from nlu_arena.tui.viewport import Viewport
from nlu_arena.views.text import clean

GAP = "   "
TITLES = {
    Value.ACCURACY: "accuracy in %",
    Value.DIFFERENCE: "points to the baseline",
    Value.SECONDS: "time",
    Value.MEMORY: "peak memory",
    Value.STATE: "state",
}


class Note(NamedTuple):
    """One thing to say; where there is no room for all, those of the highest `rank` are left out first."""

    name: str
    value: str
    rank: int

    @property
    def width(self) -> int:
        """Return how many cells it takes."""
        return cell_len(self.name) + cell_len(self.value)


class Caption(Widget):
    """One line of notes, none of them cut; painted again only when it says something else."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "Caption { height: 1; padding: 0 1; }"

    def __init__(self) -> None:
        super().__init__(id="caption")
        self._notes: list[Note] = []

    def say(self, notes: Sequence[Note]) -> None:
        """Say something; what has no value is not said."""
        said = [note for note in notes if note.value]
        if said != self._notes:
            self._notes = said
            self.refresh()

    def render(self) -> Text:
        """Return the notes that fit."""
        shown, width = list(self._notes), self.size.width
        while len(shown) > 1 and sum(note.width for note in shown) + len(GAP) * (len(shown) - 1) > width:
            shown.remove(max(shown, key=lambda note: note.rank))
        line = Text(GAP).join(Text.assemble((note.name, "dim"), note.value) for note in shown)
        line.truncate(width, overflow="ellipsis")
        return line


def list_notes(port: Viewport, value: Value, mode: Mode | None, text_filter: str, marked: int) -> list[Note]:
    """Return what there is to say about a matrix.

    Args:
        port: The window on it.
        value: What its fields show.
        mode: The only mode that is shown, None for all.
        text_filter: What was typed.
        marked: How many experiments are.
    """
    title = TITLES[value]
    if value is Value.DIFFERENCE and port.board is not None and port.board.baseline:
        title += f" {clean(port.board.baseline)}"
    return [
        Note("value ", title, 0),
        Note("mode ", mode or "all", 3 if mode else 6),
        Note("each ", port.heads.shared if port.heads is not None else "", 5),
        Note("filter ", clean(text_filter), 1),
        Note("marked ", str(marked) if marked else "", 4),
        Note("", "nothing matches" if port.is_empty and text_filter else port.place_text, 2),
    ]
