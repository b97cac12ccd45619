"""How far the fetching of weights or data is."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class FetchProgress(NamedTuple):
    """One step of fetching for a model or task: `what` is done, `done` of `total` bytes (none: not known)."""

    owner: str
    what: str
    done: int
    total: int | None


Report = Callable[[FetchProgress], None]
