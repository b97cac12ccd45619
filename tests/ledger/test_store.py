from __future__ import annotations

import re
import sqlite3
from pathlib import Path
from typing import Any

import msgspec
import pytest

from nlu_arena import events
from nlu_arena.errors import RunError
from nlu_arena.ledger import control
from nlu_arena.ledger.queries import Reader, Timing
from nlu_arena.ledger.store import MemorySample, Store
from nlu_arena.spec import Prediction
from tests.ledger.sweeps import (
    READY,
    answers,
    complete,
    example_set,
    make_experiment,
    prediction,
    start,
)


@pytest.fixture
def store(ledger: Path) -> Any:
    with Store.open(ledger) as opened:
        yield opened


@pytest.fixture
def reader(ledger: Path, store: Store) -> Any:
    with Reader.open(ledger) as opened:
        yield opened


def resume(store: Store, **changes: Any) -> Any:
    return store.begin_run(1, make_experiment(), msgspec.structs.replace(READY, **changes))


# ── What is recorded ──────────────────────────────────────────────────────────────────────────────────


def test_every_event_of_a_run_can_be_read_back(store: Store, reader: Reader) -> None:
    run_id = start(store).run_id
    for event in (
        events.PhaseStarted(phase="train"),
        events.MetricPoint(step=1, epoch=0.5, name="loss", value=0.7),
        events.MetricPoint(step=1, epoch=0.5, name="lr", value=2e-5),
        events.PhaseFinished(phase="train", seconds=1.25),
        example_set(4),
        answers(0, 1),
        events.Artifact(kind="model", path="best_model"),
        events.Log(level="warning", text="careful"),
        events.Progress(phase="evaluate", done=2, total=4),
    ):
        store.record(run_id, event)
    run = reader.run(run_id)
    assert (run.state, run.phase, run.done, run.total) == ("running", "evaluate", 2, 4)
    assert (run.device_kind, run.threads, run.environment) == ("cpu", 2, {"torch": "2.13.0"})
    assert run.experiment == make_experiment()
    assert [(p.phase, p.seconds) for p in reader.phases(run_id)] == [("train", 1.25)]
    assert reader.metric_points(run_id) == [("loss", 1, 0.5, 0.7), ("lr", 1, 0.5, 2e-5)]
    assert reader.predictions(run_id, "dev") == [prediction(0), prediction(1)]
    assert reader.examples("first-4", "dev") == example_set(4).examples
    assert reader.splits(run_id) == [("dev", "first-4", 4)]
    assert reader.artifacts(run_id) == [("model", "best_model")]
    assert [line[1:] for line in reader.log_lines(run_id)] == [("warning", "careful")]


def test_facts_are_merged_and_warnings_added_once(store: Store, reader: Reader) -> None:
    run_id = start(store).run_id
    for facts in (
        {"steps": 1, "memory": {"load": {"rss": 5}}, "warnings": ["a"]},
        {"steps": 2, "memory": {"train": {"rss": 9}}, "warnings": ["b", "a"]},
    ):
        store.record(run_id, events.Facts(facts=facts))
    run = reader.run(run_id)
    assert run.facts["steps"] == 2
    assert run.facts["memory"] == {"load": {"rss": 5}, "train": {"rss": 9}}
    assert run.warnings == ["a", "b"]


def test_examples_are_stored_once_for_all_runs_on_them(store: Store, ledger: Path) -> None:
    for model in ("smol", "gemma", "qwen"):
        complete(store, make_experiment(model))
    connection = sqlite3.connect(ledger)
    assert connection.execute("SELECT count(*) FROM examples").fetchone() == (4,)
    connection.close()


def test_examples_get_their_genre_from_the_first_run_that_brings_it(store: Store, reader: Reader) -> None:
    plain = example_set(3).examples
    known = [
        msgspec.structs.replace(e, genre=g) for e, g in zip(plain, ("letters", None, "travel"), strict=True)
    ]
    for model, examples, stored in (("smol", plain, plain), ("gemma", known, known), ("qwen", plain, known)):
        run = start(store, make_experiment(model))
        store.record(run.run_id, events.ExampleSet(split="dev", fingerprint="same", examples=examples))
        assert reader.examples("same", "dev") == stored


