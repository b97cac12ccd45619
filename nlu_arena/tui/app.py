"""The application: it follows the ledger, switches between the views and knows what is selected."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import App, ComposeResult, SystemCommand
from textual.filter import LineFilter
from textual.screen import Screen

from nlu_arena.paths import results_dir
from nlu_arena.tui.acting import Acting
from nlu_arena.tui.asciifilter import AsciiFilter
from nlu_arena.tui.banner import Banner
from nlu_arena.tui.feed import Feed, Frame, Trouble
from nlu_arena.tui.header import Header
from nlu_arena.tui.identity import sweep_of
from nlu_arena.tui.interpreter import settle
from nlu_arena.tui.keyline import KeyLine
from nlu_arena.tui.keys import KEYS, palette
from nlu_arena.tui.leaving import farewell, obey_signals
from nlu_arena.tui.pulse import Pulse
from nlu_arena.tui.size import HEIGHT, WIDTH, TooSmall
from nlu_arena.tui.switcher import Switcher
from nlu_arena.tui.view import View, view_class

if TYPE_CHECKING:
    from nlu_arena.ledger.queries import Reader
    from nlu_arena.ledger.rows import Tile
    from nlu_arena.tui.starting import Started


class ArenaApp(App[None]):
    """A sweep as it happens; it reads the ledger, and writes requests only."""

    TITLE = "nlu-arena"
    HORIZONTAL_BREAKPOINTS = [(0, "-too-narrow"), (WIDTH, "-wide-enough")]
    VERTICAL_BREAKPOINTS = [(0, "-too-low"), (HEIGHT, "-high-enough")]
    CSS_PATH = "arena.tcss"
    BINDINGS = KEYS

    def __init__(
        self,
        ledger: Path,
        *,
        sweep: int | None = None,
        interval: float = 0.1,
        ascii: bool = False,
        no_color: bool = False,
        started: Started | None = None,
    ) -> None:
        """Prepare the screen of a ledger that need not exist yet.

        Args:
            ledger: The ledger's file.
            sweep: The number of the sweep to show; the newest one by default.
            interval: Seconds between two looks at the ledger.
            ascii: Use no signs beyond ASCII.
            no_color: Use the terminal's own two colours only.
            started: The sweep that was started for this screen.
        """
        # Textual takes an empty variable for set, and decides in its constructor.
        os.environ.pop("NO_COLOR", None)
        if no_color:
            os.environ["NO_COLOR"] = "1"
        super().__init__(ansi_color=True if no_color else None)
        # Nothing moves by itself: it costs processor time that the sweep needs.
        self.animation_level = "none"
        self.ledger = ledger
        self.ascii = ascii
        self.frame: Frame | None = None
        self.trouble: Trouble | None = None
        self.selected_key: str | None = None
        self.marked: set[str] = set()
        self._pulse = Pulse(Feed(ledger, sweep), interval)
        self._selected_at = 0
        self._trail: list[str] = []
        self._acting = Acting(self, ledger)
        self._started = started
        self._header = Header(ledger)
        self._banner = Banner()
        self._switcher = Switcher(initial=None)

    # ── What views ask ────────────────────────────────────────────────────────────────────────────────

    @property
    def selected(self) -> Tile | None:
        """Return the selected experiment as the newest frame knows it."""
        if self.frame is None or self.selected_key is None:
            return None
        tiles, at = self.frame.tiles, self._selected_at
        if at >= len(tiles) or tiles[at].key != self.selected_key:
            at = next((place for place, tile in enumerate(tiles) if tile.key == self.selected_key), -1)
            self._selected_at = max(0, at)
        return tiles[at] if at >= 0 else None

    @property
    def here(self) -> str:
        """Return the results folder as commands must name it, empty where it is the usual one."""
        folder = self.ledger.parent
        return "" if folder.resolve() == results_dir().resolve() else str(folder)

    @property
    def view(self) -> View | None:
        """Return the view that is shown, None also while the screen closes."""
        # News may come when the views are gone already.
        shown = (child for child in self._switcher.children if child.id == self._switcher.current)
        return next((child for child in shown if isinstance(child, View)), None)

    def select(self, key: str | None) -> None:
        """Select an experiment, for all views; None where the cursor stands on none."""
        self.selected_key = key

    def reader(self) -> Reader:
        """Open the ledger for the calling thread, which closes it: `with app.reader() as reader`.

        Raises:
            ArenaError: It cannot be read.
        """
        from nlu_arena.ledger.queries import Reader

        return Reader.open(self.ledger)

    def farewell(self) -> list[str]:
        """Return what to say on the normal screen after this one has gone."""
        return farewell(self.frame, self.ledger.parent)

    # ── Life ──────────────────────────────────────────────────────────────────────────────────────────

    def compose(self) -> ComposeResult:
        """Lay out the header, the banner, the views and the line of keys."""
        yield self._header
        yield self._banner
        yield self._switcher
        yield KeyLine(ascii=self.ascii)
        yield TooSmall()

    async def on_mount(self) -> None:
        """Show the first state of the ledger and begin to follow it."""
        self.screen.set_class(self.ascii, "-ascii")
        obey_signals(self)
        if self._started is not None:
            self._acting.watch(self._started)
        await self.action_view("matrix")
        self.tick()
        # By messages: a fault in a view then ends the screen like any other, with its traceback.
        self._pulse.begin(
            lambda news: self.call_next(self._take, news), lambda: self.call_next(self._show_age)
        )

    def on_ready(self) -> None:
        """Go on as usual once the first state has been painted."""
        settle()

    def on_unmount(self) -> None:
        """Close the ledger."""
        self._pulse.end()

    def tick(self) -> None:
        """Look at the ledger once, and show what has changed."""
        news = self._pulse.look()
        if news is not None:
            self._take(news)

    def _take(self, news: Frame | Trouble) -> None:
        if news == self.trouble:
            return
        if isinstance(news, Trouble):
            self.trouble = news
        else:
            if self.frame is not None and sweep_of(self.frame) != sweep_of(news):
                # Experiments of another sweep can be marked no longer; the same ones still are.
                self.marked &= {tile.key for tile in news.tiles}
            self.trouble, self.frame = None, news
        self.show_frame()

    def show_frame(self) -> None:
        """Show the newest frame, and the trouble there may be, everywhere."""
        self._show_age()
        self._switcher.set_class(self.trouble is not None, "-stale")
        if self.frame is not None and self.view is not None:
            self.view.show(self.frame)

    def _show_age(self) -> None:
        self._header.show(self.frame, self.trouble)
        self._banner.show(self.frame, self.trouble)

    # ── Actions ───────────────────────────────────────────────────────────────────────────────────────

    async def action_view(self, name: str) -> None:
        """Show a view."""
        if name == self._switcher.current:
            return
        if name == "matrix":
            self._trail.clear()
        elif self._switcher.current is not None:
            self._trail.append(self._switcher.current)
        await self._open(name)

    async def action_back(self) -> None:
        """Leave what is passing in a view, or the view."""
        if self.view is not None and self.view.back():
            return
        if self._trail:
            await self._open(self._trail.pop())

    async def _open(self, name: str) -> None:
        if not self._switcher.is_attached:
            # A key that was pressed after the one that leaves.
            return
        if not self._switcher.query_children(f"#{name}"):
            await self._switcher.add_content(view_class(name)(id=name))
        self._switcher.current = name
        view = self.view
        if view is None:
            return
        view.set_class(self.ascii, "-ascii")
        view.take_focus()
        if self.frame is not None:
            view.show(self.frame)
        self._show_age()

    def action_refresh(self) -> None:
        """Look at the ledger now and paint everything again."""
        self.tick()
        self.show_frame()
        self.refresh(repaint=True, layout=True)

    def action_light_or_dark(self) -> None:
        """Change between a light and a dark theme."""
        self.theme = "textual-light" if self.current_theme.dark else "textual-dark"

    def action_help(self) -> None:
        """Show all keys."""
        from nlu_arena.tui.help import HelpScreen

        self.push_screen(HelpScreen())

    def action_stop(self) -> None:
        """Ask the sweep to stop, after a confirmation."""
        self._acting.stop(self.frame)

    def action_retry(self) -> None:
        """Ask the sweep to try what failed again, after a confirmation."""
        self._acting.retry(self.frame, self.selected)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return what every line goes through on its way to the terminal."""
        filters = super().get_line_filters()
        return [*filters, AsciiFilter()] if self.ascii else filters

    def get_system_commands(self, _screen: Screen[object]) -> Iterable[SystemCommand]:
        """Return what the command palette offers."""
        return palette(self)
