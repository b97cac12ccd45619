from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from nlu_arena.errors import CannotStartError, ExitCode, LedgerError
from nlu_arena.ledger.control import request
from nlu_arena.ledger.queries import Reader
from nlu_arena.ledger.rows import RunRow
from nlu_arena.ledger.store import Store
from nlu_arena.scheduler import Cancel, Patience, Setting, SweepEvent, SweepOutcome, run_sweep
from nlu_arena.spec import Experiment, ModelSpec, Prediction
from nlu_arena.workers import ProcessWorker
from tests.toys import experiment, wait_for

TOY = (sys.executable, str(Path(__file__).with_name("toy_worker.py")))
ALL = [(index * 7 + 1) % 3 % 2 for index in range(24)]


class Recorder:
    """An observer that keeps everything and may act on an event."""

    def __init__(self, act: Callable[[SweepEvent], None] = lambda event: None) -> None:
        self.events: list[SweepEvent] = []
        self.act = act

    def notify(self, event: SweepEvent) -> None:
        self.events.append(event)
        self.act(event)

    def titles(self, name: str) -> list[str]:
        return [event.title for event in self.events if event.event == name]

    def fields(self, name: str) -> list[dict[str, Any]]:
        return [event.fields for event in self.events if event.event == name]


def toy(device: str) -> ProcessWorker:
    return ProcessWorker(device, command=TOY)


def setting(results: Path, **changes: Any) -> Setting:
    plain = Setting(
        devices=("cpu",),
        make_worker=toy,
        weights_dir=lambda model: Path("weights") / model.name,
        results=results,
    )
    return replace(plain, **changes)


def sweep(
    plan: Sequence[Experiment],
    results: Path,
    recorder: Recorder | None = None,
    cancel: Cancel | None = None,
    *,
    fresh: bool = False,
    **changes: Any,
) -> SweepOutcome:
    with Store.open(results / "arena.db") as store:
        return run_sweep(
            plan,
            store,
            setting(results, **changes),
            recorder or Recorder(),
            cancel or Cancel(),
            name="test",
            details={},
            fresh=fresh,
        )


def cells(results: Path) -> dict[str, Any]:
    """Return the cells of the last sweep by title."""
    with Reader.open(results / "arena.db") as reader:
        last = reader.last_sweep()
        assert last is not None
        return {f"{cell.model}/{cell.task}": cell for cell in reader.cells(last.id)}


def run(results: Path, title: str) -> RunRow:
    with Reader.open(results / "arena.db") as reader:
        return reader.run(cells(results)[title].run_id)


def answers(results: Path, title: str) -> list[Prediction]:
    with Reader.open(results / "arena.db") as reader:
        return reader.predictions(cells(results)[title].run_id, "dev")


def attempts(results: Path, title: str) -> list[int]:
    """Return how many examples each attempt predicted that reached the end."""
    text = (results / cells(results)[title].folder / "attempts.txt").read_text()
    return [int(line) for line in text.split()]


def worker_pid(results: Path, title: str) -> int:
    return int(run(results, title).facts["pid"])


# ── Order and workers ─────────────────────────────────────────────────────────────────────────────────


def test_one_device_runs_the_plan_in_its_order_and_records_everything(tmp_path: Path) -> None:
    plan = [experiment("big", "c"), experiment("tiny", "b"), experiment("big", "a")]
    recorder = Recorder()
    outcome = sweep(plan, tmp_path, recorder)
    assert (outcome.done, outcome.state, outcome.exit_code) == (3, "done", ExitCode.OK)
    assert recorder.titles("run_finished") == [e.title for e in plan]
    assert [row.predicted for row in answers(tmp_path, "tiny/b")] == ALL
    cell = cells(tmp_path)["tiny/b"]
    assert (cell.state, cell.n) == ("done", 24)
    assert cell.peak_rss_bytes > 0


def test_the_observer_hears_a_sweep_from_its_start_to_its_end(tmp_path: Path) -> None:
    recorder = Recorder()
    only = experiment()
    sweep([only], tmp_path, recorder)
    names = [event.event for event in recorder.events]
    assert names[:3] == ["sweep_started", "run_started", "phase"]
    assert names[3:9] == ["progress"] * 6
    assert names[9:] == ["phase", "run_finished", "sweep_finished"]
    assert {event.key for event in recorder.events[1:-1]} == {only.key}
    assert recorder.fields("progress")[-1] == {"phase": "evaluate", "done": 24, "total": 24}
    assert recorder.fields("run_finished")[0]["metrics"]["n"] == 24
    assert recorder.fields("sweep_finished")[0]["state"] == "done"


