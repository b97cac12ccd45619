"""A folder with a toy model and toy tasks, and the real command line in it, as a process.

The toy worker stands in for the one with torch: everything else is the program itself.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
TOY = [sys.executable, str(ROOT / "tests" / "toy_worker.py")]

# What the command's process runs: the worker's command is exchanged where the program builds it.
PROGRAM = f"""
import sys
from nlu_arena.cli import app
if sys.argv[1:2] == ["sweep"] or sys.argv[1:2] == ["run"]:
    from nlu_arena.cli import execution
    from nlu_arena.workers import ProcessWorker
    execution.make_worker = lambda device, log: ProcessWorker(device, log=log, command={TOY!r})
app.main()
"""

MODEL = """
name = "{name}"
title = "Toy"
slug = "{name}"
family = "decoder"
parameters = 1000
use_case = "tests"
licence = "none"
licence_note = "These are the terms."
[weights]
source = "local"
path = "../../weights"
"""
TASK = """
name = "{name}"
title = "Toy"
type = "sentiment"
labels = ["no", "yes"]
train_rows = 2
difficulty = "easy"
licence = "none"
[prompt]
instruction = "Say it."
template = "{{text}}"
cue = "Answer:"
words = {{ no = "no", yes = "yes" }}
[data.file]
folder = "../../data"
columns = {{ text = "text", label = "label" }}
train = "train.jsonl"
dev = {{ dev = "dev.jsonl" }}
"""


class Arena:
    """A working folder of a user: manifests, weights, data, and a profile."""

    def __init__(self, home: Path, tasks: Sequence[str]) -> None:
        self.home = home
        self.results = home / "results"
        self.variables: dict[str, str] = {}
        self._write("plugins/models/toy.toml", MODEL.format(name="toy"))
        for task in tasks:
            self._write(f"plugins/tasks/{task}.toml", TASK.format(name=task))
        for split in ("train", "dev"):
            rows = [{"text": f"text {i}", "label": ("no", "yes")[i % 2]} for i in range(24)]
            self._write(f"data/{split}.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
        self._write("weights/config.json", "{}")
        self._write("weights/tokenizer.json", "{}")
        header = b"{}"
        (home / "weights" / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)
        self.write_profile("toys", tasks)

    def write_profile(self, name: str, tasks: Sequence[str], seeds: Sequence[int] = (42,)) -> None:
        block = f'[[block]]\nmodels = ["toy"]\nmodes = ["zero-shot"]\ntasks = {json.dumps(list(tasks))}\n'
        text = f'description = "toys"\ndata = "starter"\nseeds = {list(seeds)}\n{block}'
        self._write(f"profiles/{name}.toml", text)

    def _write(self, path: str, text: str) -> None:
        file = self.home / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    @property
    def environment(self) -> dict[str, str]:
        calm = {"NLU_ARENA_CONFIG": str(self.home / "config"), "NLU_ARENA_CACHE": str(self.home / "cache")}
        return os.environ | calm | {"PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": ""} | self.variables

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-c", PROGRAM, *arguments]

    def start(self, *arguments: str, **options: Any) -> subprocess.Popen[str]:
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen(
            self.command(*arguments), cwd=self.home, env=self.environment, **(pipes | options)
        )

    def run(self, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, and check its exit code."""
        process = self.start(*arguments)
        try:
            stdout, stderr = process.communicate(timeout=60)
        finally:
            process.kill()
        assert process.returncode == code, f"exit {process.returncode}\n{stdout}\n{stderr}"
        return subprocess.CompletedProcess(arguments, code, stdout, stderr)

    def status(self, *arguments: str) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.run("status", "--json", *arguments).stdout)
        return document


def read_until(process: subprocess.Popen[str], word: str) -> list[str]:
    """Return the lines of a process's stderr up to one with a word."""
    assert process.stderr is not None
    lines = []
    for line in process.stderr:
        lines.append(line)
        if word in line:
            return lines
    raise AssertionError(f"{word!r} never came:\n{''.join(lines)}")


def finish(process: subprocess.Popen[str]) -> tuple[str, str]:
    """Return what else a process says, ending it if it does not end."""
    try:
        return process.communicate(timeout=30)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        raise
