"""The regular look at the ledger while the screen is open."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from nlu_arena.tui.feed import Feed, Frame, Trouble

# A writer that commits more often is seen five times a second: a repaint costs more than a look.
SECONDS_BETWEEN_FRAMES = 0.2
# Ages are shown by the second.
SECONDS_BETWEEN_BEATS = 1.0


class Pulse:
    """Looks by the event loop's own clock: a look that finds nothing must cost no message to any widget."""

    def __init__(self, feed: Feed, interval: float) -> None:
        """Prepare to look every so many seconds."""
        self._feed = feed
        self._interval = interval
        self._news_at = 0.0
        self._beat_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def look(self) -> Frame | Trouble | None:
        """Look once; a fault in reading is a trouble like others, and the next look may be better."""
        try:
            return self._feed.poll()
        except Exception as error:
            return Trouble("unreadable", f"the ledger cannot be read: {error}", "")

    def begin(self, tell: Callable[[Frame | Trouble], object], beat: Callable[[], object]) -> None:
        """Look from now on, tell what is new, and beat once a second."""

        def wake() -> None:
            now = time.monotonic()
            self._timer = loop.call_later(self._interval, wake)
            if now - self._news_at >= SECONDS_BETWEEN_FRAMES and (news := self.look()) is not None:
                self._news_at = now
                tell(news)
            if now - self._beat_at >= SECONDS_BETWEEN_BEATS:
                self._beat_at = now
                beat()

        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._interval, wake)

    def end(self) -> None:
        """Look no more, and close the ledger."""
        if self._timer is not None:
            self._timer.cancel()
        self._feed.close()
