from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from nlu_arena.errors import CannotStartError
from nlu_arena.ledger.rows import SweepRow
from nlu_arena.tui import starting
from nlu_arena.tui.starting import name_command, resume_words, start_sweep


def sweep(command: Any, name: str = "toys") -> SweepRow:
    details = {} if command is None else {"command": command}
    return SweepRow(id=1, name=name, state="done", started_at="", finished_at=None, details=details)


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The usual results folder."""
    monkeypatch.setenv("NLU_ARENA_RESULTS", str(tmp_path / "results"))
    return tmp_path / "results"


def program(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    monkeypatch.setattr(starting, "PROGRAM", (sys.executable, "-c", code))


def test_a_sweep_is_continued_by_its_own_command(results: Path) -> None:
    command = "nlu-arena sweep --profile 'my own.toml' --seed 1"
    assert resume_words(sweep(command), results) == ["sweep", "--profile", "my own.toml", "--seed", "1"]
    assert name_command(resume_words(sweep(command), results)) == command


def test_a_run_is_continued_by_its_own_command(results: Path) -> None:
    command = "nlu-arena run --model toy --task sst2 --mode zero-shot"
    assert name_command(resume_words(sweep(command), results)) == command


@pytest.mark.parametrize("option", ["--results elsewhere", "--results=elsewhere", "--display rich"])
def test_the_ledger_that_is_looked_at_is_continued_and_not_the_one_of_that_time(
    results: Path, option: str
) -> None:
    words = resume_words(sweep(f"nlu-arena sweep {option} --profile toys"), results)
    assert words == ["sweep", "--profile", "toys"]


def test_a_folder_that_is_not_the_usual_one_is_named(results: Path, tmp_path: Path) -> None:
    other = tmp_path / "other place"
    command = name_command(resume_words(sweep("nlu-arena sweep --profile toys --results x"), other))
    assert command == f"nlu-arena sweep --profile toys --results '{other}'"


@pytest.mark.parametrize(
    "command", [None, "", "rm -rf /", "nlu-arena report", "nlu-arena 'open", 7, "nlu-arena"]
)
def test_a_recorded_command_that_makes_no_sweep_is_not_repeated(results: Path, command: Any) -> None:
    assert resume_words(sweep(command), results) == ["sweep", "--profile", "toys"]


def test_the_first_sweep_of_a_folder_is_the_quick_one(results: Path) -> None:
    assert resume_words(None, results) == ["sweep", "--profile", "quick"]


def test_a_started_sweep_has_its_own_session_no_input_and_its_output_in_a_file(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(
        monkeypatch, "import os,sys; print(sys.argv[1:], os.getsid(0) == os.getpid(), repr(sys.stdin.read()))"
    )
    started = start_sweep(["sweep", "--profile", "toys"], results)
    assert started.process.wait(timeout=30) == 0
    assert started.output.parent == results
    assert started.output.read_text() == "['sweep', '--profile', 'toys'] True ''\n"
    assert os.getsid(0) != started.process.pid


def test_the_last_words_are_what_failed_the_error_and_the_hint(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = (
        "data: starter\\nfailure: weights m: not here\\n  hint: pull m\\nerror: no \\x1b[31mprofile"
        "\\nhint: see list\\n\\nbye"
    )
    program(monkeypatch, f"import sys; sys.exit('{said}')")
    started = start_sweep(["sweep"], results)
    assert started.process.wait(timeout=30) == 1
    assert started.last_words == "failure: weights m: not here · error: no profile · hint: see list"


def test_without_an_error_the_last_words_are_the_last_lines(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(monkeypatch, "print('x' * 9000); print('one'); print('two'); print(3)")
    started = start_sweep(["sweep"], results)
    started.process.wait(timeout=30)
    assert started.last_words == "one · two · 3"
    started.output.unlink()
    assert "cannot be read" in started.last_words


def test_what_cannot_be_started_is_an_error_with_the_command(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starting, "PROGRAM", ("/no/such/program",))
    with pytest.raises(CannotStartError) as error:
        start_sweep(["sweep", "--profile", "toys"], results)
    assert "nlu-arena sweep --profile toys" in error.value.hint


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CannotStartError, match="a file is in its place"):
        start_sweep(["sweep"], tmp_path / "file")