def test_the_peak_of_memory_never_falls(store: Store, reader: Reader) -> None:
    run_id = start(store).run_id
    assert reader.run(run_id).peak_rss_bytes is None
    for peak in (5, 9, 7):
        store.record_peak(run_id, peak)
    assert reader.run(run_id).peak_rss_bytes == 9


def test_memory_samples_belong_to_the_sweep(store: Store, reader: Reader) -> None:
    start(store)
    samples = [MemorySample(1000.5, "host", 1, 2), MemorySample(1001.5, "cuda:0", None, 80, 99)]
    store.add_samples(samples)
    assert reader.memory_samples(1) == samples
    assert reader.memory_samples(2) == []


def test_answers_to_examples_never_announced_are_refused(store: Store) -> None:
    run_id = start(store).run_id
    with pytest.raises(RunError, match="never announced"):
        store.record(run_id, answers(0))


def test_a_chunk_with_an_example_answered_before_is_refused_whole(store: Store, reader: Reader) -> None:
    run_id = start(store).run_id
    store.record(run_id, example_set(4))
    store.record(run_id, answers(0, 1))
    with pytest.raises(RunError, match="answered twice"):
        store.record(run_id, answers(2, 1))
    assert [p.index for p in reader.predictions(run_id, "dev")] == [0, 1]


def test_only_a_run_that_is_under_way_can_be_written(store: Store) -> None:
    done = complete(store)
    with pytest.raises(ValueError, match="not under way"):
        store.record(done.run_id, events.Log(level="info", text="late"))
    with pytest.raises(ValueError, match="not an event to record"):
        store.record(start(store, fresh=True).run_id, events.Finished())


# ── The end of a run ──────────────────────────────────────────────────────────────────────────────────


def test_a_finished_run_has_its_metrics_and_its_answers(store: Store, reader: Reader) -> None:
    run_id = start(store).run_id
    store.record(run_id, example_set(4))
    store.record(run_id, answers(0, 1))
    last = events.Predictions(split="dev", rows=[prediction(2), prediction(3, predicted=0)])
    metrics, alarms = store.finish_run(run_id, [last])
    run = reader.run(run_id)
    assert (metrics.accuracy, metrics.n, metrics.majority) == (0.75, 4, 0.5)
    assert run.metrics == metrics
    assert run.by_split == {"dev": metrics}
    assert run.alarms == alarms == {"dev": {}}
    assert (run.state, run.facts["ties"], run.warnings) == ("done", 0, [])
    assert reader.predictions(run_id, "dev") == [prediction(0), prediction(1), *last.rows]
    assert run.finished_at is not None


def test_a_finished_run_keeps_no_rows_beside_its_packed_answers(store: Store, ledger: Path) -> None:
    complete(store)
    connection = sqlite3.connect(ledger)
    assert connection.execute("SELECT count(*) FROM predictions").fetchone() == (0,)
    assert connection.execute("SELECT count(answers) FROM run_splits").fetchone() == (1,)
    connection.close()


def test_a_run_with_two_splits_is_measured_by_its_first(store: Store, reader: Reader) -> None:
    run_id = start(store).run_id
    store.record(run_id, example_set(4, "matched", "m"))
    store.record(run_id, example_set(2, "mismatched", "mm"))
    wrong = events.Predictions(split="mismatched", rows=[prediction(0, 1), prediction(1, 1)])
    metrics, alarms = store.finish_run(run_id, [answers(0, 1, 2, 3, split="matched"), wrong])
    run = reader.run(run_id)
    assert metrics.accuracy == 1
    assert list(run.by_split) == ["matched", "mismatched"]
    assert run.by_split["mismatched"].accuracy == 0.5
    assert run.metrics == run.by_split["matched"]
    found = {"matched": {}, "mismatched": {"one label": "every answer of mismatched is 'positive'"}}
    assert run.alarms == alarms == found
    assert reader.predictions(run_id, "mismatched") == wrong.rows


def test_many_ties_are_an_alarm_and_a_few_only_counted(store: Store, reader: Reader) -> None:
    for experiment, tied in ((make_experiment("a"), 1), (make_experiment("b"), 2)):
        run_id = start(store, experiment).run_id
        store.record(run_id, example_set(20))
        rows = [msgspec.structs.replace(prediction(i), tied=i < tied) for i in range(20)]
        store.finish_run(run_id, [events.Predictions(split="dev", rows=rows)])
        run = reader.run(run_id)
        assert run.facts["ties"] == tied
        assert list(run.alarms["dev"]) == (["ties"] if tied == 2 else [])


