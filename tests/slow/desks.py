"""A user's folder, and sweeps in it as a user starts them: each in a session and process group of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import psutil

PROFILE = "kills"
# What the sweep and everything that it starts carry in their environment: by it they are found.
MARK = "NLU_ARENA_RESULTS"
# How long an undisturbed sweep may take, in seconds.
PATIENCE = 600


class Desk:
    """A folder with one profile, whose sweeps leave what they found in results folders.

    `variables` are the environment of the programs that are started in it, but for our settings.
    """

    def __init__(self, home: Path, variables: Mapping[str, str], profile: str) -> None:
        ours = {"NLU_ARENA_CONFIG": str(home / "config"), "NLU_ARENA_CHECKPOINT_SECONDS": "1"}
        self.home = home
        self.variables = {**variables, **ours}
        file = home / "profiles" / f"{PROFILE}.toml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(profile, encoding="utf-8")

    def run(self, *words: str) -> None:
        """Run a command to its end, which must be a good one."""
        done = subprocess.run(
            [sys.executable, "-m", "nlu_arena", *words],
            cwd=self.home,
            env=self.variables,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    def start_sweep(self, results: Path) -> Sweep:
        """Start the profile's sweep, or go on with it."""
        results.mkdir(exist_ok=True)
        narration = results.with_suffix(".narration")
        with narration.open("ab") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", "nlu_arena", "sweep", "--profile", PROFILE],
                cwd=self.home,
                env={**self.variables, MARK: str(results)},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )
        return Sweep(process, results, narration)

    def sweep(self, results: Path) -> None:
        """Sweep to the end, which must be a good one."""
        with self.start_sweep(results) as sweep:
            assert sweep.process.wait(PATIENCE) == 0, sweep.read_narration()


class Sweep:
    """A sweep that has been started; left as a context, nothing of it lives on."""

    def __init__(self, process: subprocess.Popen[bytes], results: Path, narration: Path) -> None:
        self.process = process
        self.results = results
        self.narration = narration

    def __enter__(self) -> Sweep:
        return self

    def __exit__(self, *reason: object) -> None:
        for process in self.family():
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self.process.wait()

    @property
    def exit_code(self) -> int | None:
        return self.process.poll()

    @property
    def has_ended(self) -> bool:
        return self.exit_code is not None

    def worker(self) -> psutil.Process:
        """Return the worker at work: the spare that is warmed up for the next model is younger."""
        children = psutil.Process(self.process.pid).children()
        return min(filter(_is_worker, children), key=psutil.Process.create_time)

    def family(self) -> list[psutil.Process]:
        """Return every living process of the sweep, also where its parent is gone."""
        return [process for process in psutil.process_iter() if self._is_of_family(process)]

    def _is_of_family(self, process: psutil.Process) -> bool:
        try:
            # A dead process that nobody has waited for has no environment any more.
            return process.environ().get(MARK) == str(self.results)
        except psutil.Error:
            return False

    def kill(self, *victims: int) -> None:
        """Kill processes at once, as `kill -9` does."""
        for victim in victims:
            os.kill(victim, signal.SIGKILL)

    def read_narration(self) -> str:
        """Return what this sweep and those before it on the same results have said."""
        return self.narration.read_text(encoding="utf-8", errors="replace")


def all_end_within(processes: list[psutil.Process], seconds: float) -> bool:
    """Say whether all processes end in time."""
    until = time.monotonic() + seconds
    while any(map(_lives, processes)):
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def _is_worker(process: psutil.Process) -> bool:
    try:
        return "nlu_arena.worker" in process.cmdline()
    except psutil.Error:
        return False


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