def test_the_observer_hears_what_is_worth_knowing_meanwhile_and_warnings_wait_for_the_results(
    tmp_path: Path,
) -> None:
    recorder = Recorder()
    sweep([experiment(behaviour="tells")], tmp_path, recorder)
    assert recorder.fields("note") == [{"text": "the training goes on from its step 8"}]


def test_one_worker_serves_a_stretch_of_one_model_and_the_next_model_gets_another(tmp_path: Path) -> None:
    plan = [experiment("tiny", "a"), experiment("tiny", "b"), experiment("big", "a"), experiment("big", "b")]
    sweep(plan, tmp_path)
    pids = {title: worker_pid(tmp_path, title) for title in cells(tmp_path)}
    assert pids["tiny/a"] == pids["tiny/b"] != pids["big/a"] == pids["big/b"]


@pytest.mark.parametrize("device", ["cpu", "cuda:0"])
def test_the_worker_of_the_next_model_starts_ahead_but_not_beside_a_cpus_own_work(
    device: str, tmp_path: Path
) -> None:
    story: list[str] = []

    def make(device: str) -> ProcessWorker:
        story.append("worker")
        return toy(device)

    recorder = Recorder(lambda event: story.append(event.event) if event.event.startswith("run_") else None)
    plan = [experiment("tiny", "a"), experiment("tiny", "b"), experiment("big", "a")]
    sweep(plan, tmp_path, recorder, make_worker=make, devices=(device,))
    started, finished = "run_started", "run_finished"
    last = [finished, "worker"] if device == "cpu" else ["worker", finished]
    assert story == ["worker", started, finished, started, *last, started, finished]


def test_no_worker_outlives_the_sweep(tmp_path: Path) -> None:
    workers: list[ProcessWorker] = []

    def make(device: str) -> ProcessWorker:
        workers.append(toy(device))
        return workers[-1]

    sweep([experiment("tiny"), experiment("big")], tmp_path, make_worker=make)
    assert len(workers) == 2
    assert not [worker for worker in workers if psutil.pid_exists(worker.pid)]


def test_several_devices_share_the_plan_and_keep_to_their_model(tmp_path: Path) -> None:
    plan = [experiment(model, task) for model in ("tiny", "big") for task in ("a", "b", "c", "d")]
    recorder = Recorder()
    outcome = sweep(plan, tmp_path, recorder, devices=("cpu", "cuda:0"))
    assert outcome.done == 8
    assert {fields["device"] for fields in recorder.fields("run_started")} == {"cpu", "cuda:0"}
    assert sorted(recorder.titles("run_finished")) == sorted(e.title for e in plan)


def test_a_worker_hears_where_weights_and_run_folder_are(tmp_path: Path) -> None:
    asked: list[str] = []

    def find(model: ModelSpec) -> Path:
        asked.append(model.name)
        return Path("weights")

    sweep([experiment("tiny")], tmp_path, weights_dir=find)
    assert asked == ["tiny"]
    assert attempts(tmp_path, "tiny/answers") == [24]


# ── What is done already ──────────────────────────────────────────────────────────────────────────────


def no_worker(device: str) -> ProcessWorker:
    raise AssertionError("a worker was asked for")


def test_a_plan_that_is_done_needs_no_worker(tmp_path: Path) -> None:
    plan = [experiment("tiny", "a"), experiment("tiny", "b")]
    sweep(plan, tmp_path)
    recorder = Recorder()
    outcome = sweep(plan, tmp_path, recorder, make_worker=no_worker)
    assert (outcome.done, outcome.skipped, outcome.exit_code) == (0, 2, ExitCode.OK)
    assert [event.event for event in recorder.events] == ["sweep_started", "sweep_finished"]
    assert recorder.fields("sweep_started")[0]["skipped"] == 2


def test_only_what_is_missing_is_done_and_fresh_repeats_all(tmp_path: Path) -> None:
    plan = [experiment("tiny", "a"), experiment("tiny", "b")]
    sweep(plan[:1], tmp_path)
    outcome = sweep(plan, tmp_path)
    assert (outcome.done, outcome.skipped) == (1, 1)
    first = cells(tmp_path)["tiny/a"].run_id
    outcome = sweep(plan, tmp_path, fresh=True)
    assert (outcome.done, outcome.skipped) == (2, 0)
    assert cells(tmp_path)["tiny/a"].run_id != first


