"""What sweeps and runs on the screen are known by, whatever their ledger does."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nlu_arena.ledger.rows import Tile
    from nlu_arena.tui.feed import Frame


def sweep_of(frame: Frame) -> tuple[int, str] | None:
    """Return what a sweep is known by, also beside one of the same number elsewhere; None for none."""
    return None if frame.sweep is None else (frame.sweep.id, frame.sweep.started_at)


def course_of(tile: Tile) -> tuple[object, ...]:
    """Return what is another when an experiment's run has come further than inside a phase, or is another."""
    ended = "" if tile.state == "running" else tile.updated_at
    return tile.key, tile.run_id, tile.state, tile.phase, ended
