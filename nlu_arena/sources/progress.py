"""How far the fetching of a model's weights is."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class FetchProgress(NamedTuple):
    """One step of fetching: `what` is being done, `done` of `total` bytes (none: not known)."""

    model: str
    what: str
    done: int
    total: int | None


Report = Callable[[FetchProgress], None]
