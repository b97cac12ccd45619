from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from nlu_arena import events
from nlu_arena.workers import ProcessWorker, WorkerDied, describe_exit
from tests.toys import experiment, wait_for

TOY = (sys.executable, str(Path(__file__).with_name("toy_worker.py")))
Start = Callable[..., ProcessWorker]


@pytest.fixture
def start() -> Iterator[Start]:
    workers: list[ProcessWorker] = []

    def start_one(*extra: str, command: tuple[str, ...] = TOY, log: Path | None = None) -> ProcessWorker:
        worker = ProcessWorker("cpu", log=log, command=(*command, *extra))
        workers.append(worker)
        worker.start()
        return worker

    yield start_one
    for worker in workers:
        worker.stop(grace=0)


def listen(worker: ProcessWorker) -> list[events.Event]:
    """Read events until the experiment has ended."""
    heard: list[events.Event] = []
    while not heard or not isinstance(heard[-1], events.Finished | events.Failed | events.Stopped):
        event = worker.receive(timeout=10)
        assert event is not None, f"silence after {heard}"
        heard.append(event)
    return heard


def assign(worker: ProcessWorker, folder: Path, behaviour: str) -> None:
    assignment = events.Assign(experiment=experiment(behaviour=behaviour), weights_dir="", folder=str(folder))
    worker.send(assignment)


def listen_until_death(worker: ProcessWorker) -> tuple[list[events.Event], WorkerDied]:
    heard: list[events.Event] = []
    try:
        while True:
            event = worker.receive(timeout=10)
            assert event is not None, f"silence after {heard}"
            heard.append(event)
    except WorkerDied as death:
        return heard, death


def test_a_worker_says_ready_then_answers_its_experiments(start: Start, tmp_path: Path) -> None:
    worker = start()
    ready = worker.receive(timeout=10)
    assert isinstance(ready, events.Ready)
    assert ready.environment["pid"] == worker.pid
    for _ in range(2):
        assign(worker, tmp_path, "answers")
        heard = listen(worker)
        rows = [row.index for event in heard if isinstance(event, events.Predictions) for row in event.rows]
        assert rows == list(range(24))
        assert isinstance(heard[-1], events.Finished)


def test_receive_returns_nothing_when_nothing_comes_in_time(start: Start) -> None:
    worker = start("--mute")
    assert worker.receive(timeout=0.05) is None
    assert worker.receive(timeout=0) is None


def test_a_worker_has_a_session_of_its_own_so_that_ctrl_c_does_not_reach_it(start: Start) -> None:
    assert os.getsid(start().pid) != os.getsid(0)


def test_a_worker_leaves_when_its_input_closes(start: Start) -> None:
    worker = start()
    worker.receive(timeout=10)
    worker.stop()
    assert not psutil.pid_exists(worker.pid)
    worker.stop()


def test_a_worker_that_does_not_leave_is_killed(start: Start) -> None:
    code = "import signal, sys, time; signal.signal(15, signal.SIG_IGN); print('deaf', file=sys.stderr)"
    code += "; time.sleep(99)"
    worker = start(command=(sys.executable, "-c", code))
    wait_for(lambda: worker.stderr)
    worker.stop(grace=0.1)
    assert not psutil.pid_exists(worker.pid)


def test_a_killed_worker_is_reported_after_its_last_events_as_out_of_memory(
    start: Start, tmp_path: Path
) -> None:
    worker = start()
    assign(worker, tmp_path, "crashes")
    heard, death = listen_until_death(worker)
    assert death.reason == "was killed (signal 9), most likely for lack of memory"
    assert death.exit_code == -signal.SIGKILL
    assert sum(isinstance(event, events.Predictions) for event in heard) == 2
    assert "signal 9" in listen_until_death(worker)[1].reason, "said again when asked again"


def test_a_worker_that_exits_is_reported_with_its_code_and_last_words(start: Start, tmp_path: Path) -> None:
    worker = start()
    assign(worker, tmp_path, "leaves")
    death = listen_until_death(worker)[1]
    assert death.reason == "ended by itself (exit code 7)"
    assert death.exit_code == 7
    assert death.stderr == "these are my last words"


def test_a_command_to_a_dead_worker_is_answered_by_its_death(start: Start, tmp_path: Path) -> None:
    worker = start("--dead")
    listen_until_death(worker)[1]
    assign(worker, tmp_path, "answers")
    assert listen_until_death(worker)[1].stderr == "ModuleNotFoundError: No module named 'torch'"


def test_a_program_that_is_not_there_is_a_death_too(start: Start) -> None:
    with pytest.raises(WorkerDied, match="could not be started"):
        start(command=("/nowhere/python",))


def test_standard_error_never_blocks_the_worker_and_goes_to_the_log(start: Start, tmp_path: Path) -> None:
    log = tmp_path / "sweep.log"
    worker = start(log=log)
    assign(worker, tmp_path, "shouts")
    assert isinstance(listen(worker)[-1], events.Finished)
    worker.stop()
    lines = log.read_text().splitlines()
    assert (len(lines), lines[-1][:13]) == (4000, "warning 3999:")
    assert len(worker.stderr) <= 8 * 1024
    assert worker.stderr.endswith("x")


def test_a_log_that_cannot_be_written_does_not_stop_the_worker_and_is_said(
    start: Start, tmp_path: Path
) -> None:
    worker = start(log=tmp_path / "absent" / "sweep.log")
    assign(worker, tmp_path, "shouts")
    assert isinstance(listen(worker)[-1], events.Finished)
    assert "the log cannot be written" in worker.stderr


def test_a_line_that_is_not_an_event_ends_the_worker_and_is_shown(start: Start, tmp_path: Path) -> None:
    worker = start()
    assign(worker, tmp_path, "babbles")
    death = listen_until_death(worker)[1]
    assert "not an event" in death.reason
    assert "Some weights were not initialised" in death.reason
    assert not psutil.pid_exists(worker.pid)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0, "ended by itself (exit code 0)"),
        (3, "ended by itself (exit code 3)"),
        (-signal.SIGSEGV, "was ended by SIGSEGV (signal 11)"),
        (-signal.SIGKILL, "was killed (signal 9), most likely for lack of memory"),
        (-63, "was ended by signal 63"),
    ],
)
def test_exit_codes_are_put_into_words(code: int, words: str) -> None:
    assert describe_exit(code) == words
