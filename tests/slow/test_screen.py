"""The live screen over a real sweep: stopped and continued from it, and its numbers against the commands'."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from nlu_arena.ledger.lock import is_held, read_holder
from nlu_arena.paths import ledger_path
from tests.tui import tmux
from tests.tui.tmux import Pane

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")

ARENA = (sys.executable, "-m", "nlu_arena")
SWEEP = ("sweep", "--profile", "quick", "--limit", "40", "--train-limit", "48")
EXPERIMENTS = 12
# Loading weights and training take their time on a busy machine.
PATIENCE = 240.0


class Home:
    """A user's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.results = folder / "results"
        self.ledger = ledger_path(self.results)
        self.environment = {**os.environ, "NLU_ARENA_CONFIG": str(folder / "config")}
        self.environment.pop("NLU_ARENA_RESULTS", None)

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        with (self.folder / "narration").open("ab") as file:
            return subprocess.Popen(
                [*ARENA, *words],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )

    def read(self, *words: str) -> Any:
        done = subprocess.run(
            [*ARENA, *words, "--json"], cwd=self.folder, env=self.environment, capture_output=True, check=True
        )
        return json.loads(done.stdout)

    def open_screen(self) -> Pane:
        return Pane([*ARENA, "tui"], cwd=self.folder, environment=self.environment, width=100, height=30)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    monkeypatch.setattr(tmux, "DEADLINE", PATIENCE)
    home = Home(tmp_path)
    yield home
    # What a failed test has left at work; its worker ends with it.
    holder = read_holder(home.ledger)
    if holder is not None and is_held(home.ledger):
        with suppress(ProcessLookupError):
            os.kill(holder.pid, signal.SIGKILL)


def test_a_real_sweep_is_followed_stopped_continued_and_read(home: Home) -> None:
    with home.open_screen() as pane:
        pane.wait_for("there is no ledger", "Help")
        sweep = home.start(*SWEEP)
        pane.wait_for("sweep 1 quick", "live", f"0/{EXPERIMENTS}", "▸")
        _look_at_what_runs(pane)

        pane.wait_for(f"2/{EXPERIMENTS}")
        pane.send("x")
        pane.wait_for("Stop sweep 1 (quick)")
        pane.send("y")
        assert sweep.wait(PATIENCE) == 130
        pane.wait_for("stopped", without="● live")

        pane.send("R")
        # The same limits: with others it would be another sweep.
        pane.wait_for("Go on with sweep 1 (quick)?", "--limit 40 --train-limit 48")
        pane.send("y")
        pane.wait_for("sweep 2 quick", "● live")
        pane.wait_for(f"{EXPERIMENTS}/{EXPERIMENTS}", without="● live")

        _compare_with_status(pane, home)
        _compare_with_errors(pane, home)
        pane.send("q")
        assert f"{EXPERIMENTS} of {EXPERIMENTS} done" in pane.wait_for("RC=0")


def _look_at_what_runs(pane: Pane) -> None:
    pane.send("2")
    pane.wait_for("$ nlu-arena run --model minilm", "seed 42", "log (following)", "loss")
    pane.send("3")
    pane.wait_for("host", "peaks of the newest runs")
    pane.send("4")
    pane.wait_for("everything done")
    pane.send("1")
    pane.wait_for("value accuracy in %")


def _compare_with_status(pane: Pane, home: Home) -> None:
    cells = home.read("status")["cells"]
    assert len(cells) == EXPERIMENTS
    for mode in ("fine-tune", "zero-shot", "few-shot", "lora"):
        pane.send("m")
        row = pane.wait_for(f"mode {mode}").splitlines()
        said = [word.rstrip("!") for line in row for word in line.split() if word.rstrip("!")[-2:-1] == "."]
        expected = [f"{100 * cell['metrics']['accuracy']:.1f}" for cell in cells if cell["mode"] == mode]
        assert said[: len(expected)] == expected, "\n".join(row)


def _compare_with_errors(pane: Pane, home: Home) -> None:
    total = home.read("errors", "sst2", "--set", "any-wrong")["total"]
    pane.send("m")
    pane.wait_for("mode all")
    pane.send("5")
    pane.wait_for("texts on which anybody is wrong")
    pane.send("o")
    seen = pane.wait_for("sst2 · dev · 40 texts")
    assert f"{total} texts on which anybody is wrong" in seen