def test_calibrated_answers_are_measured_beside_the_raw_ones(store: Store, reader: Reader) -> None:
    run_id = start(store).run_id
    store.record(run_id, example_set(2))
    rows = [
        msgspec.structs.replace(prediction(0, 0), calibrated=(-0.1, -3.0)),
        msgspec.structs.replace(prediction(1, 0), calibrated=(-3.0, -0.1), tied=True),
    ]
    store.finish_run(run_id, [events.Predictions(split="dev", rows=rows)])
    run = reader.run(run_id)
    assert run.by_split["dev"].accuracy == 0.5
    assert run.calibrated["dev"].accuracy == 1
    assert run.facts["ties"] == 1
    assert reader.predictions(run_id, "dev") == rows


def test_gold_labels_are_those_of_the_examples_by_name_whatever_their_numbers(
    store: Store, reader: Reader
) -> None:
    complete(store)
    one = make_experiment()
    more = msgspec.structs.replace(one.task, labels=("mixed", *one.task.labels))
    run_id = start(store, msgspec.structs.replace(one, task=more)).run_id
    store.record(run_id, example_set(4))
    rows = [
        Prediction(index=i, gold=1 + i % 2, predicted=1 + i % 2, scores=(-9.0, -1.0, -1.0)) for i in range(4)
    ]
    store.finish_run(run_id, [events.Predictions(split="dev", rows=rows)])
    assert reader.run(run_id).by_split["dev"].accuracy == 1


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "4 of 4 examples of split 'dev' have no answer"),
        ([prediction(0), prediction(3)], "2 of 4 examples"),
        ([prediction(i) for i in (0, 1, 2, 3, 9)], "an answer is for number 9"),
        (
            [msgspec.structs.replace(prediction(i), gold=0) for i in range(4)],
            "2 answers .* another gold label",
        ),
        ([msgspec.structs.replace(prediction(i), predicted=2) for i in range(4)], "cannot be measured"),
        ([msgspec.structs.replace(prediction(i), scores=(0.0,)) for i in range(4)], "each of 2 labels"),
        (
            [msgspec.structs.replace(prediction(i), calibrated=(0.0, -1.0) if i else None) for i in range(4)],
            "same scores",
        ),
    ],
)
def test_a_run_with_wrong_or_missing_answers_does_not_finish_and_keeps_what_it_had(
    store: Store, reader: Reader, rows: list[Any], message: str
) -> None:
    run_id = start(store).run_id
    store.record(run_id, example_set(4))
    rev = reader.revision()
    with pytest.raises(RunError, match=message):
        store.finish_run(run_id, [events.Predictions(split="dev", rows=rows)])
    assert reader.predictions(run_id, "dev") == []
    assert reader.run(run_id).state == "running"
    assert reader.revision() == rev
    store.end_run(run_id, "failed", error="RunError", message="incomplete")
    assert reader.run(run_id).message == "incomplete"


def test_a_run_without_any_split_does_not_finish(store: Store) -> None:
    with pytest.raises(RunError, match="no dev split"):
        store.finish_run(start(store).run_id)


def test_a_run_without_a_result_says_why(store: Store, reader: Reader) -> None:
    run_id = start(store).run_id
    why = {"error": "OutOfMemory", "message": "no room", "hint": "smaller model", "traceback": "line 1"}
    store.end_run(run_id, "failed", **why)
    run = reader.run(run_id)
    assert run.state == "failed"
    assert {name: getattr(run, name) for name in why} == why
    with pytest.raises(ValueError, match="cannot end as 'done'"):
        store.end_run(run_id, "done")


def test_a_killed_sweep_ended_with_the_last_word_of_a_run_that_it_had_continued(tmp_path: Path) -> None:
    path = tmp_path / "arena.db"
    with Store.open(path) as store:
        store.end_run(start(store).run_id, "interrupted")
    with Store.open(path) as store:
        continued = start(store)
        store.record(continued.run_id, example_set(4))
    Store.open(path).close()
    with Reader.open(path) as reader:
        assert reader.sweep(2).state == "interrupted"
        assert reader.sweep(2).finished_at == reader.run(continued.run_id).updated_at


