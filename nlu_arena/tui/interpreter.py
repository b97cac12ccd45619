"""How Python itself is set for a screen: nothing that a person would feel stops the event loop."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# A thread that computes hands the lock over after this long. Between a key and its paint the lock changes
# hands a dozen times: with Python's own 5 ms the keys would wait for over 100 ms.
SWITCH_SECONDS = 0.0005


def hurry() -> None:
    """Prepare for a quick start, until `settle`.

    Hardly anything that is made before the first paint becomes garbage: to search for it takes 50 of 500 ms.
    """
    gc.disable()
    sys.setswitchinterval(SWITCH_SECONDS)


def settle() -> None:
    """Let Python search for cyclic garbage again."""
    gc.enable()


@contextmanager
def putting_off_garbage() -> Iterator[None]:
    """Do something large without Python's search for cyclic garbage.

    Reading 10,000 runs makes hundreds of thousands of objects without a cycle: each search among them stops
    all threads for 0.1 to 0.3 s, and with them the keys.
    """
    gc.disable()
    try:
        yield
    finally:
        # What was made goes to the oldest generation unseen: as the youngest it would be searched at once.
        gc.freeze()
        gc.unfreeze()
        gc.enable()
