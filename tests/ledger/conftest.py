from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return tmp_path / "results" / "arena.db"


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that any user can reach: those of tmp_path are closed to others."""
    folder = Path(tempfile.mkdtemp(prefix="arena-test-"))
    folder.chmod(0o755)
    yield folder
    for item in (folder, *folder.rglob("*")):
        item.chmod(0o755)
    shutil.rmtree(folder)
