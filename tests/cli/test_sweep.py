from __future__ import annotations

import csv
import json
import signal
import sqlite3
import subprocess

import pytest

from nlu_arena.ledger.store import Store
from nlu_arena.paths import ledger_path
from tests.cli.arena import finish, read_until
from tests.cli.conftest import MakeArena


def test_a_sweep_does_everything_and_a_second_one_nothing(make_arena: MakeArena) -> None:
    arena = make_arena()
    first = arena.run("sweep", "--profile", "toys")
    assert "data: file" in first.stderr
    assert "[1/2]" in first.stderr
    assert "2 of 2 done" in first.stderr
    assert "next: " in first.stderr
    header, *rows = csv.reader(first.stdout.splitlines(), delimiter="\t")
    assert [row[header.index("state")] for row in rows] == ["done", "done"]
    for cell in arena.status()["cells"]:
        folder = arena.results / cell["folder"]
        assert json.loads((folder / "results.json").read_text())["accuracy"] == cell["metrics"]["accuracy"]
        assert (folder / "error_analysis" / "toy_errors.csv").exists()
    (log,) = arena.results.glob("benchmark_*.log")
    assert "done     toy/answers/zero-shot" in log.read_text()
    (arena.results / arena.status()["cells"][0]["folder"] / "results.json").unlink()

    second = arena.run("sweep", "--profile", "toys")
    assert "2 done already" in second.stderr
    assert second.stdout.splitlines()[0] == first.stdout.splitlines()[0]
    assert list(arena.results.glob("benchmark_*.log")) == [log]
    assert (arena.results / arena.status()["cells"][0]["folder"] / "results.json").exists()


def test_a_failure_does_not_stop_the_others_and_is_explained(make_arena: MakeArena) -> None:
    arena = make_arena(["fails", "answers"])
    process = arena.run("sweep", "--profile", "toys", "--display", "none", code=1)
    assert (
        "failed: toy/fails/zero-shot: the loss is not finite\nhint: Lower the learning rate."
        in process.stderr
    )
    assert "1 of 2 done · 1 failed" in process.stderr
    assert "[1/2]" not in process.stderr
    assert "next: nlu-arena sweep --profile toys --display none   tries it again" in process.stderr


def test_json_is_a_stream_of_events_and_nothing_else(make_arena: MakeArena) -> None:
    arena = make_arena(["answers", "fails"])
    process = arena.run("sweep", "--profile", "toys", "--json", code=1)
    events = [json.loads(line) for line in process.stdout.splitlines()]
    names = [event["event"] for event in events]
    assert (names[0], names[-1]) == ("sweep_started", "sweep_finished")
    assert set(names) == {
        *("sweep_started", "run_started", "phase", "progress", "run_finished", "run_failed", "sweep_finished")
    }
    keys = {cell["key"] for cell in arena.status()["cells"]}
    assert {event["key"] for event in events[1:-1]} == keys
    assert all(event["at"].endswith("+00:00") for event in events)
    assert next(e for e in events if e["event"] == "run_finished")["metrics"]["n"] == 24


def test_a_dry_run_shows_the_plan_and_makes_nothing(make_arena: MakeArena) -> None:
    arena = make_arena()
    process = arena.run("sweep", "--profile", "toys", "--dry-run")
    _, *lines = process.stdout.splitlines()
    assert [line.split("\t")[:3] for line in lines] == [
        ["1", "waiting", "toy/answers/zero-shot"],
        ["2", "waiting", "toy/more/zero-shot"],
    ]
    assert not arena.results.exists()
    arena.run("sweep", "--profile", "toys")
    document = json.loads(arena.run("sweep", "--profile", "toys", "--dry-run", "--json").stdout)
    assert [step["state"] for step in document["plan"]] == ["done", "done"]
    fresh = json.loads(arena.run("sweep", "--profile", "toys", "--dry-run", "--json", "--fresh").stdout)
    assert [step["state"] for step in fresh["plan"]] == ["waiting", "waiting"]


