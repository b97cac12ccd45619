"""A long output on a terminal, through the pager that the user has."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from nlu_arena.cli.terminal import is_screen, open_console
from nlu_arena.views.text import SEQUENCES

if TYPE_CHECKING:
    from rich.console import RenderableType

# What git gives less: end where all fits on the screen, pass colours, leave the text on the screen.
LESS = "FRX"


def show_paged(content: RenderableType) -> None:
    """Show something on the terminal that stdout is, through $PAGER or less.

    An empty PAGER and `cat` mean none, as does one that is not there.
    """
    screen = open_console(sys.stdout)
    pager = _find_pager()
    if not pager:
        screen.print(content)
        return
    with screen.capture() as captured:
        screen.print(content)
    flags = os.environ.get("LESS", LESS)
    text = captured.get()
    if not _shows_colours(pager, flags):
        text = SEQUENCES.sub("", text)
    # In the C locale less shows the bytes of what is not ASCII, unless it is told what they are.
    charset = {} if sys.stdout.encoding.lower() != "utf-8" else {"LESSCHARSET": "utf-8"}
    _page(text, pager, charset | os.environ | {"LESS": flags})


def _find_pager() -> list[str]:
    """Return the command of the pager, nothing where none can be used."""
    # Without a keyboard nobody could leave it.
    if not is_screen(sys.stdout) or not sys.stdin.isatty():
        return []
    try:
        command = shlex.split(os.environ.get("PAGER", "less"))
    except ValueError:
        return []
    is_pager = bool(command) and Path(command[0]).name != "cat" and shutil.which(command[0]) is not None
    return command if is_pager else []


def _shows_colours(pager: list[str], flags: str) -> bool:
    """Say whether a pager passes colours on; any other than less may show their codes as signs."""
    short = [word for word in [flags, *pager[1:]] if not word.startswith("--")]
    return Path(pager[0]).name == "less" and any("r" in word.lower() for word in short)


def _page(text: str, pager: list[str], environment: dict[str, str]) -> None:
    process = subprocess.Popen(
        pager, stdin=subprocess.PIPE, env=environment, encoding=sys.stdout.encoding, errors="replace"
    )
    # Ctrl-C is for the pager: if this ended first, the shell would read the same keyboard; and a pager
    # that is left early is no reason to end.
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGPIPE)}
    try:
        process.communicate(text)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