# ── Failures ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_failed_experiment_does_not_stop_the_others(tmp_path: Path) -> None:
    plan = [experiment("tiny", "a"), experiment("tiny", "fails"), experiment("tiny", "b")]
    outcome = sweep(plan, tmp_path)
    assert (outcome.done, outcome.failed, outcome.exit_code) == (2, 1, ExitCode.FAILED)
    (failure,) = outcome.failures
    assert (failure.key, failure.title) == (plan[1].key, "tiny/fails/few-shot")
    assert (failure.message, failure.hint) == ("the loss is not finite", "Lower the learning rate.")
    cell = cells(tmp_path)["tiny/fails"]
    assert (cell.state, cell.error, cell.message) == ("failed", "ValueError", "the loss is not finite")
    assert worker_pid(tmp_path, "tiny/a") == worker_pid(tmp_path, "tiny/b")


def test_a_run_that_leaves_an_example_unanswered_is_never_done(tmp_path: Path) -> None:
    outcome = sweep([experiment("tiny", "forgets"), experiment("tiny", "a")], tmp_path)
    assert (outcome.done, outcome.failed) == (1, 1)
    assert cells(tmp_path)["tiny/forgets"].state == "failed"


def test_weights_that_cannot_be_had_fail_the_experiments_of_that_model_only(tmp_path: Path) -> None:
    def find(model: ModelSpec) -> Path:
        if model.name == "tiny":
            raise CannotStartError("model.safetensors is corrupt", "nlu-arena pull --model tiny")
        return Path("weights")

    outcome = sweep([experiment("tiny"), experiment("big")], tmp_path, weights_dir=find)
    assert (outcome.done, outcome.failed) == (1, 1)
    assert outcome.failures[0].hint == "nlu-arena pull --model tiny"


def test_a_crashed_worker_is_replaced_and_its_run_continued_without_repeating_answers(tmp_path: Path) -> None:
    recorder = Recorder()
    outcome = sweep([experiment("tiny", "crashes-once"), experiment("tiny", "a")], tmp_path, recorder)
    assert (outcome.done, outcome.failed, outcome.exit_code) == (2, 0, ExitCode.OK)
    (crash,) = recorder.fields("run_failed")
    assert (crash["state"], crash["retry"]) == ("interrupted", True)
    assert "killed (signal 9), most likely for lack of memory" in crash["message"]
    started = recorder.fields("run_started")
    assert [fields["answered"] for fields in started] == [0, 8, 0]
    assert started[0]["run"] == started[1]["run"]
    assert attempts(tmp_path, "tiny/crashes-once") == [16]
    assert [row.predicted for row in answers(tmp_path, "tiny/crashes-once")] == ALL
    with Reader.open(tmp_path / "arena.db") as reader:
        (line,) = reader.log_lines(started[0]["run"])
    assert line.level == "warning"
    assert "signal 9" in line.text


def test_an_experiment_that_crashes_twice_has_failed_with_the_reason(tmp_path: Path) -> None:
    outcome = sweep([experiment("tiny", "leaves"), experiment("tiny", "a")], tmp_path)
    assert (outcome.done, outcome.failed) == (1, 1)
    assert outcome.failures[0].message == "the worker ended by itself (exit code 7)"
    assert "these are my last words" in outcome.failures[0].hint
    row = run(tmp_path, "tiny/leaves")
    assert (row.state, row.error) == ("failed", "WorkerDied")
    assert row.traceback == "these are my last words"


def test_an_experiment_that_comes_forward_each_time_may_crash_as_often_as_it_likes(tmp_path: Path) -> None:
    recorder = Recorder()
    outcome = sweep([experiment("tiny", "stumbles")], tmp_path, recorder)
    assert (outcome.done, outcome.failed) == (1, 0)
    assert len(recorder.fields("run_failed")) == 5
    assert [row.predicted for row in answers(tmp_path, "tiny/stumbles")] == ALL


def test_answers_that_come_twice_from_a_dying_worker_do_not_end_the_sweep(tmp_path: Path) -> None:
    outcome = sweep([experiment("tiny", "doubles"), experiment("tiny", "a")], tmp_path)
    assert (outcome.done, outcome.failed) == (1, 1)
    assert [failure.title for failure in outcome.failures] == ["tiny/doubles/few-shot"]


def test_a_silent_worker_is_killed_and_counts_as_dead(tmp_path: Path) -> None:
    plan = [experiment("tiny", "hangs"), experiment("tiny", "a")]
    outcome = sweep(plan, tmp_path, patience=Patience(hang=1.0))
    assert (outcome.done, outcome.failed) == (1, 1)
    assert "no sign of life" in outcome.failures[0].message