def test_a_dry_run_does_not_take_what_an_older_ledger_has_for_undone(make_arena: MakeArena) -> None:
    arena = make_arena(["answers"])
    arena.run("sweep", "--profile", "toys")
    with sqlite3.connect(ledger_path(arena.results)) as connection:
        connection.execute("PRAGMA user_version = 1")
    connection.close()
    process = arena.run("sweep", "--profile", "toys", "--dry-run", code=4)
    assert process.stdout == ""
    assert "`nlu-arena sweep --profile toys` migrates it, after a backup copy" in process.stderr


def test_fresh_repeats_what_is_done(make_arena: MakeArena) -> None:
    arena = make_arena(["answers"])
    arena.run("sweep", "--profile", "toys")
    before = arena.status()["cells"][0]["run_id"]
    arena.run("sweep", "--profile", "toys", "--fresh")
    assert arena.status()["cells"][0]["run_id"] != before


def test_run_is_a_sweep_of_one(make_arena: MakeArena) -> None:
    arena = make_arena()
    arena.run("run", "--model", "toy", "--task", "answers", "--mode", "zero-shot")
    document = arena.status()
    assert [(c["model"], c["task"], c["mode"], c["state"]) for c in document["cells"]] == [
        ("toy", "answers", "zero-shot", "done")
    ]


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 143)]
)
def test_a_signal_stops_cleanly_and_the_next_sweep_goes_on(
    make_arena: MakeArena, number: signal.Signals, code: int
) -> None:
    arena = make_arena(["answers", "waits", "more"])
    process = arena.start("sweep", "--profile", "toys")
    read_until(process, "started  toy/waits")
    process.send_signal(number)
    _, stderr = finish(process)
    assert process.returncode == code
    assert "everything so far is kept" in stderr
    assert "goes on where it stopped" in stderr
    assert [cell["state"] for cell in arena.status()["cells"]] == ["done", "interrupted", "waiting"]
    assert "goes on after 8 answers" in arena.run("sweep", "--profile", "toys").stderr
    assert [cell["state"] for cell in arena.status()["cells"]] == ["done", "done", "done"]


def test_a_second_ctrl_c_does_not_wait_for_the_batch(make_arena: MakeArena) -> None:
    arena = make_arena(["hangs"])
    process = arena.start("sweep", "--profile", "toys")
    read_until(process, "started  toy/hangs")
    process.send_signal(signal.SIGINT)
    read_until(process, "Ctrl-C again stops now")
    process.send_signal(signal.SIGINT)
    finish(process)
    assert process.returncode == 130


def test_a_closed_pipe_does_not_disturb_a_sweep(make_arena: MakeArena) -> None:
    arena = make_arena(["answers", "more"])
    process = arena.start("sweep", "--profile", "toys", "--json", stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(timeout=30) == 0
    assert [cell["state"] for cell in arena.status()["cells"]] == ["done", "done"]


def test_a_second_sweep_on_the_same_ledger_is_refused_and_says_who_holds_it(make_arena: MakeArena) -> None:
    arena = make_arena()
    with Store.open(ledger_path(arena.results)):
        process = arena.run("sweep", "--profile", "toys", code=3)
    assert "already writing" in process.stderr
    assert "status --watch" in process.stderr


def test_damaged_weights_are_named_before_anything_starts(make_arena: MakeArena) -> None:
    arena = make_arena()
    (arena.home / "weights" / "model.safetensors").write_bytes(b"short")
    process = arena.run("sweep", "--profile", "toys", code=3)
    assert "model.safetensors" in process.stderr
    assert "Traceback" not in process.stderr


def test_a_device_that_is_not_there_and_too_many_jobs_are_refused(make_arena: MakeArena) -> None:
    arena = make_arena()
    assert (
        "there is no device 'cuda:7'"
        in arena.run("sweep", "--profile", "toys", "--device", "cuda:7", code=3).stderr
    )
    assert "--jobs 2" in arena.run("sweep", "--profile", "toys", "--jobs", "2", code=3).stderr


def test_a_results_folder_that_cannot_be_written_is_named(make_arena: MakeArena) -> None:
    arena = make_arena()
    (arena.home / "file").write_text("in the way")
    process = arena.run("sweep", "--profile", "toys", "--results", "file/results", code=3)
    assert "file" in process.stderr
    assert "--results" in process.stderr
