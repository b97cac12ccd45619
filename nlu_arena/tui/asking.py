"""A request to the sweep that is running, and its answer, which may never come."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from nlu_arena.errors import NothingToShowError
from nlu_arena.ledger.control import request
from nlu_arena.ledger.lock import is_held
from nlu_arena.ledger.queries import Reader
from nlu_arena.ledger.rows import ControlAction

# A sweep looks for requests once a second. One that has not looked for this long is getting ready, is at a
# long write, or hangs: in seconds.
PATIENCE = 10.0
PAUSE = 0.1


def ask(
    ledger: Path,
    action: ControlAction,
    keys: Sequence[str] = ("",),
    *,
    patience: float = PATIENCE,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], object] = time.sleep,
) -> list[str | None]:
    """Ask the running sweep for something, once for each key, and wait for the answers.

    Args:
        ledger: The ledger that the sweep writes.
        action: "stop", with no key, or "retry".
        keys: The experiments to be tried again.
        patience: How long to wait for all answers, in seconds.
        clock: Gives seconds.
        pause: Waits for some seconds.

    Returns:
        the answers in the order of the keys, None for each that did not come in time.

    Raises:
        NothingToShowError: No sweep is running, or it ended before it answered.
        LedgerError: The request cannot be written.
    """
    numbers = [request(ledger, action, key) for key in keys]
    until = clock() + patience
    with Reader.open(ledger) as reader:
        while True:
            # Asked before the answers are read: the last ones may come just before the end.
            is_alive = is_held(ledger)
            answers = [reader.answer(number) for number in numbers]
            if None not in answers or clock() >= until:
                return answers
            if not is_alive:
                raise NothingToShowError("the sweep ended before it answered")
            pause(PAUSE)
