"""The counts of a sweep's experiments by state, and the time that is left, kept up with each change."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from nlu_arena.ledger.rows import CellState, Tile

# What experiments must have in common for the one to tell how long the other takes, the closest first.
Kinship = tuple[str, ...]


class Totals(NamedTuple):
    """How many experiments of a sweep are in which state, and the seconds until its end, None if unknown."""

    total: int
    done: int
    failed: int
    running: int
    waiting: int
    interrupted: int
    seconds_left: float | None


class Tally:
    """The sums over a sweep's tiles: one that changes is taken out and put in again."""

    def __init__(self) -> None:
        self._states: Counter[CellState] = Counter()
        self._finished: Counter[Kinship] = Counter()
        self._seconds: Counter[Kinship] = Counter()
        # What has no end yet, by the kinships of those experiments, and how long that has been running.
        self._ahead: Counter[tuple[Kinship, ...]] = Counter()
        self._running: dict[int, Tile] = {}

    def put(self, tile: Tile) -> None:
        """Count a tile."""
        self._count(tile, 1)
        if tile.state == "running":
            self._running[tile.position] = tile

    def take(self, tile: Tile) -> None:
        """Count a tile no longer."""
        self._count(tile, -1)
        self._running.pop(tile.position, None)

    @property
    def running(self) -> list[Tile]:
        """Return the tiles that are running, in the order of the plan."""
        return [self._running[position] for position in sorted(self._running)]

    def totals(self, lanes: int | None) -> Totals:
        """Return the sums.

        Args:
            lanes: How many experiments are worked on at a time, None where nobody works on them.
        """
        states = self._states
        return Totals(
            total=states.total(),
            done=states["done"],
            failed=states["failed"],
            running=states["running"],
            waiting=states["waiting"],
            interrupted=states["interrupted"],
            seconds_left=None if lanes is None else self._seconds_left(lanes),
        )

    def _count(self, tile: Tile, sign: int) -> None:
        self._states[tile.state] += sign
        if tile.state == "done" and tile.seconds is not None:
            for kin in _kinships(tile):
                self._finished[kin] += sign
                self._seconds[kin] += sign * tile.seconds  # type: ignore[assignment]
        elif tile.state == "waiting":
            self._ahead[_kinships(tile)] += sign

    def _seconds_left(self, lanes: int) -> float | None:
        """Return the mean time of the closest kin that is done for each that is not, shared by the lanes.

        One experiment without kin makes the whole unknown: a guess that grows is worse than none.
        """
        left = 0.0
        for kinships, count in self._ahead.items():
            if count:
                expected = self._expect(kinships)
                if expected is None:
                    return None
                left += count * expected
        for tile in self._running.values():
            expected = self._expect(_kinships(tile))
            if expected is None:
                return None
            left += max(0.0, expected - (tile.seconds or 0.0))
        at_once = min(lanes, self._states["waiting"] + self._states["running"])
        return left / at_once if at_once else 0.0

    def _expect(self, kinships: tuple[Kinship, ...]) -> float | None:
        for kin in kinships:
            if self._finished[kin]:
                return self._seconds[kin] / self._finished[kin]
        return None


def _kinships(tile: Tile) -> tuple[Kinship, ...]:
    alike = (tile.model, tile.mode)
    return (*alike, tile.task, tile.variant), (*alike, tile.task), alike
