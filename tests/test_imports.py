"""Three import zones: what plain modules and screens must never load, seen in fresh interpreters."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import nlu_arena

PACKAGE = Path(nlu_arena.__file__).resolve().parent

ML = {"torch", "transformers", "datasets", "peft"}
ANALYSIS = {"pandas", "sklearn", "matplotlib", "scipy"}
FORBIDDEN = {
    "plain": ML | ANALYSIS | {"numpy", "rich", "textual"},
    "screens": ML | ANALYSIS,
}
SCREENS = {"cli", "views", "report", "tui"}
HEAVY = {"backend", "modes"}


def find_modules() -> dict[str, list[str]]:
    """Return the modules of each zone; a new module is in the plain zone unless its folder says otherwise."""
    zones: dict[str, list[str]] = {"plain": [], "screens": [], "heavy": []}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        folder = parts[1]
        zone = "screens" if folder in SCREENS else "heavy" if folder in HEAVY else "plain"
        zones[zone].append(name)
    return zones


def loaded_by(code: str) -> set[str]:
    """Run code in a fresh interpreter and return the top-level names of all modules that it loaded."""
    report = "\nimport sys; print('\\n'.join(sorted({name.partition('.')[0] for name in sys.modules})))"
    result = subprocess.run(
        [sys.executable, "-c", code + report],
        capture_output=True,
        text=True,
        check=False,
        cwd=PACKAGE.parent,
        timeout=60,
    )
    assert result.returncode == 0, result.stderr
    return set(result.stdout.split())


@pytest.mark.parametrize("zone", FORBIDDEN)
def test_importing_a_zone_loads_nothing_that_is_forbidden_there(zone: str) -> None:
    modules = find_modules()[zone]
    assert modules
    forbidden = loaded_by(f"import {', '.join(modules)}") & FORBIDDEN[zone]
    if not forbidden:
        return
    guilty = [name for name in modules if loaded_by(f"import {name}") & forbidden]
    pytest.fail(f"{', '.join(sorted(forbidden))} loaded by {', '.join(guilty)}")


def test_planning_the_quick_profile_loads_nothing_that_computes() -> None:
    code = """
from nlu_arena.hardware import find_devices
from nlu_arena.plan import build_plan
from nlu_arena.profile import load_profile
from nlu_arena.registry import load_registry
plan = build_plan(
    load_profile("quick"), load_registry(), find_devices(), weights_identity=lambda model: model.name
)
assert len(plan) == 12
"""
    assert not loaded_by(code) & FORBIDDEN["plain"]
