"""The home of the screen: the matrix of a sweep, and what the selected experiment is doing."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.geometry import Size
from textual.widgets import Input

from nlu_arena.spec import Mode
from nlu_arena.tui.board import Board, build_board
from nlu_arena.tui.caption import Caption, list_notes
from nlu_arena.tui.feed import Frame
from nlu_arena.tui.field import TELLING, Value
from nlu_arena.tui.filter_line import FilterLine
from nlu_arena.tui.grid import Grid
from nlu_arena.tui.identity import sweep_of
from nlu_arena.tui.selection import Selection
from nlu_arena.tui.side import Side
from nlu_arena.tui.view import View


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
        Binding(
            "slash",
            "filter",
            "Filter",
            id="matrix.filter",
            tooltip="Only what has these words; !word: without",
        ),
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
    MatrixView Horizontal.-below { layout: vertical; }
    """

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self._caption = Caption()
        self._filter = FilterLine()
        self._body = Horizontal()
        self._grid = Grid()
        self._side = Side()
        self._selection = Selection()
        self._value = Value.ACCURACY
        self._mode: Mode | None = None
        self._text = ""
        # What this view has selected, and what was selected before a filter was typed.
        self._key_here: str | None = None
        self._key_before: str | None = None
        self._has_begun = False
        self._frame: Frame | None = None
        self._board: Board | None = None

    def compose(self) -> ComposeResult:
        """Lay out the lines around the grid."""
        yield self._caption
        yield self._filter
        with self._body:
            yield self._grid
            yield self._side
        yield self._selection

    def show(self, frame: Frame) -> None:
        """Show a state of the sweep; the cursor stays on its experiment."""
        last, self._frame = self._frame, frame
        is_same_plan = last is not None and _is_same_plan(last, frame)
        if not is_same_plan and self._mode not in {tile.mode for tile in frame.tiles}:
            self._mode = None
        # A filter may name a state: then an experiment may come or go with its own.
        if last is None or not is_same_plan or (self._text and last.results != frame.results):
            self._board = None
        if self._board is not None and last is not None and frame.number == last.number + 1:
            self._board.update(frame.tiles, frame.changed)
        elif self._board is None or frame is not last:
            self._board = build_board(
                frame.tiles, modes={self._mode} if self._mode else None, text_filter=self._text
            )
        self._show_board()

    def take_focus(self) -> None:
        """Let the keys move the cursor."""
        self._grid.focus()

    def back(self) -> bool:
        """Drop the filter, then the mode, then the marks."""
        if self._text or self._filter.is_open:
            if self._filter.is_open:
                self.arena.select(self._key_before)
            self._text = ""
            self._close_filter()
            self._rebuild()
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
        if name == "run" and self._is_on_nothing:
            self._say_nothing_is_planned()
        else:
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
        if self._is_on_nothing:
            self._say_nothing_is_planned()
        keys = {tile.key for tile in self._grid.current.tiles}
        self.arena.marked ^= keys if not keys & self.arena.marked else keys & self.arena.marked
        self._show_board()

    def action_filter(self) -> None:
        """Ask for a text."""
        self._key_before = self.arena.selected_key
        self._filter.open()

    def check_action(self, action: str, _parameters: tuple[object, ...]) -> bool | None:
        """Leave out the key of the filter while it is typed."""
        return not (action == "filter" and self._filter.has_focus)

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
        self._select()
        self._say_what_is_shown()
        self._settle_side()

    async def on_grid_opened(self) -> None:
        """Show the run of what was clicked twice."""
        await self.arena.action_view("run")

    # ── Parts ─────────────────────────────────────────────────────────────────────────────────────────

    def _set_filter(self, text: str) -> None:
        if text != self._text:
            self._text = text
            self._rebuild()

    def _close_filter(self) -> None:
        self._filter.close(self._text)
        self._grid.focus()

    @property
    def _is_on_nothing(self) -> bool:
        """Say whether the cursor is on a field of the matrix in which nothing is planned."""
        return not self._grid.port.is_empty and not self._grid.current.tiles

    def _say_nothing_is_planned(self) -> None:
        self.notify("Nothing is planned here.", severity="warning", markup=False, timeout=3)

    def _rebuild(self) -> None:
        self._board = None
        if self._frame is not None:
            self.show(self._frame)

    def _show_board(self) -> None:
        if self._board is None:
            return
        self._grid.show(self._board, self._value, self.arena.marked)
        self._select()
        self._say_what_is_shown()
        self._settle_side()

    def _settle_side(self) -> None:
        """Give the panel the room that the matrix leaves."""
        width, height = self._grid.port.whole
        matrix = Size(width + self._grid.gutter.width, height)
        self._body.set_class(self._side.settle(self._body.size, matrix), "-below")

    def _select(self) -> None:
        """Select what the cursor is on; first it goes to what was selected elsewhere."""
        if not self._has_begun and self._frame is not None and self._frame.tiles:
            # What happens now is what one wants to see first.
            self._has_begun = True
            running = next(iter(self._frame.running), None)
            self.arena.select(running.key if running is not None else None)
        selected = self.arena.selected
        is_from_elsewhere = self.arena.selected_key != self._key_here
        if selected is not None and is_from_elsewhere and selected not in self._grid.current.tiles:
            self._grid.go_to(selected.position)
        field = self._grid.current
        if selected not in field.tiles:
            selected = min(field.tiles, key=lambda tile: TELLING.index(tile.state), default=None)
        self._key_here = selected.key if selected is not None else None
        self.arena.select(self._key_here)
        self._selection.show(field, selected)
        self._side.show(selected)

    def _say_what_is_shown(self) -> None:
        marked = len(self.arena.marked)
        self._caption.say(list_notes(self._grid.port, self._value, self._mode, self._text, marked))


def _is_same_plan(last: Frame, frame: Frame) -> bool:
    """Say whether two frames are of the same experiments: a sweep's plan does not change."""
    return sweep_of(last) == sweep_of(frame) and len(last.tiles) == len(frame.tiles)
