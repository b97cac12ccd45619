"""One view alone on the screen, over a ledger: what it shows does not depend on what is around it."""

from __future__ import annotations

from pathlib import Path

from textual.app import App, ComposeResult
from textual.pilot import Pilot

from nlu_arena.ledger.queries import Reader
from nlu_arena.tui.feed import Feed, Frame, Tile
from nlu_arena.tui.view import View
from tests.tui.screen import screen_text


class Stage(App[None]):
    """Stands for the application: it has what views ask of it."""

    CSS = ".-ascii * { scrollbar-size: 0 0; }"

    def __init__(self, ledger: Path, view: type[View], *, ascii: bool = False) -> None:
        super().__init__()
        self.animation_level = "none"
        self.ledger, self.ascii, self.here = ledger, ascii, ""
        self.marked: set[str] = set()
        self.selected: Tile | None = None
        self.frame: Frame | None = None
        self.feed = Feed(ledger)
        self.view = view(id="view")

    def compose(self) -> ComposeResult:
        yield self.view

    def on_mount(self) -> None:
        self.screen.set_class(self.ascii, "-ascii")
        target = next(w for w in (self.view, *self.view.query("*")) if w.focusable)
        self.screen.set_focus(target)

    def on_unmount(self) -> None:
        self.feed.close()

    def reader(self) -> Reader:
        return Reader.open(self.ledger)

    def tick(self) -> Frame:
        """Look at the ledger and show it."""
        found = self.feed.poll()
        if isinstance(found, Frame):
            self.frame = found
        assert self.frame is not None, found
        self.view.show(self.frame)
        return self.frame

    def mark(self, *models: str) -> None:
        """Mark all experiments of some models."""
        assert self.frame is not None
        self.marked = {tile.key for tile in self.frame.tiles if tile.model in models}

    def text(self) -> str:
        return screen_text(self)


async def settle(pilot: Pilot[None]) -> Stage:
    """Wait until the view has computed and shown what it was asked for, and return the stage."""
    app = pilot.app
    assert isinstance(app, Stage)
    await app.workers.wait_for_complete()
    await pilot.pause()
    await app.workers.wait_for_complete()
    await pilot.pause()
    return app


async def press(pilot: Pilot[None], *keys: str) -> Stage:
    """Press keys, each when the one before has had its effect."""
    stage = await settle(pilot)
    for key in keys:
        await pilot.press(key)
        await settle(pilot)
    return stage
