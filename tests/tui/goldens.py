"""Screens as they were when somebody looked at them and found them good, a file each."""

from __future__ import annotations

import os
from pathlib import Path

FOLDER = Path(__file__).parent / "goldens"


def check_golden(name: str, text: str) -> None:
    """Compare a screen with its golden file; NLU_ARENA_NEW_GOLDENS=1 writes it instead."""
    path, text = FOLDER / f"{name}.txt", f"{text.rstrip()}\n"
    if os.environ.get("NLU_ARENA_NEW_GOLDENS"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert path.exists(), f"no golden {path.name}: run with NLU_ARENA_NEW_GOLDENS=1, then look at it"
    assert text == path.read_text(encoding="utf-8"), f"another screen than {path.name}:\n{text}"
