"""The home of the screen: the matrix of a sweep, and what the selected experiment is doing."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Input

from nlu_arena.spec import Mode
from nlu_arena.tui.board import Board, build_board
from nlu_arena.tui.feed import Frame
from nlu_arena.tui.field import TELLING, Value
from nlu_arena.tui.grid import Grid
from nlu_arena.tui.heads import shared_variant
from nlu_arena.tui.line import Line
from nlu_arena.tui.selection import Selection
from nlu_arena.tui.side import Side
from nlu_arena.tui.view import View
from nlu_arena.views.text import clean

TITLES = {
    Value.ACCURACY: "accuracy in %",
    Value.DIFFERENCE: "points to the baseline",
    Value.SECONDS: "time",
    Value.MEMORY: "peak memory",
    Value.STATE: "state",
}


class MatrixView(View):
    """The grid between a line that says what it shows and lines on the selected experiment."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open('run')", "Run", id="matrix.open", tooltip="The selected run"),
        Binding("m", "mode", "Mode", id="matrix.mode", tooltip="Show the next mode only, then all"),
        Binding(
            "v", "value", "Value", id="matrix.value", tooltip="What fields show: accuracy, difference, …"
        ),
        Binding("space", "mark", "Mark", id="matrix.mark", tooltip="Mark the experiment for a comparison"),
        Binding(
            "c", "open('compare')", "Compare", id="matrix.compare", tooltip="Compare what is marked, or all"
        ),
        Binding("e", "open('errors')", "Errors", id="matrix.errors", tooltip="What the runs get wrong"),
        Binding("slash", "filter", "Filter", id="matrix.filter", tooltip="Only models and tasks with a text"),
        Binding(
            "escape", "app.back", show=False, id="matrix.back", tooltip="Drop the filter, the mode, the marks"
        ),
        Binding("up,k", "move(-1, 0)", "Up", show=False, id="matrix.up", tooltip="Move up"),
        Binding("down,j", "move(1, 0)", "Down", show=False, id="matrix.down", tooltip="Move down"),
        Binding("left,h", "move(0, -1)", "Left", show=False, id="matrix.left", tooltip="Move left"),
        Binding("right,l", "move(0, 1)", "Right", show=False, id="matrix.right", tooltip="Move right"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="matrix.pageup", tooltip="A screen up"),
        Binding(
            "pagedown", "page(1)", "Page down", show=False, id="matrix.pagedown", tooltip="A screen down"
        ),
        Binding("home", "move(-100000, 0)", "First", show=False, id="matrix.home", tooltip="The first model"),
        Binding("end", "move(100000, 0)", "Last", show=False, id="matrix.end", tooltip="The last model"),
        Binding("tab", "next_mode(1)", "Next mode", show=False, id="matrix.next", tooltip="To the next mode"),
        Binding(
            "shift+tab",
            "next_mode(-1)",
            "Last mode",
            show=False,
            id="matrix.last",
            tooltip="To the mode before",
        ),
    ]
    DEFAULT_CSS = """
    MatrixView { layout: vertical; }
    MatrixView Input { display: none; height: 1; border: none; padding: 0 1; background: $boost; }
    MatrixView Input.-shown { display: block; }
    """

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self._shows = Line("shows")
        self._filter = Input(placeholder="text in a model or task; enter keeps, esc drops it", compact=True)
        self._grid = Grid()
        self._side = Side()
        self._selection = Selection()
        self._value = Value.ACCURACY
        self._mode: Mode | None = None
        self._text = ""
        self._has_begun = False
        self._frame: Frame | None = None
        self._board: Board | None = None

    def compose(self) -> ComposeResult:
        """Lay out the lines around the grid."""
        yield self._shows
        yield self._filter
        with Horizontal():
            yield self._grid
            yield self._side
        yield self._selection

    def show(self, frame: Frame) -> None:
        """Show a state of the sweep; the cursor stays on its experiment."""
        last, self._frame = self._frame, frame
        # A filter may name a state: then each change may move experiments in and out.
        if self._board is not None and not self._text and last is not None and _is_same_plan(last, frame):
            self._board.update(frame.tiles)
        else:
            self._board = build_board(
                frame.tiles, modes={self._mode} if self._mode else None, text_filter=self._text
            )
        self._show_board()

    def take_focus(self) -> None:
        """Let the keys move the cursor."""
        self._grid.focus()

    def back(self) -> bool:
        """Drop the filter, then the mode, then the marks."""
        if self._text or self._filter.has_class("-shown"):
            self._close_filter()
            self._set_filter("")
        elif self._mode is not None:
            self._mode = None
            self._rebuild()
        elif self.arena.marked:
            self.arena.marked.clear()
            self._show_board()
        else:
            return False
        return True

    # ── Actions ───────────────────────────────────────────────────────────────────────────────────────

    async def action_open(self, name: str) -> None:
        """Go to another view with what is selected."""
        await self.arena.action_view(name)

    def action_mode(self) -> None:
        """Show one mode after the other, then all."""
        modes = list(dict.fromkeys(tile.mode for tile in self._frame.tiles)) if self._frame else []
        order = [None, *modes]
        self._mode = order[(order.index(self._mode) + 1) % len(order)] if self._mode in order else None
        self._rebuild()

    def action_value(self) -> None:
        """Show the next of the values."""
        self._value = self._value.next
        self._show_board()

    def action_mark(self) -> None:
        """Mark the experiments under the cursor, or unmark them."""
        keys = {tile.key for tile in self._grid.current.tiles}
        self.arena.marked ^= keys if not keys & self.arena.marked else keys & self.arena.marked
        self._show_board()

    def action_filter(self) -> None:
        """Ask for a text."""
        self._filter.add_class("-shown")
        self._filter.focus()

    def action_move(self, rows: int, columns: int) -> None:
        """Move the cursor."""
        self._grid.move(rows, columns)

    def action_page(self, pages: int) -> None:
        """Move the cursor by screens."""
        self._grid.move_page(pages)

    def action_next_mode(self, step: int) -> None:
        """Move the cursor to another mode."""
        self._grid.move_mode(step)

    # ── Events ────────────────────────────────────────────────────────────────────────────────────────

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter while the text is typed."""
        event.stop()
        self._set_filter(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep the filter and go back to the grid."""
        event.stop()
        self._close_filter()

    def on_grid_moved(self) -> None:
        """Select what the cursor is on."""
        self._select(follows=False)
        self._say_what_is_shown()

    async def on_grid_opened(self) -> None:
        """Show the run of what was clicked twice."""
        await self.arena.action_view("run")

    # ── Parts ─────────────────────────────────────────────────────────────────────────────────────────

    def _set_filter(self, text: str) -> None:
        if text != self._text:
            self._text = text
            self._rebuild()

    def _close_filter(self) -> None:
        self._filter.remove_class("-shown")
        with self._filter.prevent(Input.Changed):
            self._filter.value = self._text
        self._grid.focus()

    def _rebuild(self) -> None:
        self._board = None
        if self._frame is not None:
            self.show(self._frame)

    def _show_board(self) -> None:
        if self._board is None:
            return
        self._grid.show(self._board, self._value, self.arena.marked)
        self._select(follows=True)
        self._say_what_is_shown()

    def _select(self, follows: bool) -> None:
        """Bring the selection and the cursor together; with `follows` the cursor goes where it is."""
        selected = self.arena.selected
        if not self._has_begun and self._frame is not None and self._frame.tiles:
            # What happens now is what one wants to see first.
            self._has_begun = True
            selected = next((tile for tile in self._frame.tiles if tile.state == "running"), None)
        if selected is not None and follows and selected not in self._grid.current.tiles:
            self._grid.go_to(selected.position)
        field = self._grid.current
        if selected not in field.tiles:
            selected = min(field.tiles, key=lambda tile: TELLING.index(tile.state), default=None)
        self.arena.select(selected.key if selected is not None else None)
        self._selection.show(field, selected)
        self._side.show(selected)

    def _say_what_is_shown(self) -> None:
        marked = len(self.arena.marked)
        parts = [("value ", TITLES[self._value]), ("mode ", self._mode or "all")]
        shared = shared_variant(self._board) if self._board is not None else ""
        parts += [("each ", shared)] if shared else []
        parts += [("filter ", clean(self._text))] if self._text else []
        parts += [("marked ", str(marked))] if marked else []
        text = Text("   ").join(Text.assemble((name, "dim"), value) for name, value in parts)
        place = "nothing matches" if self._grid.port.is_empty and self._text else self._grid.port.place_text
        self._shows.say(text.append(f"   {place}", style="dim") if place else text)


def _is_same_plan(last: Frame, frame: Frame) -> bool:
    """Say whether two frames are of the same experiments: a sweep's plan does not change."""
    ids = [one.sweep.id if one.sweep is not None else None for one in (last, frame)]
    return ids[0] == ids[1] and len(last.tiles) == len(frame.tiles)
