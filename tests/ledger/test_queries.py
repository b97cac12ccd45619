from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

from nlu_arena import events
from nlu_arena.errors import NothingToShowError
from nlu_arena.ledger import control
from nlu_arena.ledger.queries import Reader
from nlu_arena.ledger.store import Store
from nlu_arena.metrics import wilson_interval
from nlu_arena.spec import Published
from tests.ledger.sweeps import (
    READY,
    answers,
    complete,
    example_set,
    make_experiment,
    start,
    without_privileges,
)

ROOT = Path(__file__).resolve().parents[2]


def test_without_a_ledger_there_is_nothing_to_show_and_none_is_made(tmp_path: Path) -> None:
    with pytest.raises(NothingToShowError, match="there is no ledger") as caught:
        Reader.open(tmp_path / "arena.db")
    assert "nlu-arena sweep" in caught.value.hint
    with pytest.raises(NothingToShowError, match="no sweep is writing"):
        control.request(tmp_path / "arena.db", "stop")
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_sweep_or_run_is_nothing_to_show(ledger: Path) -> None:
    Store.open(ledger).close()
    with Reader.open(ledger) as reader:
        assert reader.last_sweep() is None
        assert reader.cells(7) == []
        with pytest.raises(NothingToShowError, match="no sweep 7"):
            reader.sweep(7)
        with pytest.raises(NothingToShowError, match="no run 7"):
            reader.run(7)


def test_cells_come_in_the_order_of_the_plan_with_their_state(ledger: Path) -> None:
    plan = [make_experiment(model) for model in ("zeta", "alpha", "mid", "beta")]
    with Store.open(ledger) as store, Reader.open(ledger) as reader:
        sweep_id = store.begin_sweep("quick", plan, {"profile": "quick"})
        runs = [store.begin_run(sweep_id, experiment, READY) for experiment in plan[:3]]
        store.record(runs[0].run_id, example_set(4))
        store.finish_run(runs[0].run_id, [answers(0, 1, 2, 3)])
        store.end_run(runs[1].run_id, "failed", error="RunError", message="the loss is not finite", hint="x")
        store.record(runs[2].run_id, events.Progress(phase="train", done=3, total=9))
        cells = reader.cells(sweep_id)
        assert reader.last_sweep() == reader.sweep(sweep_id)
        assert reader.sweep(sweep_id).details == {"profile": "quick"}
    assert [(c.model, c.state) for c in cells] == [
        ("zeta", "done"),
        ("alpha", "failed"),
        ("mid", "running"),
        ("beta", "waiting"),
    ]
    assert [c.position for c in cells] == [0, 1, 2, 3]
    done, failed, running, waiting = cells
    assert done.metrics is not None
    assert (done.metrics.accuracy, done.majority, done.n) == (1, 0.5, 4)
    assert done.interval == wilson_interval(4, 4)
    assert done.by_split == {"dev": done.metrics}
    assert (done.data_source, done.weights_source, done.quantisation) == ("starter", "wheel", "Q4_1")
    assert (done.subset.train, done.shots, done.seed, done.mode) == (96, 0, 42, "zero-shot")
    assert (done.key, done.run_id, done.folder) == (plan[0].key, runs[0].run_id, runs[0].folder)
    assert (failed.error, failed.message, failed.hint) == ("RunError", "the loss is not finite", "x")
    assert (running.phase, running.done, running.total) == ("train", 3, 9)
    assert (waiting.run_id, waiting.seconds, waiting.metrics, waiting.folder) == (None, None, None, "")


def test_a_later_sweep_shows_the_results_it_takes_over(ledger: Path) -> None:
    with Store.open(ledger) as store, Reader.open(ledger) as reader:
        first = complete(store)
        second = store.begin_sweep("again", [make_experiment("new"), make_experiment()], {})
        new, old = reader.cells(second)
        assert (old.state, old.run_id, new.state) == ("done", first.run_id, "waiting")


