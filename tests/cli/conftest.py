from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.cli.arena import Arena

MakeArena = Callable[..., Arena]


@pytest.fixture
def make_arena(tmp_path: Path) -> MakeArena:
    """Gives a user's folder whose profile "toys" has these tasks; a task's name says how its run goes."""

    def make(tasks: Sequence[str] = ("answers", "more")) -> Arena:
        return Arena(tmp_path, tasks)

    return make
