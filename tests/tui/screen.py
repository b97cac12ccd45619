"""What a person sees on the screen under test, as text; and waiting for it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from textual.app import App
from textual.pilot import Pilot

PATIENCE = 10.0


def screen_lines(app: App[Any]) -> list[str]:
    """Return the lines of the screen without the blanks at their ends."""
    # Textual has no public way to the text; this is the one place that knows.
    strips = app.screen._compositor.render_strips()
    return ["".join(segment.text for segment in strip).rstrip() for strip in strips]


def screen_text(app: App[Any]) -> str:
    """Return the screen as one text."""
    return "\n".join(screen_lines(app))


async def wait_for(pilot: Pilot[Any], condition: Callable[[], bool], what: str) -> None:
    """Wait until something is so, bounded by the clock; says what was awaited and what was on the screen."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"waited for {what}; the screen:\n{screen_text(pilot.app)}"
        await pilot.pause(0.01)