def test_a_fresh_sweep_does_not_show_results_of_earlier_ones(ledger: Path) -> None:
    with Store.open(ledger) as store, Reader.open(ledger) as reader:
        first = complete(store)
        sweep_id = store.begin_sweep("again", [make_experiment()], {}, fresh=True)
        assert reader.cells(sweep_id)[0].state == "waiting"
        run = store.begin_run(sweep_id, make_experiment(), READY, fresh=True)
        assert reader.cells(sweep_id)[0].run_id == run.run_id
        assert reader.cells(1)[0].run_id == first.run_id


def test_a_cell_says_where_the_bytes_of_its_number_came_from(ledger: Path) -> None:
    with Store.open(ledger) as store, Reader.open(ledger) as reader:
        complete(store, make_experiment(source="hub"))
        sweep_id = store.begin_sweep("again", [make_experiment(source="file")], {})
        assert reader.cells(sweep_id)[0].data_source == "hub"


def test_a_cell_says_what_its_data_were_compared_with_and_where_they_differ(ledger: Path) -> None:
    published = Published(name="GLUE", counts={"dev": 872})
    task = msgspec.structs.replace(make_experiment().task, published=published)
    compared = msgspec.structs.replace(make_experiment(source="glue-dir"), task=task)
    with Store.open(ledger) as store, Reader.open(ledger) as reader:
        run = start(store, compared)
        assert (reader.cells(1)[0].published, reader.cells(1)[0].data_differences) == ("", {})
        differences = {"dev": "4 rows, GLUE has 872"}
        store.record(run.run_id, events.Facts(facts={"data_differences": differences}))
        assert (reader.cells(1)[0].published, reader.cells(1)[0].data_differences) == ("GLUE", differences)


def test_the_finished_experiments_of_all_sweeps_have_their_newest_good_run(ledger: Path) -> None:
    first, second, third = (make_experiment(model) for model in ("alpha", "beta", "gamma"))
    with Store.open(ledger) as store, Reader.open(ledger) as reader:
        store.begin_sweep("interrupted", [first, second], {})
        complete(store, first)
        kept = complete(store, first)
        # A later failure does not take away what was done before.
        sweep = store.begin_sweep("failing", [first, third], {})
        run = store.begin_run(sweep, first, READY)
        store.end_run(run.run_id, "failed", error="RunError", message="no memory")
        finished, unfinished = reader.finished(), reader.unfinished()
    assert [(cell.key, cell.run_id, cell.state) for cell in finished] == [(first.key, kept.run_id, "done")]
    assert [(c.key, c.state) for c in unfinished] == [(second.key, "waiting"), (third.key, "waiting")]


def test_a_finished_experiment_says_what_it_learned_from_and_what_it_costs(ledger: Path) -> None:
    prompted, trained = make_experiment(mode="few-shot"), make_experiment(mode="lora")
    facts = {
        "train_rows": 96,
        "trainable_parameters": 7,
        "evaluate_examples_per_second": 2.5,
        "latency": {"1": {"p50_ms": 3.0}, "32": {"p50_ms": 64.0}},
    }
    with Store.open(ledger) as store, Reader.open(ledger) as reader:
        sweep = store.begin_sweep("quick", [prompted, trained], {})
        for experiment in (prompted, trained):
            run_id = store.begin_run(sweep, experiment, READY).run_id
            store.record(run_id, events.Facts(facts=facts))
            store.record(run_id, example_set(4))
            store.finish_run(run_id, [answers(0, 1, 2, 3)])
        few_shot, lora = reader.finished()
    # The examples in the prompt are all that a prompted model has seen.
    assert (few_shot.train_rows, lora.train_rows) == (5, 96)
    assert (lora.call_ms, lora.examples_per_second, lora.trainable_parameters) == ({1: 3.0, 32: 64.0}, 2.5, 7)
    assert (lora.family, lora.title, lora.size) == ("decoder", "Smol", 135)