def test_noise_in_the_protocol_is_reported_with_the_line(tmp_path: Path) -> None:
    outcome = sweep([experiment("tiny", "babbles")], tmp_path)
    assert "Some weights were not initialised" in outcome.failures[0].message


@pytest.mark.parametrize(
    ("option", "reason"), [("--dead", "No module named 'torch'"), ("--mute", "not ready")]
)
def test_a_sweep_whose_workers_never_get_ready_cannot_start(tmp_path: Path, option: str, reason: str) -> None:
    def make(device: str) -> ProcessWorker:
        return ProcessWorker(device, command=(*TOY, option))

    with pytest.raises(CannotStartError) as caught:
        sweep([experiment()], tmp_path, make_worker=make, patience=Patience(ready=0.5))
    assert reason in f"{caught.value.message} {caught.value.hint}"
    assert cells(tmp_path)["tiny/answers"].state == "waiting"
    assert sweep([experiment()], tmp_path).done == 1


def test_a_ledger_that_cannot_be_written_ends_the_sweep_with_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workers: list[ProcessWorker] = []

    def make(device: str) -> ProcessWorker:
        workers.append(toy(device))
        return workers[-1]

    def refuse(*arguments: object) -> None:
        raise LedgerError("the ledger cannot be written: the disk is full", "Free space.")

    with monkeypatch.context() as patch:
        patch.setattr(Store, "record", refuse)
        with pytest.raises(LedgerError, match="disk is full"):
            sweep([experiment(), experiment(seed=2)], tmp_path, make_worker=make)
    assert not [worker for worker in workers if psutil.pid_exists(worker.pid)]
    assert sweep([experiment(), experiment(seed=2)], tmp_path).done == 2


# ── Exports ───────────────────────────────────────────────────────────────────────────────────────────


def test_each_finished_run_is_exported_before_the_sweep_ends(tmp_path: Path) -> None:
    exported: list[int] = []
    recorder = Recorder()
    plan = [experiment("tiny", "a"), experiment("tiny", "fails"), experiment("tiny", "b")]
    sweep(plan, tmp_path, recorder, on_finished=exported.append)
    assert exported == [fields["run"] for fields in recorder.fields("run_finished")]
    assert len(exported) == 2


def test_an_export_that_fails_is_reported_and_loses_no_result(tmp_path: Path) -> None:
    def export(run_id: int) -> None:
        raise PermissionError("results.json cannot be written")

    outcome = sweep([experiment("tiny", "a"), experiment("tiny", "b")], tmp_path, on_finished=export)
    assert (outcome.done, outcome.failed, outcome.exit_code) == (2, 0, ExitCode.FAILED)
    assert [failure.title for failure in outcome.export_failures] == ["tiny/a/few-shot", "tiny/b/few-shot"]
    assert "results.json cannot be written" in outcome.export_failures[0].message


# ── Stopping and going on ─────────────────────────────────────────────────────────────────────────────


def on_progress(done: int, act: Callable[[], None]) -> Recorder:
    def heed(event: SweepEvent) -> None:
        if event.event == "progress" and event.fields["done"] == done:
            act()

    return Recorder(heed)


def test_a_stopped_sweep_keeps_all_answers_and_the_next_one_completes_it(tmp_path: Path) -> None:
    plan = [experiment("tiny", "waits"), experiment("tiny", "a")]
    cancel = Cancel()
    outcome = sweep(plan, tmp_path, on_progress(8, cancel.request), cancel)
    assert (outcome.interrupted, outcome.waiting, outcome.exit_code) == (1, 1, ExitCode.INTERRUPTED)
    assert cells(tmp_path)["tiny/waits"].state == "interrupted"
    recorder = Recorder()
    outcome = sweep(plan, tmp_path, recorder)
    assert (outcome.done, outcome.exit_code) == (2, ExitCode.OK)
    assert attempts(tmp_path, "tiny/waits") == [16]
    undisturbed = tmp_path / "undisturbed"
    sweep([experiment("tiny", "a")], undisturbed)
    assert answers(tmp_path, "tiny/waits") == answers(undisturbed, "tiny/a")
    assert cells(tmp_path)["tiny/waits"].metrics == cells(undisturbed)["tiny/a"].metrics


def test_a_worker_that_does_not_stop_in_time_is_killed_and_its_answers_are_kept(tmp_path: Path) -> None:
    cancel = Cancel()
    recorder = on_progress(8, cancel.request)
    outcome = sweep([experiment("tiny", "hangs")], tmp_path, recorder, cancel, patience=Patience(stop=0.2))
    assert (outcome.interrupted, outcome.exit_code) == (1, ExitCode.INTERRUPTED)
    assert recorder.fields("run_failed")[0]["retry"] is False
    again = Cancel()
    recorder = Recorder(lambda event: again.request() if event.event == "run_started" else None)
    sweep([experiment("tiny", "hangs")], tmp_path, recorder, again, patience=Patience(stop=0.2))
    assert recorder.fields("run_started")[0]["answered"] == 8