# ── Which run a run is ────────────────────────────────────────────────────────────────────────────────


def test_an_interrupted_run_is_continued_with_its_id_folder_and_answers(store: Store, reader: Reader) -> None:
    first = start(store)
    store.record(first.run_id, example_set(4))
    store.record(first.run_id, answers(2, 0))
    store.end_run(first.run_id, "interrupted", message="stopped")
    second = start(store)
    assert second[:5] == (first.run_id, first.folder, {"dev": [0, 2]}, "first-4", True)
    run = reader.run(second.run_id)
    assert (run.state, run.stretches, run.message, run.finished_at) == ("running", 2, "", None)
    store.record(second.run_id, example_set(4))
    assert store.finish_run(second.run_id, [answers(1, 3)]).metrics.accuracy == 1
    assert reader.cells(1)[0].state == reader.cells(2)[0].state == "done"


@pytest.mark.parametrize("changes", [{"device_kind": "cuda"}, {"threads": 4}, {"code_version": "def"}])
def test_other_circumstances_begin_a_new_run(store: Store, reader: Reader, changes: dict[str, Any]) -> None:
    first = start(store)
    store.end_run(first.run_id, "interrupted")
    second = resume(store, **changes)
    assert not second.continued
    assert second.run_id != first.run_id
    assert second.folder != first.folder
    assert reader.run(second.run_id).attempt == 2
    assert reader.run(first.run_id).state == "interrupted"


def test_it_is_said_why_an_unfinished_run_is_not_continued(store: Store) -> None:
    store.end_run(start(store).run_id, "interrupted")
    second = resume(store, threads=4, environment={"packages": {"torch": "3"}, "device_title": "an abacus"})
    assert second.set_aside == "made with another processor and another number of threads and other packages"
    store.end_run(second.run_id, "interrupted")
    assert resume(store, threads=4, environment={"packages": {"torch": "3"}, "device_title": "an abacus"})[
        4
    ], "in equal circumstances it goes on"


def test_a_failed_run_is_not_continued(store: Store) -> None:
    first = start(store)
    store.end_run(first.run_id, "failed")
    assert resume(store)[4:] == (False, 0, (), "")


@pytest.mark.parametrize("kept", ["checkpoint", "best_model"])
def test_a_failed_run_that_has_trained_goes_on(store: Store, ledger: Path, kept: str) -> None:
    first = start(store)
    (ledger.parent / first.folder / kept).mkdir(parents=True)
    store.end_run(first.run_id, "failed", message="the disk is full")
    second = resume(store)
    assert second.continued
    assert second.run_id == first.run_id
    store.end_run(second.run_id, "failed")
    assert not resume(store, threads=4).continued


def test_a_continued_run_knows_how_much_of_its_training_is_recorded(store: Store) -> None:
    first = start(store)
    for step in (1, 2, 3):
        store.record(first.run_id, events.MetricPoint(step=step, epoch=0.1 * step, name="loss", value=1.0))
    store.record(first.run_id, events.PhaseFinished(phase="load", seconds=1.0))
    store.end_run(first.run_id, "interrupted")
    second = resume(store)
    assert (second.recorded_steps, second.finished_phases) == (3, ("load",))


def test_a_fresh_run_leaves_an_interrupted_one_as_it_is(store: Store) -> None:
    first = start(store)
    store.end_run(first.run_id, "interrupted")
    assert start(store, fresh=True).run_id != first.run_id


def test_an_experiment_is_done_when_its_newest_run_is(store: Store, reader: Reader) -> None:
    done = complete(store)
    key = make_experiment().key
    assert store.done_keys() == {key}
    assert reader.done_runs() == {key: done.run_id}
    fresh = start(store, fresh=True)
    store.end_run(fresh.run_id, "interrupted")
    assert store.done_keys() == set()
    assert resume(store).run_id == fresh.run_id


def test_what_an_interrupted_fresh_sweep_has_not_repeated_yet_is_not_done(store: Store) -> None:
    complete(store)
    store.begin_sweep("again", [make_experiment()], {}, fresh=True)
    assert store.done_keys() == set()
    assert not resume(store).continued


