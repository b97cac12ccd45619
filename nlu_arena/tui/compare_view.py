"""The view of a comparison: the marked runs, or all, against a baseline, as `nlu-arena compare` shows it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, get_args

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from nlu_arena.comparing import Order
from nlu_arena.errors import ArenaError
from nlu_arena.tui.comparison import Answered, Asked, Comparer
from nlu_arena.tui.computation import Computation
from nlu_arena.tui.fitting import cut_middle
from nlu_arena.tui.scrolling import ASCII_SIGNS, Page, RowList
from nlu_arena.tui.view import View
from nlu_arena.views.figures import format_count
from nlu_arena.views.text import clean

if TYPE_CHECKING:
    from nlu_arena.tui.feed import Frame

ORDERS: tuple[Order, ...] = get_args(Order)


class CompareView(View):
    """Who is better or as good, how sure that is, and at what cost."""

    DEFAULT_CSS = """
    CompareView { layout: vertical; padding: 0 0 0 1; }
    CompareView > #compare-title { height: 1; color: $text-muted; }
    CompareView > #compare-choices { display: none; height: auto; max-height: 50%; }
    CompareView.-choosing > #compare-choices { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "b",
            "baseline",
            "Baseline",
            id="compare.baseline",
            tooltip="Choose what the others are compared with",
        ),
        Binding("s", "sort", "Sort", id="compare.sort", tooltip="By difference, accuracy, latency or name"),
        Binding("enter", "choose", "Choose", show=False, id="compare.choose", tooltip="Take this baseline"),
    ]

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._title = Static(id="compare-title", markup=False)
        self._page = Page(id="compare-page")
        self._rows = RowList(self._draw_choice, id="compare-choices")
        self._comparer = Comparer()
        self._computation = Computation(
            self, self._compute, show=self._show_answer, fail=self._say_failure, wait=self._say_waiting
        )
        self._frame: Frame | None = None
        self._baseline = ""
        self._order: Order = ORDERS[0]
        self._choices: Sequence[str] = ()
        self._offered: Sequence[str] = ()
        self._current = ""
        self._shown: Asked | None = None

    def compose(self) -> ComposeResult:
        """Lay out a line that says what is compared, the choice of a baseline, and the page."""
        yield self._title
        yield self._page
        yield self._rows

    def show(self, frame: Frame) -> None:
        """Compare what is done now."""
        self._frame = frame
        self._ask()

    def back(self) -> bool:
        """Leave the choice of a baseline."""
        was_choosing = self.has_class("-choosing")
        self.remove_class("-choosing")
        self._page.focus()
        return was_choosing

    def on_resize(self) -> None:
        """Draw the page in the new width."""
        self._ask()

    # ── Keys ──────────────────────────────────────────────────────────────────────────────────────────

    def action_baseline(self) -> None:
        """Choose a baseline."""
        if self.back() or not self._choices:
            return
        self.add_class("-choosing")
        # A run that ends meanwhile does not change what is under the cursor.
        offered = self._offered = self._choices
        self._rows.styles.height = len(offered)
        self._rows.set_rows(len(offered), offered.index(self._current) if self._current in offered else 0)
        self._rows.focus()

    def action_choose(self) -> None:
        """Compare with the baseline under the cursor."""
        if not self.has_class("-choosing"):
            return
        self._baseline = self._offered[self._rows.cursor]
        self.back()
        self._ask()

    def action_sort(self) -> None:
        """Sort the rows of the same texts in the next order."""
        self._order = ORDERS[(ORDERS.index(self._order) + 1) % len(ORDERS)]
        self._ask()

    # ── Work ──────────────────────────────────────────────────────────────────────────────────────────

    def _ask(self) -> None:
        if self._frame is not None and self.size.width > 2:
            marked = frozenset(self.arena.marked)
            # Less the bar at the right.
            width = self.size.width - 1
            self._computation.want(Asked(self._frame.results, marked, self._baseline, self._order, width))

    def _compute(self, asked: Asked) -> Answered:
        with self.arena.reader() as reader:
            return self._comparer.answer(reader, asked, here=self.arena.here, ascii=self.arena.ascii)

    # ── Showing ───────────────────────────────────────────────────────────────────────────────────────

    def _show_answer(self, asked: Asked, answered: Answered) -> None:
        is_other = self._shown is None or self._shown[1:4] != asked[1:4]
        self._shown = asked
        self._choices, self._current = answered.choices, answered.baseline
        self._page.set_lines(answered.strips, from_top=is_other)
        self._say(
            f"{format_count(len(asked.marked), 'run')} marked" if asked.marked else "everything done",
            f"by {asked.order}",
            "" if answered.has_rows else "b chooses another baseline",
        )

    def _say_failure(self, error: Exception) -> None:
        hint = error.hint if isinstance(error, ArenaError) else ""
        self._say(f"not compared: {error}", hint)

    def _say_waiting(self) -> None:
        self._say("computing…")

    def _say(self, *parts: str) -> None:
        width = max(1, self.size.width)
        line = cut_middle(clean(" · ".join(filter(None, parts))), width)
        self._title.update(line.translate(ASCII_SIGNS) if self.arena.ascii else line)

    def _draw_choice(self, place: int, width: int) -> Text:
        return Text(cut_middle(clean(f" {self._offered[place]}"), width))
