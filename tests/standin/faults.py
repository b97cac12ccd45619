"""What goes wrong at the stand-in hub when a test wants it to."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class Faults:
    """Switches of faults, changed at any time; "every" counts by itself and 0 is never.

    Attributes:
        down: Every request is answered with 503.
        unavailable_every: Each n-th request is answered with 503.
        limit_every: Each n-th request is answered with 429.
        retry_after: The seconds that a 429 names, and a 503 too where it is not None.
        break_every: Each n-th download of a file ends in the middle.
        reset: A broken-off download ends with a reset, which the client does not resume, not with a close.
        damaged: Files ("org/name/path") whose bytes are not the ones that their hash names.
    """

    down: bool = False
    unavailable_every: int = 0
    limit_every: int = 0
    retry_after: int | None = None
    break_every: int = 0
    reset: bool = False
    damaged: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[str, Iterator[int]] = {}

    def status(self) -> int:
        """Return the status that this request is refused with, 0 when it is served."""
        if self.down or self._is_due("unavailable", self.unavailable_every):
            return 503
        return 429 if self._is_due("limit", self.limit_every) else 0

    def breaks(self) -> bool:
        """Say whether this download is broken off."""
        return self._is_due("break", self.break_every)

    def spoil(self, file: str, content: bytes) -> bytes:
        """Return what is served of a file: of a damaged one as many bytes, but others."""
        return bytes(byte ^ 1 for byte in content) if file in self.damaged else content

    def _is_due(self, what: str, every: int) -> bool:
        with self._lock:
            number = next(self._counts.setdefault(what, itertools.count(1))) if every else 1
        return bool(every) and number % every == 0
