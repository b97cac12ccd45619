"""An installed and an editable copy both find the manifests, the profiles and the starter data."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

LOOK = """
import json, nlu_arena
from nlu_arena.paths import manifest_dirs, starter_dir
from nlu_arena.profile import list_profiles
from nlu_arena.registry import load_registry
registry = load_registry()
print(json.dumps({
    "package": nlu_arena.__file__,
    "models": sorted(registry.models),
    "tasks": sorted(registry.tasks),
    "profiles": sorted(profile.name for profile in list_profiles()),
    "starter": sorted(str(f.relative_to(starter_dir())) for f in starter_dir().rglob("*") if f.is_file()),
    "folders": [str(f) for kind in ("plugins/models", "plugins/tasks", "profiles")
                for f in manifest_dirs(kind)],
}))
"""


def run(*command: str, cwd: Path, **environment: str) -> str:
    result = subprocess.run(
        command,
        cwd=cwd,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr + result.stdout
    return result.stdout


def install(wheel_folder: Path, target: Path) -> None:
    """Install the one wheel of a folder into a target folder, from no index."""
    (wheel,) = wheel_folder.glob("*.whl")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    run(*pip, "--no-deps", "--no-index", "--target", str(target), str(wheel), cwd=target.parent)


def look(prelude: str, elsewhere: Path, **environment: str) -> dict[str, list[str]]:
    """Ask a fresh interpreter what it finds, by default in an empty folder, which is not on its path (-P)."""
    elsewhere.mkdir(exist_ok=True)
    settings = {"NLU_ARENA_CONFIG": str(elsewhere / "config"), "PYTHONPATH": "", **environment}
    found: dict[str, list[str]] = json.loads(
        run(sys.executable, "-P", "-c", prelude + LOOK, cwd=elsewhere, **settings)
    )
    return found


def names(folder: Path, pattern: str = "*.toml") -> list[str]:
    return sorted(path.stem for path in folder.glob(pattern))


def assert_complete(found: dict[str, list[str]]) -> None:
    assert found["models"] == names(ROOT / "plugins" / "models")
    assert found["tasks"] == names(ROOT / "plugins" / "tasks")
    assert found["profiles"] == names(ROOT / "profiles")
    starter = ROOT / "nlu_arena" / "starter"
    assert found["starter"] == sorted(str(f.relative_to(starter)) for f in starter.rglob("*") if f.is_file())


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a copy installed from the built wheel."""
    folder = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet"]
    offline = ["--no-deps", "--no-build-isolation", "--no-index"]
    run(*pip, *offline, "--wheel-dir", str(folder / "wheels"), str(ROOT), cwd=folder)
    install(folder / "wheels", folder / "site")
    return folder / "site"


def test_an_installed_copy_carries_all_that_it_needs(installed: Path, tmp_path: Path) -> None:
    found = look("", tmp_path, PYTHONPATH=str(installed))
    assert Path(str(found["package"])).is_relative_to(installed)
    assert all(Path(folder).is_relative_to(installed) for folder in found["folders"])
    assert_complete(found)


def test_an_installed_copy_run_inside_the_checkout_meets_no_duplicates(
    installed: Path, tmp_path: Path
) -> None:
    found = look(f"import os; os.chdir({str(ROOT)!r})", tmp_path, PYTHONPATH=str(installed))
    assert Path(str(found["package"])).is_relative_to(installed)
    assert any(Path(folder).is_relative_to(ROOT) for folder in found["folders"])
    assert_complete(found)


def test_an_editable_copy_reads_the_checkout(tmp_path: Path) -> None:
    wheels, target = tmp_path / "wheels", tmp_path / "site"
    wheels.mkdir()
    build = f"from hatchling.build import build_editable; build_editable({str(wheels)!r})"
    run(sys.executable, "-c", build, cwd=ROOT)
    install(wheels, target)
    # The .pth files of a site folder are read, those of a folder on PYTHONPATH are not.
    found = look(f"import site; site.addsitedir({str(target)!r})", tmp_path / "elsewhere")
    assert Path(str(found["package"])).is_relative_to(ROOT)
    assert all(Path(folder).is_relative_to(ROOT) for folder in found["folders"])
    assert_complete(found)
