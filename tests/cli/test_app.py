from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from nlu_arena.cli import app

ROOT = Path(__file__).resolve().parents[2]
HEAVY = {"torch", "transformers", "datasets", "peft", "sklearn", "pandas", "numpy", "matplotlib", "textual"}


def run(*arguments: str, code: int = 0, **environment: str) -> subprocess.CompletedProcess[str]:
    process = subprocess.run(
        [sys.executable, "-m", "nlu_arena", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=environment or None,
        timeout=60,
    )
    assert process.returncode == code, process.stderr
    return process


def test_help_names_every_command_and_exit_code_without_escapes_in_a_pipe() -> None:
    text = run("--help", PATH="", FORCE_COLOR="1", GITHUB_ACTIONS="true").stdout
    for word in ("sweep", "run", "status", "list", "pull", "130 stopped by Ctrl-C"):
        assert word in text
    assert "\x1b" not in text
    assert "..." not in text.replace("[ARGS]...", "")


def test_the_version_is_the_package_s() -> None:
    assert run("--version").stdout.startswith("nlu-arena ")


@pytest.mark.parametrize(
    "arguments",
    [
        ["frobnicate"],
        ["sweep"],
        ["sweep", "--profile", "quick", "--limit", "0"],
        ["status", "--nope"],
        ["list", "cows"],
        ["pull"],
        ["pull", "--model", "brt"],
        ["run", "--model", "minilm", "--task", "sst2", "--mode", "zero-shot"],
        ["run", "--model", "minilm", "--task", "sst2", "--mode", "guess"],
        ["run", "--model", "minilm", "--task", "sst3", "--mode", "lora"],
        ["run", "--model", "minilm", "--task", "sst2", "--mode", "lora", "--shots", "3"],
        ["run", "--model", "minilm", "--task", "sst2", "--mode", "lora", "--seed", "-1"],
    ],
)
def test_wrong_usage_ends_with_2_and_plain_lines_on_stderr(
    arguments: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["nlu-arena", *arguments])
    with pytest.raises(SystemExit) as end:
        app.main()
    captured = capsys.readouterr()
    assert end.value.code == 2
    assert captured.out == ""
    assert "error: " in captured.err.lower()
    assert "Traceback" not in captured.err


def test_an_unknown_name_gets_the_nearest_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["nlu-arena", "sweep", "--profile", "quik"])
    with pytest.raises(SystemExit):
        app.main()
    assert "hint: Did you mean quick?" in capsys.readouterr().err


def test_a_fault_of_the_program_keeps_its_traceback_and_says_where_to_look(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise ZeroDivisionError("here")

    monkeypatch.setattr("nlu_arena.registry.load_registry", fail)
    monkeypatch.setattr(sys, "argv", ["nlu-arena", "list", "models"])
    with pytest.raises(SystemExit) as end:
        app.main()
    text = capsys.readouterr().err
    assert end.value.code == 1
    assert "Traceback" in text
    assert "a fault in nlu-arena" in text.splitlines()[-2]
    assert "log" in text.splitlines()[-1]


@pytest.mark.parametrize(
    ("redirection", "code", "said"),
    [
        (">&-", 0, ""),
        (">&- 2>&-", 0, ""),
        ("2>&- | head -1", 0, ""),
        ("> /dev/full", 1, "error: the output cannot be written: No space left on device"),
    ],
)
def test_an_output_that_is_closed_or_full_is_no_fault_of_the_program(
    redirection: str, code: int, said: str
) -> None:
    command = f'"{sys.executable}" -m nlu_arena list models --json {redirection}'
    process = subprocess.run(
        ["sh", "-c", command], capture_output=True, text=True, check=False, cwd=ROOT, timeout=60
    )
    assert process.returncode == code
    assert process.stderr.partition("\n")[0] == said
    assert "Traceback" not in process.stderr


@pytest.mark.parametrize("arguments", ["--help", "list models", "status --results nowhere", "sweep --help"])
def test_commands_that_do_not_compute_load_nothing_heavy(arguments: str) -> None:
    code = f"""
import sys
sys.argv = ["nlu-arena", *{arguments.split()!r}]
from nlu_arena.cli.app import main
try:
    main()
finally:
    print(sorted({{name.partition(".")[0] for name in sys.modules}}), file=sys.stderr)
"""
    process = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT, timeout=60
    )
    loaded = set(eval(process.stderr.splitlines()[-1]))
    assert not loaded & HEAVY
