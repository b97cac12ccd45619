"""The whole application over a sweep in every state, with its clock in the test's hands."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from nlu_arena.ledger.store import Store
from nlu_arena.tui.app import ArenaApp
from tests.tui.screen import wait_for
from tests.views.ledgers import Act, done, failed, interrupted, quick_plan, running, waiting, write_sweep

# As a person in the folder of the results names it.
LEDGER = Path("results/arena.db")
MANY: tuple[Act, ...] = (
    done(0.85),
    done(0.6),
    failed("the loss is not finite at step 12", "Lower the learning rate."),
    done(0.725),
    interrupted(),
    done(0.4),
    running(60),
    *[waiting] * 5,
)
ALL_DONE: tuple[Act, ...] = (done(),) * 12


def write(acts: Sequence[Act] = MANY, **options: Any) -> Store:
    """Write the quick sweep into the folder where the test stands; nothing in it differs by time."""
    store = write_sweep(LEDGER.parent, quick_plan(), acts, **options)
    with sqlite3.connect(LEDGER) as connection:
        connection.execute("UPDATE runs SET seconds = 41.5, folder = 'run-' || run_id")
    connection.close()
    return store


@asynccontextmanager
async def stand(size: tuple[int, int] = (80, 24), **options: Any) -> AsyncIterator[Pilot[None]]:
    """Run the application over the ledger of this folder; it looks at it only when `tick` says so."""
    app = ArenaApp(LEDGER, interval=3600, **options)
    async with app.run_test(size=size, notifications=True) as pilot:
        await settle(pilot)
        yield pilot
        await app.workers.wait_for_complete()


async def settle(pilot: Pilot[None]) -> ArenaApp:
    """Wait until everything that was read in threads is on the screen."""
    app = pilot.app
    assert isinstance(app, ArenaApp)
    await wait_for(pilot, lambda: not app.workers._workers, "the readers")
    await pilot.pause()
    return app


async def press(pilot: Pilot[None], *keys: str) -> ArenaApp:
    """Press keys, each when the one before has had its effect."""
    for key in keys:
        await pilot.press(key)
        await settle(pilot)
    return await settle(pilot)
