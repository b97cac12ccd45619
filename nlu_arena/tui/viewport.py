"""The part of a matrix that is seen, and the cursor in it, which stays on its row and column by name."""

from __future__ import annotations

from nlu_arena.tui.board import Board
from nlu_arena.tui.columns import Lineup, column_widths, group_of, label_of, line_up, whole_width
from nlu_arena.tui.heads import Heads

NOTHING = Lineup(0, ())


class Viewport:
    """A window on a matrix that moves as little as it must to show the cursor."""

    def __init__(self) -> None:
        self.board: Board | None = None
        self.labels: list[str] = []
        self.row = 0
        self.column = 0
        self.top = 0
        self.heads: Heads | None = None
        self.lineup = NOTHING
        self._widths: list[int] = []
        self._width = 0
        self._height = 0

    @property
    def head(self) -> int:
        """Return how many lines stand above the rows."""
        return self.heads.height if self.heads is not None else 0

    @property
    def whole(self) -> tuple[int, int]:
        """Return the cells and lines that the whole matrix needs."""
        return whole_width(self.labels, self._widths), self.head + len(self.labels)

    @property
    def page(self) -> int:
        """Return how many rows fit."""
        return max(1, self._height - self.head)

    @property
    def is_empty(self) -> bool:
        """Say whether there is no field for a cursor."""
        return self.board is None or not self.board.rows

    @property
    def place_text(self) -> str:
        """Say which part of the rows and columns is seen, nothing where all of it is."""
        if self.board is None or self.is_empty:
            return ""
        rows, columns, slots = len(self.board.rows), len(self.board.columns), self.lineup.slots
        last = min(rows, self.top + self.page)
        parts = [f"rows {self.top + 1}-{last} of {rows}"] if last - self.top < rows else []
        if 0 < len(slots) < columns:
            parts.append(f"columns {slots[0].column + 1}-{slots[-1].column + 1} of {columns}")
        return ", ".join(parts)

    def sees(self, row: int, column: int) -> bool:
        """Say whether a field is seen."""
        return 0 <= row - self.top < self.page and self.lineup.slot(column) is not None

    def resize(self, width: int, height: int) -> None:
        """Take another size."""
        self._width, self._height = width, height
        self._arrange()

    def show(self, board: Board) -> bool:
        """Take a matrix, and say whether it has other rows or columns than the last."""
        last, self.board = self.board, board
        if last is not None and (last.rows, last.columns) == (board.rows, board.columns):
            return False
        if last is not None and last.rows and board.rows:
            row, column = last.rows[self.row], last.columns[self.column]
            self.row = board.rows.index(row) if row in board.rows else self.row
            self.column = board.columns.index(column) if column in board.columns else self.column
        self.labels = [label_of(row) for row in board.rows]
        widths = column_widths(board)
        self.heads = Heads(board, widths)
        self._widths = self.heads.widen(widths)
        self.put(self.row, self.column)
        return True

    def put(self, row: int, column: int) -> None:
        """Put the cursor on a field, or on the nearest there is."""
        if self.board is None:
            return
        self.row = max(0, min(row, len(self.board.rows) - 1))
        self.column = max(0, min(column, len(self.board.columns) - 1))
        self._arrange()

    def other_mode(self, step: int) -> int:
        """Return the first column of the next or the last mode, of this one where it is the only."""
        if self.board is None or self.is_empty:
            return self.column
        groups = self.board.groups
        here = groups.index(group_of(self.board, self.column))
        return groups[(here + step) % len(groups)].start

    def _arrange(self) -> None:
        if self.board is None or not self._width:
            return
        if self.is_empty:
            self.top, self.lineup = 0, NOTHING
            return
        first = self.lineup.slots[0].column if self.lineup.slots else 0
        self.lineup = line_up(self.board, self.labels, self._widths, self._width, first, self.column)
        top = min(self.top, self.row, max(0, len(self.board.rows) - self.page))
        self.top = max(top, self.row - self.page + 1, 0)
