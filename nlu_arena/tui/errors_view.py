"""The view of the mistakes: what is taken for what, the texts, and what everybody answered to one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.console import Group
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.widgets import Static

from nlu_arena.errors import ArenaError
from nlu_arena.tui.computation import Computation
from nlu_arena.tui.error_rows import (
    cut_names,
    draw_confusion,
    draw_example,
    find_texts,
    open_text,
    say_confusion,
)
from nlu_arena.tui.inspection import Inspection, Inspector, Request
from nlu_arena.tui.scrolling import ASCII_SIGNS, Page, RowList, draw_lines
from nlu_arena.tui.view import View
from nlu_arena.views.errors import title_of
from nlu_arena.views.figures import format_count
from nlu_arena.views.gallery import gallery_lines
from nlu_arena.views.text import clean

if TYPE_CHECKING:
    from nlu_arena.tui.feed import Frame

# From so many cells on all three panes stand side by side; below the other one there is room for one list.
THREE_PANES, ONE_LIST = 120, 80


class ErrorsView(View):
    """Which texts are answered wrong, by whom and how."""

    DEFAULT_CSS = """
    ErrorsView { layout: vertical; }
    ErrorsView > Static { height: 1; padding: 0 1; }
    ErrorsView > #errors-title { text-style: bold; }
    ErrorsView > #errors-set { color: $text-muted; }
    ErrorsView #errors-panes { layout: vertical; height: 1fr; padding: 0 0 0 1; }
    ErrorsView #errors-lists { layout: horizontal; height: 45%; }
    ErrorsView #errors-confusions { dock: left; width: 34; margin: 0 1 0 0; }
    ErrorsView #errors-text { margin: 1 0 0 0; }
    ErrorsView.-three #errors-panes { layout: horizontal; }
    ErrorsView.-three #errors-lists { width: 60%; height: 1fr; }
    ErrorsView.-three #errors-text { margin: 0 0 0 2; }
    ErrorsView.-one #errors-confusions { width: 100%; margin: 0; display: none; }
    ErrorsView.-one.-confusions #errors-confusions { display: block; }
    ErrorsView.-one.-confusions #errors-list { display: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "s", "next_set", "Set", id="errors.set", tooltip="The next set of texts: who is wrong on them"
        ),
        Binding("o", "other_texts", "Other texts", id="errors.texts", tooltip="The next split or task"),
        Binding(
            "g", "confusions", "Confusions", id="errors.confusions", tooltip="To the confusions and back"
        ),
        Binding("n", "example(1)", "Next", id="errors.next", tooltip="The next text"),
        Binding("p", "example(-1)", "Previous", id="errors.previous", tooltip="The text before"),
        Binding(
            "enter",
            "confusions",
            "List",
            show=False,
            id="errors.enter",
            tooltip="From a confusion to its texts",
        ),
    ]

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._title = Static(id="errors-title", markup=False)
        self._set = Static(id="errors-set", markup=False)
        self._confusions = RowList(self._draw_confusion, id="errors-confusions")
        self._list = RowList(self._draw_example, id="errors-list")
        self._text = Page(id="errors-text")
        self._inspector = Inspector()
        self._computation = Computation(
            self, self._compute, show=self._show_answer, fail=self._say_failure, wait=self._say_waiting
        )
        self._frame: Frame | None = None
        self._inspection: Inspection | None = None
        self._answered: Request | None = None
        self._places: list[int] = []
        self._came_for: str | None = None
        self._of_task, self._further, self._of_set = "", 0, 0

    def compose(self) -> ComposeResult:
        """Lay out two lines that say what is listed, the two lists and the text."""
        yield self._title
        yield self._set
        with Container(id="errors-panes"):
            with Container(id="errors-lists"):
                # The first one has the focus when the view is opened.
                yield self._list
                yield self._confusions
            yield self._text

    def show(self, frame: Frame) -> None:
        """Look at what is done now: on another task when another experiment was selected since."""
        self._frame = frame
        selected = self.arena.selected
        if selected is not None and selected.key != self._came_for:
            self._came_for, self._of_task, self._further = selected.key, selected.task, 0
        self._ask()

    def back(self) -> bool:
        """Leave the confusions: first the one that is chosen, then the list of them."""
        if self._confusions.cursor:
            self._confusions.action_jump(0)
            return True
        if self._confusions.has_focus:
            self.action_confusions()
            return True
        return False

    def on_resize(self) -> None:
        """Lay out the panes for the width there is, and fold the text anew."""
        self.set_class(self.size.width >= THREE_PANES, "-three")
        self.set_class(self.size.width < ONE_LIST, "-one")
        if self._inspection is not None:
            self._say_listed(self._inspection)
        self.call_after_refresh(self._show_text)

    # ── Keys ──────────────────────────────────────────────────────────────────────────────────────────

    def action_next_set(self) -> None:
        """List the next set of texts."""
        self._of_set += 1
        self._ask()

    def action_other_texts(self) -> None:
        """Look at the next split, the same split of other data, or the next task."""
        self._further += 1
        self._ask()

    def action_confusions(self) -> None:
        """Go to the confusions, or back to the list."""
        to_confusions = not self._confusions.has_focus
        self.set_class(to_confusions, "-confusions")
        (self._confusions if to_confusions else self._list).focus()

    def action_example(self, rows: int) -> None:
        """Show another text of the list."""
        self._list.action_move(rows)

    @on(RowList.Moved, "#errors-confusions")
    def _list_confusion(self) -> None:
        self._show_list(None)

    @on(RowList.Moved, "#errors-list")
    def _read_text(self) -> None:
        self._show_text()

    # ── Work ──────────────────────────────────────────────────────────────────────────────────────────

    def _ask(self) -> None:
        if self._frame is not None:
            marked = frozenset(self.arena.marked)
            self._computation.want(
                Request(self._frame.results, marked, self._of_task, self._further, self._of_set)
            )

    def _compute(self, request: Request) -> Inspection:
        with self.arena.reader() as reader:
            return self._inspector.look(reader, request)

    # ── Showing ───────────────────────────────────────────────────────────────────────────────────────

    def _show_answer(self, request: Request, found: Inspection) -> None:
        """Show what was found; with new results of the same texts the cursors stay where they are."""
        is_same = self._answered is not None and self._answered[1:] == request[1:]
        before = self._inspection
        place = self._places[self._list.cursor] if is_same and self._places else None
        row = before.confusions[self._confusions.cursor] if is_same and before is not None else None
        self._inspection, self._answered = found, request
        at = [r[1:] for r in found.confusions]
        self._confusions.set_rows(len(at), at.index(row[1:]) if row is not None and row[1:] in at else 0)
        self._show_list(place)

    def _show_list(self, place: int | None) -> None:
        """List the texts of the confusion under the cursor; the cursor goes to a place where it is listed."""
        found = self._inspection
        if found is None:
            return
        row = found.confusions[self._confusions.cursor]
        self._places = find_texts(found.review, found.error_set.members, row)
        self._list.set_rows(len(self._places), self._places.index(place) if place in self._places else 0)
        self._say_listed(found)
        self._show_text()

    def _say_listed(self, found: Inspection) -> None:
        """Say what texts these are, and which of them are listed."""
        row = found.confusions[self._confusions.cursor]
        count = f"{found.place + 1} of {found.places}: " if found.places > 1 else ""
        listed = f"{format_count(len(self._places), 'text')} on which {found.error_set.title}"
        self._say(self._title, f"{count}{title_of(found.review)}")
        self._say(self._set, listed, say_confusion(row, found.review))

    def _show_text(self) -> None:
        """Show the text under the cursor with everybody's answers."""
        found, width = self._inspection, self._text.scrollable_content_region.width
        if found is None or width < 1:
            return
        if not self._places:
            self._text.set_lines([])
            return
        one = open_text(found.review, self._places[self._list.cursor])
        self._text.set_lines(draw_lines(Group(*gallery_lines(one)), width, ascii=self.arena.ascii))

    def _say_failure(self, error: Exception) -> None:
        hint = error.hint if isinstance(error, ArenaError) else ""
        self._say(self._title, str(error))
        self._say(self._set, hint)

    def _say_waiting(self) -> None:
        self._say(self._title, "computing…")

    def _say(self, line: Static, *parts: str) -> None:
        text = cut_names([clean(part) for part in parts], max(1, self.size.width - 2))
        line.update(text.translate(ASCII_SIGNS) if self.arena.ascii else text)

    def _draw_confusion(self, place: int, width: int) -> Text:
        assert self._inspection is not None
        return draw_confusion(self._inspection.confusions[place], self._inspection.review, width)

    def _draw_example(self, place: int, width: int) -> Text:
        assert self._inspection is not None
        return draw_example(self._inspection.review, self._places[place], width)
