from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nlu_arena.cli import app

ROOT = Path(__file__).resolve().parents[2]


def listing(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str) -> str:
    monkeypatch.setattr(sys, "argv", ["nlu-arena", "list", *arguments])
    with pytest.raises(SystemExit) as end:
        app.main()
    assert end.value.code == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("kind", ["models", "tasks", "modes", "profiles"])
def test_a_pipe_gets_a_header_and_one_whole_line_each_and_json_the_same(
    kind: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    header, *lines = listing(capsys, monkeypatch, kind).splitlines()
    document: dict[str, Any] = json.loads(listing(capsys, monkeypatch, kind, "--json"))
    assert document["schema"] == 1
    assert [line.split("\t")[0] for line in lines] == [record["name"] for record in document[kind]]
    assert {line.count("\t") for line in lines} == {header.count("\t")}
    assert set(header.split("\t")) <= set(document[kind][0])


def test_a_reader_that_has_seen_enough_ends_it_quietly() -> None:
    command = f"{sys.executable} -m nlu_arena list models --json | head -1"
    shell = ["bash", "-o", "pipefail", "-c", command]
    process = subprocess.run(shell, capture_output=True, text=True, check=False, cwd=ROOT, timeout=60)
    assert process.stdout == "{\n"
    assert process.stderr == ""
    assert process.returncode in (0, 141)
