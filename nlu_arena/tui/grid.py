"""The matrix as a widget: it paints only the fields that have changed, and only those that are seen."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from nlu_arena.tui.board import Board
from nlu_arena.tui.field import Field, Value, field_text
from nlu_arena.tui.fitting import fill
from nlu_arena.tui.viewport import Viewport

WHEEL_ROWS = 3
NOTHING = Field(())

Place = tuple[int, int]
Painted = tuple[str, str]


class Grid(Widget, can_focus=True):
    """Models down, tasks across; the cursor stands on an experiment, wherever that moves to."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES = {
        "grid--head",
        "grid--done",
        "grid--running",
        "grid--failed",
        "grid--waiting",
        "grid--interrupted",
        "grid--alarm",
        "grid--none",
        "grid--cursor",
    }
    DEFAULT_CSS = """
    Grid { width: 1fr; height: 1fr; padding: 0 1; }
    Grid > .grid--head { text-style: bold; }
    Grid > .grid--done { color: $foreground; }
    Grid > .grid--running { color: $text-accent; text-style: bold; }
    Grid > .grid--failed { color: $text-error; text-style: bold; }
    Grid > .grid--waiting { color: $foreground; text-style: dim; }
    Grid > .grid--none { color: $foreground; text-style: dim; }
    Grid > .grid--interrupted { color: $text-warning; }
    Grid > .grid--alarm { color: $text-warning; }
    Grid > .grid--cursor { text-style: reverse; }
    """

    class Moved(Message):
        """The cursor stands on another field, or the window is another."""

    class Opened(Message):
        """The field under the cursor is to be looked at."""

    def __init__(self) -> None:
        super().__init__(id="grid")
        self.port = Viewport()
        self._value = Value.ACCURACY
        self._marked: AbstractSet[str] = frozenset()
        # What was painted of the fields that are seen.
        self._painted: dict[Place, Painted] = {}
        # The texts of fields as they are now, and the fields, for as long as each is the same object.
        self._texts: dict[Place, tuple[Field, Painted]] = {}

    @property
    def current(self) -> Field:
        """Return the field under the cursor, an empty one in a matrix without any."""
        port = self.port
        return NOTHING if port.board is None or port.is_empty else port.board.field(port.row, port.column)

    def show(self, board: Board, value: Value, marked: AbstractSet[str]) -> None:
        """Show a state of a matrix: a field that says what it said is not painted again."""
        # The marks are a set that the caller changes.
        if (value, marked) != (self._value, self._marked):
            self._value, self._marked = value, frozenset(marked)
            self._texts.clear()
        if self.port.show(board):
            self._repaint_all()
        else:
            self._repaint(place for place in self._seen() if self._paint(*place) != self._painted.get(place))

    def go_to(self, position: int) -> None:
        """Move the cursor to the field of an experiment of the plan, if it is shown."""
        place = None if self.port.board is None else self.port.board.places.get(position)
        if place is not None:
            self._put(*place)

    def move(self, rows: int, columns: int) -> None:
        """Move the cursor by rows and columns, as far as there are any."""
        self._put(self.port.row + rows, self.port.column + columns)

    def move_page(self, pages: int) -> None:
        """Move the cursor by as many rows as are seen."""
        self.move(pages * self.port.page, 0)

    def move_mode(self, step: int) -> None:
        """Move the cursor to the first column of another mode."""
        self._put(self.port.row, self.port.other_mode(step))

    def _put(self, row: int, column: int) -> None:
        port = self.port
        old, window = (port.row, port.column), (port.top, port.lineup)
        port.put(row, column)
        if (port.row, port.column) == old:
            return
        if (port.top, port.lineup) != window:
            self._repaint_all()
        else:
            self._repaint((old, (port.row, port.column)))
        self.post_message(self.Moved())

    # ── Painting ──────────────────────────────────────────────────────────────────────────────────────

    def _seen(self) -> Iterable[Place]:
        port = self.port
        rows = 0 if port.board is None else len(port.board.rows)
        for row in range(port.top, min(rows, port.top + port.page)):
            for slot in port.lineup.slots:
                yield row, slot.column

    def _repaint_all(self) -> None:
        self._painted.clear()
        self._texts.clear()
        self.refresh()

    def _repaint(self, places: Iterable[Place]) -> None:
        regions = []
        for row, column in places:
            slot = self.port.lineup.slot(column)
            if slot is not None and self.port.sees(row, column):
                # A region counts the padding.
                x, y = slot.start + self.gutter.left, self.port.head + row - self.port.top
                regions.append(Region(x, y, slot.end - slot.start, 1))
        if regions:
            self.refresh(*regions)

    def _paint(self, row: int, column: int) -> Painted:
        """Return the text of a field that is seen, and the name of its style."""
        assert self.port.board is not None
        field = self.port.board.field(row, column)
        known = self._texts.get((row, column))
        if known is not None and known[0] is field:
            return known[1]
        slot = self.port.lineup.slot(column)
        assert slot is not None
        mark = "*" if any(tile.key in self._marked for tile in field.tiles) else " "
        width = slot.end - slot.start
        text = fill(mark + field_text(field, self._value, width - 1), width)
        self._texts[row, column] = field, (text, style_name(field))
        return self._texts[row, column][1]

    def render_line(self, y: int) -> Strip:
        """Return a line of the screen: a head, a row, or nothing."""
        board, port, width = self.port.board, self.port, self.size.width
        # Once a line: it is put together from all widgets around this one.
        base = self.rich_style
        row = port.top + y - port.head
        if board is None or not board.rows or row >= len(board.rows):
            return Strip.blank(width, base)
        if port.heads is not None and y < port.head:
            segments = [Segment(port.heads.lines(port.lineup)[y], base + self._style("head"))]
        else:
            segments = self._row_segments(row, base)
        return Strip(segments).adjust_cell_length(width, base)

    def _row_segments(self, row: int, base: Style) -> list[Segment]:
        port = self.port
        segments = [Segment(fill(port.labels[row], port.lineup.label_width), base)]
        end = port.lineup.label_width
        for slot in port.lineup.slots:
            text, name = self._painted[row, slot.column] = self._paint(row, slot.column)
            style = base + self._style(name)
            if (row, slot.column) == (port.row, port.column):
                style += self._style("cursor")
            segments += [Segment(" " * (slot.start - end), base), Segment(text, style)]
            end = slot.end
        return segments

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"grid--{name}", partial=True)

    # ── Events ────────────────────────────────────────────────────────────────────────────────────────

    def on_resize(self) -> None:
        """Show as much as fits."""
        self.port.resize(self.size.width, self.size.height)
        self._repaint_all()
        self.post_message(self.Moved())

    def on_click(self, event: events.Click) -> None:
        """Move to the field that was clicked; a second click opens it."""
        offset = event.get_content_offset(self)
        slot = None if offset is None else self.port.lineup.at(offset.x)
        if offset is None or slot is None or offset.y < self.port.head:
            return
        row = self.port.top + offset.y - self.port.head
        if self.port.board is None or row >= len(self.port.board.rows):
            return
        self._put(row, slot.column)
        if event.chain == 2:
            self.post_message(self.Opened())

    def on_mouse_scroll_down(self) -> None:
        """Move down."""
        self.move(WHEEL_ROWS, 0)

    def on_mouse_scroll_up(self) -> None:
        """Move up."""
        self.move(-WHEEL_ROWS, 0)


def style_name(field: Field) -> str:
    """Return the name of a field's style: that of its state, or of what is doubtful about it."""
    if field.state is None:
        return "none"
    return "alarm" if field.state == "done" and field.alarms else field.state
