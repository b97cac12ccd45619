"""How an action speaks to the person: a question, a toast, a line that stays; and where it waits."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from typing import Any, Literal

from textual.app import App

from nlu_arena.errors import ArenaError
from nlu_arena.tui.banner import Banner
from nlu_arena.tui.confirm import Confirm
from nlu_arena.views.text import clean


class Voice:
    """What is said on one screen; only `later` and `in_background` may be called from another thread."""

    def __init__(self, app: App[Any]) -> None:
        self._app = app

    def confirm(self, question: Confirm, act: Callable[[], None]) -> None:
        """Ask, and act if the answer is yes; older toasts do not cover the question."""
        self._app.clear_notifications()
        self._app.push_screen(question, lambda is_yes: act() if is_yes else None)

    def say(self, text: str, severity: Literal["information", "warning", "error"] = "information") -> None:
        """Say something that soon goes away."""
        self._app.notify(clean(text), severity=severity, markup=False)

    def refuse(self, error: ArenaError) -> None:
        """Say why something cannot be done, and what to do."""
        self.say(f"{error.message}. {error.hint}".rstrip(), "error")

    def show(self, text: str, *, while_live: bool = False) -> None:
        """Put a text into the banner, where {} becomes the time of day.

        It stays until the next one, or until a sweep begins, or only as long as the sweep is alive.
        """
        # On the first screen, also while a question is open above it.
        banner = self._app.screen_stack[0].query_one(Banner)
        banner.tell(text.replace("{}", time.strftime("%H:%M:%S")), while_live=while_live)

    def in_background(self, work: Callable[[], None]) -> None:
        """Work in a thread that ends with the screen: a request may wait long for a locked file.

        Its errors for people are said; what it says itself goes through `later`.
        """

        def run() -> None:
            try:
                work()
            except ArenaError as error:
                self.later(self.show, "")
                self.later(self.refuse, error)

        threading.Thread(target=run, daemon=True).start()

    def later(self, act: Callable[..., None], *values: Any) -> None:
        """Act in the screen's thread, unless the screen was closed while somebody waited."""
        if self._app.is_running:
            with contextlib.suppress(RuntimeError):
                self._app.call_from_thread(act, *values)
