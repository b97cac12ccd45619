from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from nlu_arena.errors import CannotStartError, ExitCode
from nlu_arena.ledger.lock import WriterLock, is_held, lock_path, read_holder

ROOT = Path(__file__).resolve().parents[2]
HOLD = """
import sys
from pathlib import Path
from nlu_arena.ledger.lock import WriterLock
lock = WriterLock.acquire(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def holding_process(ledger: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", HOLD, str(ledger), "--profile", "two words"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_process_is_told_who_writes_since_when_and_what_to_do(tmp_path: Path) -> None:
    ledger = tmp_path / "arena.db"
    with holding_process(ledger) as process:
        with pytest.raises(CannotStartError) as caught:
            WriterLock.acquire(ledger)
        holder = read_holder(ledger)
        assert holder is not None
        assert holder.pid == process.pid
    error = caught.value
    assert error.exit_code == ExitCode.CANNOT_START
    assert f"process {holder.pid} on {holder.host} since {holder.since}" in error.message
    assert "'two words'" in error.message
    assert "status --watch" in error.hint
    assert "--results" in error.hint


def test_a_killed_process_leaves_the_lock_free(tmp_path: Path) -> None:
    ledger = tmp_path / "arena.db"
    with holding_process(ledger) as process:
        assert is_held(ledger)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert not is_held(ledger)
        WriterLock.acquire(ledger).release()


def test_a_program_that_the_holder_starts_does_not_hold_the_lock(tmp_path: Path) -> None:
    ledger = tmp_path / "arena.db"
    lock = WriterLock.acquire(ledger)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        lock.release()
        assert not is_held(ledger)
        child.kill()


def test_the_same_process_cannot_take_the_lock_twice_but_again(tmp_path: Path) -> None:
    ledger = tmp_path / "arena.db"
    lock = WriterLock.acquire(ledger)
    with pytest.raises(CannotStartError, match=f"process {os.getpid()} on"):
        WriterLock.acquire(ledger)
    lock.release()
    lock.release()
    WriterLock.acquire(ledger).release()


def test_asking_changes_nothing_and_creates_nothing(tmp_path: Path) -> None:
    ledger = tmp_path / "arena.db"
    assert not is_held(ledger)
    assert list(tmp_path.iterdir()) == []
    lock = WriterLock.acquire(ledger)
    before = lock_path(ledger).read_bytes()
    assert is_held(ledger)
    assert lock_path(ledger).read_bytes() == before
    lock.release()


def test_readers_that_ask_all_the_time_do_not_keep_a_writer_out(tmp_path: Path) -> None:
    ledger = tmp_path / "arena.db"
    WriterLock.acquire(ledger).release()
    end = threading.Event()

    def ask() -> None:
        while not end.wait(0.0005):
            is_held(ledger)

    askers = [threading.Thread(target=ask) for _ in range(3)]
    for asker in askers:
        asker.start()
    try:
        for _ in range(30):
            WriterLock.acquire(ledger).release()
    finally:
        end.set()
        for asker in askers:
            asker.join()


def test_a_holder_that_cannot_be_read_is_another_process(tmp_path: Path) -> None:
    ledger = tmp_path / "arena.db"
    lock = WriterLock.acquire(ledger)
    lock_path(ledger).write_text(json.dumps({"pid": "?"}))
    assert read_holder(ledger) is None
    with pytest.raises(CannotStartError, match="another process"):
        WriterLock.acquire(ledger)
    lock.release()