def test_what_a_dead_scheduler_left_running_is_shown_as_interrupted(ledger: Path) -> None:
    store = Store.open(ledger)
    run = start(store)
    with Reader.open(ledger) as reader:
        assert reader.cells(1)[0].state == reader.run(run.run_id).state == "running"
        store.close()
        assert reader.cells(1)[0].state == reader.run(run.run_id).state == "interrupted"
        assert reader.sweep(1).state == "interrupted"
        assert [r.state for r in reader.changed_since(0)] == ["interrupted"]


def test_a_sweep_that_ends_is_no_longer_running(ledger: Path) -> None:
    with Store.open(ledger) as store, Reader.open(ledger) as reader:
        sweep_id = store.begin_sweep("quick", [make_experiment()], {})
        assert (reader.sweep(sweep_id).state, reader.sweep(sweep_id).finished_at) == ("running", None)
        store.finish_sweep(sweep_id, "failed")
        assert reader.sweep(sweep_id).state == "failed"
        assert reader.sweep(sweep_id).finished_at is not None


def test_a_ledger_on_a_read_only_disk_can_be_read(open_folder: Path) -> None:
    path = open_folder / "arena.db"
    with Store.open(path) as store:
        complete(store)
    for item in (path, open_folder):
        item.chmod(0o555)
    with without_privileges(open_folder), Reader.open(path) as reader:
        assert not reader.live
        assert reader.cells(1)[0].state == "done"
    assert sorted(item.name for item in open_folder.iterdir()) == ["arena.db", "arena.lock"]


def test_what_only_the_log_of_a_killed_sweep_has_is_read_on_a_read_only_disk(open_folder: Path) -> None:
    path, copy = open_folder / "arena.db", open_folder / "copy" / "arena.db"
    copy.parent.mkdir()
    with Store.open(path) as store:
        complete(store)
        # What lies on the disk in the middle of a sweep: nothing is in the main file yet.
        for name in ("arena.db", "arena.db-wal"):
            (copy.parent / name).write_bytes((open_folder / name).read_bytes())
    copy.parent.chmod(0o555)
    with without_privileges(copy.parent), Reader.open(copy) as reader:
        assert not reader.live
        assert reader.cells(1)[0].state == "done"
        assert len(reader.predictions(1, "dev")) == 4


def test_a_reader_sees_what_the_writer_commits_and_does_not_hinder_it(ledger: Path) -> None:
    with Store.open(ledger) as store, Reader.open(ledger) as reader:
        assert reader.live
        run = start(store)
        store.record(run.run_id, example_set(50))
        for index in range(50):
            store.record(run.run_id, answers(index))
            assert len(reader.predictions(run.run_id, "dev")) == index + 1


def test_reading_the_cells_imports_nothing_heavy(ledger: Path) -> None:
    with Store.open(ledger) as store:
        complete(store)
    code = (
        "import sys; from pathlib import Path; from nlu_arena.ledger.queries import Reader\n"
        "assert Reader.open(Path(sys.argv[1])).cells(1)[0].n == 4\n"
        "heavy = {'numpy', 'scipy', 'sklearn', 'pandas', 'torch', 'rich'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code, str(ledger)], cwd=ROOT, check=True)


def test_opening_and_reading_a_large_sweep_is_quick(ledger: Path) -> None:
    plan = [make_experiment(f"m{n}", f"t{m}") for n in range(10) for m in range(12)]
    with Store.open(ledger) as store:
        sweep_id = store.begin_sweep("large", plan, {})
        for experiment in plan:
            run = store.begin_run(sweep_id, experiment, READY)
            store.record(run.run_id, example_set(40))
            store.finish_run(run.run_id, [answers(*range(40))])
    fastest = float("inf")
    for _ in range(5):
        began = time.perf_counter()
        with Reader.open(ledger) as reader:
            assert len(reader.cells(sweep_id)) == 120
        fastest = min(fastest, time.perf_counter() - began)
    # Generous: on a quiet machine it takes a tenth of this.
    assert fastest < 0.2