def test_a_continued_run_with_other_examples_is_an_error(store: Store) -> None:
    first = start(store)
    store.record(first.run_id, example_set(4))
    store.end_run(first.run_id, "interrupted")
    second = resume(store)
    with pytest.raises(RunError, match="had fingerprint first-4, now f2"):
        store.record(second.run_id, example_set(4, fingerprint="f2"))


def test_seconds_do_not_count_the_time_a_run_lay_interrupted(
    store: Store, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [100.0]
    monkeypatch.setattr("nlu_arena.ledger.store.time.monotonic", lambda: clock[0])
    run_id = start(store).run_id
    clock[0] += 5
    store.end_run(run_id, "interrupted")
    clock[0] += 1000
    resume(store)
    clock[0] += 2
    store.record(run_id, example_set(2))
    store.finish_run(run_id, [answers(0, 1)])
    assert reader.run(run_id).seconds == pytest.approx(7)
    assert reader.median_seconds() == [Timing(make_experiment(), "cpu", "", pytest.approx(7))]


def test_a_folder_is_named_after_model_mode_task_and_start(store: Store) -> None:
    few = start(store, make_experiment(mode="few-shot")).folder
    tuned = start(store, make_experiment(mode="fine-tune")).folder
    assert re.fullmatch(r"smol_135m_few_shot_sst2_\d{8}_\d{6}", few)
    assert re.fullmatch(r"smol_135m_sst2_\d{8}_\d{6}", tuned)


def test_folders_of_several_seeds_name_the_seed(store: Store) -> None:
    seeds = [make_experiment(mode="fine-tune", seed=seed) for seed in (1, 2)]
    sweep_id = store.begin_sweep("seeds", [*seeds, make_experiment()], {})
    folders = [store.begin_run(sweep_id, e, READY).folder for e in (*seeds, make_experiment())]
    assert folders[0].endswith("_s1")
    assert folders[1].endswith("_s2")
    assert not folders[2].endswith("_s42")


def test_a_folder_that_is_on_the_disk_is_not_used_again(store: Store, ledger: Path) -> None:
    taken = start(store).folder
    names = set()
    for _ in range(3):
        folder = start(store, fresh=True).folder
        assert not (ledger.parent / folder).exists()
        (ledger.parent / folder).mkdir()
        names.add(folder)
    assert len({taken, *names}) == 4


def test_a_plan_with_the_same_experiment_twice_is_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="same key"):
        store.begin_sweep("twice", [make_experiment(), make_experiment()], {})


# ── Revisions and requests ────────────────────────────────────────────────────────────────────────────


def test_every_change_of_a_run_raises_the_revision(store: Store, reader: Reader) -> None:
    assert reader.revision() == 0
    one = start(store, make_experiment("one")).run_id
    two = start(store, make_experiment("two")).run_id
    seen = reader.revision()
    assert [run.run_id for run in reader.changed_since(0)] == [one, two]
    assert reader.changed_since(seen) == []
    for event in (
        example_set(4),
        answers(0),
        events.Facts(facts={"a": 1}),
        events.Log(level="info", text="x"),
    ):
        store.record(one, event)
        assert [run.run_id for run in reader.changed_since(seen)] == [one]
        assert reader.revision() > seen
        seen = reader.revision()
    store.end_run(two, "interrupted")
    assert [(run.run_id, run.state) for run in reader.changed_since(seen)] == [(two, "interrupted")]


def test_a_request_of_a_screen_reaches_the_sweep_and_its_answer_the_screen(
    store: Store, reader: Reader, ledger: Path
) -> None:
    start(store)
    stop = control.request(ledger, "stop")
    retry = control.request(ledger, "retry", "k1")
    assert store.control_requests() == [(stop, "stop", ""), (retry, "retry", "k1")]
    assert reader.answer(stop) is None
    store.acknowledge(stop, "stopping")
    assert reader.answer(stop) == "stopping"
    assert store.control_requests() == [(retry, "retry", "k1")]


def test_a_request_to_a_sweep_that_is_gone_does_not_reach_the_next_one(store: Store, ledger: Path) -> None:
    number = control.request(ledger, "stop")
    store.close()
    with Store.open(ledger) as later, Reader.open(ledger) as reader:
        assert later.control_requests() == []
        assert reader.answer(number) == "no sweep was running"
