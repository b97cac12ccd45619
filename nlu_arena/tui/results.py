"""What of a frame decides the numbers of a comparison: not progress, only what is done and what is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nlu_arena.tui.feed import Frame


def results_of(frame: Frame) -> int:
    """Return a number that is another one when the results of a sweep are: 1 ms for 10,000 experiments."""
    sweep = frame.sweep.id if frame.sweep is not None else None
    return hash((sweep, tuple((tile.run_id, tile.state) for tile in frame.tiles)))
