"""A real terminal for the tests: one tmux pane on a server of its own, typed at and read back."""

from __future__ import annotations

import shlex
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TypeVar
from uuid import uuid4

# What would change how a program draws: a test's terminal has none of it.
LOUD = ("NO_COLOR", "FORCE_COLOR", "COLORTERM", "GITHUB_ACTIONS", "TMUX", "TMUX_PANE", "COLUMNS", "LINES")
DEADLINE = 12.0

T = TypeVar("T")


class Pane:
    """A command in a pane; behind it the pane shows the exit code and stays."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        cwd: Path,
        environment: Mapping[str, str],
        width: int = 80,
        height: int = 24,
    ) -> None:
        self._server = ["tmux", "-L", f"arena-{uuid4().hex[:12]}", "-f", "/dev/null"]
        calm = {name: value for name, value in environment.items() if name not in LOUD}
        calm = {name: value for name, value in calm.items() if not name.startswith("TEXTUAL")}
        # The code's own line cannot be mistaken for the command's echo: there is no prompt.
        script = f'{shlex.join(command)}; echo "RC=$?"; exec sleep 600'
        size = ["-x", str(width), "-y", str(height)]
        subprocess.run(
            [*self._server, "new-session", "-d", *size, "-c", str(cwd), script], env=calm, check=True
        )
        self._socket = Path(self._tmux("display-message", "-p", "#{socket_path}").strip())

    def __enter__(self) -> Pane:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.hang_up()

    @property
    def text(self) -> str:
        return self._tmux("capture-pane", "-p")

    @property
    def modes(self) -> str:
        """Whether the alternate screen, mouse reports and the cursor are on."""
        return self._tmux("display-message", "-p", "#{alternate_on} #{mouse_any_flag} #{cursor_flag}").strip()

    def send(self, *keys: str) -> None:
        self._tmux("send-keys", *keys)

    def resize(self, width: int, height: int) -> None:
        self._tmux("resize-window", "-x", str(width), "-y", str(height))

    def hang_up(self) -> None:
        """Close the terminal, as a lost connection does."""
        subprocess.run([*self._server, "kill-server"], check=False, capture_output=True)
        self._socket.unlink(missing_ok=True)

    def wait_for(self, *words: str, without: str = "\0") -> str:
        """Return the pane's text once it has all the words."""

        def read() -> str | None:
            text = self.text
            # A wrapped line has its words on several rows.
            flat = " ".join(text.split())
            return text if all(word in flat for word in words) and without not in flat else None

        return wait_until(read, f"{words} without {without!r}", lambda: self.text)

    def _tmux(self, *arguments: str) -> str:
        done = subprocess.run([*self._server, *arguments], check=True, capture_output=True, text=True)
        return done.stdout


def wait_until(ask: Callable[[], T | None], what: str, explain: Callable[[], str] = str) -> T:
    """Return what a question gives once it gives something true."""
    until = time.monotonic() + DEADLINE
    while time.monotonic() < until:
        if answer := ask():
            return answer
        time.sleep(0.05)
    raise AssertionError(f"{what} never came:\n{explain()}")


def is_alive(pid: int) -> bool:
    """Say whether a process that is not our child is there, and not only its entry."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