def test_asking_twice_stops_now(tmp_path: Path) -> None:
    cancel = Cancel()

    def ask_twice() -> None:
        cancel.request()
        cancel.request()

    plan = [experiment("tiny", "hangs"), experiment("tiny", "a")]
    outcome = sweep(plan, tmp_path, on_progress(8, ask_twice), cancel, patience=Patience(stop=3600))
    assert (outcome.interrupted, outcome.waiting, outcome.state) == (1, 1, "interrupted")


def test_a_sweep_that_is_stopped_before_its_first_run_starts_no_worker(tmp_path: Path) -> None:
    cancel = Cancel()
    cancel.request()
    outcome = sweep([experiment()], tmp_path, cancel=cancel, make_worker=no_worker)
    assert (outcome.waiting, outcome.exit_code) == (1, ExitCode.INTERRUPTED)


KILLED = """
import sys
sys.path[:0] = {path!r}
from tests.test_scheduler import *
def tell(event):
    print(event.event, event.fields.get("done"), flush=True)
plan = [experiment("tiny", "waits"), experiment("big", "a")]
sweep(plan, Path({results!r}), Recorder(tell), devices=("cuda:0",))
"""


def is_gone(process: psutil.Process) -> bool:
    """Say whether a process has ended; without a parent that asks for it, it may stay as a zombie."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_a_scheduler_killed_in_the_middle_leaves_no_worker_and_the_next_sweep_goes_on(tmp_path: Path) -> None:
    code = KILLED.format(path=sys.path, results=str(tmp_path))
    scheduler = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert scheduler.stdout is not None
    for line in scheduler.stdout:
        if line == "progress 8\n":
            break
    workers = psutil.Process(scheduler.pid).children(recursive=True)
    os.kill(scheduler.pid, signal.SIGKILL)
    scheduler.wait()
    scheduler.stdout.close()
    assert len(workers) == 2, "the worker and the spare of the next model"
    wait_for(lambda: all(is_gone(worker) for worker in workers), seconds=5)
    recorder = Recorder()
    plan = [experiment("tiny", "waits"), experiment("big", "a")]
    outcome = sweep(plan, tmp_path, recorder, devices=("cuda:0",))
    assert outcome.done == 2
    # Of the two chunks the last was still held back, to be committed together with the end of the run.
    assert recorder.fields("run_started")[0]["answered"] == 4
    assert attempts(tmp_path, "tiny/waits") == [20]
    assert [row.predicted for row in answers(tmp_path, "tiny/waits")] == ALL


def test_a_screen_can_have_a_failed_experiment_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nlu_arena.scheduler.CHORES", 0.0)
    plan = [experiment("tiny", "fails-once"), experiment("tiny", "a")]
    asked: list[int] = []

    def ask(event: SweepEvent) -> None:
        if event.event == "run_failed":
            asked.extend(request(tmp_path / "arena.db", "retry", e.key) for e in plan)

    outcome = sweep(plan, tmp_path, Recorder(ask))
    with Reader.open(tmp_path / "arena.db") as reader:
        said = [reader.answer(number) for number in asked]
    assert said == ["queued again", "refused: only a failed experiment of this sweep can be tried again"]
    assert (outcome.done, outcome.failed, outcome.failures) == (2, 0, ())


def test_a_screen_can_stop_the_sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nlu_arena.scheduler.CHORES", 0.0)
    recorder = on_progress(8, lambda: asked.append(request(tmp_path / "arena.db", "stop")))
    asked: list[int] = []
    outcome = sweep([experiment("tiny", "waits"), experiment("tiny", "a")], tmp_path, recorder)
    with Reader.open(tmp_path / "arena.db") as reader:
        assert reader.answer(asked[0]) == "stopping"
    assert (outcome.interrupted, outcome.waiting, outcome.exit_code) == (1, 1, ExitCode.INTERRUPTED)


def test_memory_is_recorded_while_the_sweep_runs(tmp_path: Path) -> None:
    sweep([experiment("tiny", "a")], tmp_path)
    with Reader.open(tmp_path / "arena.db") as reader:
        last = reader.last_sweep()
        assert last is not None
        assert "host" in {sample.source for sample in reader.memory_samples(last.id)}
