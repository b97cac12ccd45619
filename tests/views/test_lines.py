from __future__ import annotations

from typing import Any

from nlu_arena.notices import SweepEvent, SweepEventName
from nlu_arena.spec import Experiment
from nlu_arena.views.lines import PlainLines
from tests.views.ledgers import quick_plan

METRICS = {"accuracy": 0.7874, "interval": (0.71, 0.85), "majority": 0.5, "n": 120}


def event(kind: SweepEventName, experiment: Experiment | None = None, /, **fields: Any) -> SweepEvent:
    key, title = (experiment.key, experiment.title) if experiment else ("", "")
    return SweepEvent(kind, 0.0, key, title, fields)


def speak(plan: list[Experiment], *events: SweepEvent, times: list[float] | None = None) -> list[str]:
    clock = iter(times or [0.0] * 100)
    said: list[str] = []
    lines = PlainLines(said.append, plan, clock=lambda: next(clock))
    for each in events:
        lines.notify(each)
    # The time of day depends on where the test runs.
    return [" ".join(word for word in line.split() if word.count(":") != 2) for line in said]


def test_a_finished_run_is_one_line_with_accuracy_interval_and_time() -> None:
    plan = quick_plan()
    said = speak(plan, event("run_finished", plan[2], metrics=METRICS, seconds=41.2))
    assert said == ["[ 3/12] done minilm/mnli/fine-tune accuracy .787 (.710-.850) 41 s"]


def test_a_result_that_the_majority_share_explains_says_so() -> None:
    plan = quick_plan()
    near = METRICS | {"interval": (0.4, 0.6)}
    (line,) = speak(plan, event("run_finished", plan[0], metrics=near, seconds=1.0))
    assert "≈ majority" in line


def test_a_result_with_alarms_names_those_of_the_split_it_shows() -> None:
    plan = quick_plan()
    alarms = {"matched": {"one label": "why", "ties": "why"}, "mismatched": {"below majority": "why"}}
    (line,) = speak(plan, event("run_finished", plan[2], metrics=METRICS, alarms=alarms, seconds=1.0))
    assert line.endswith("accuracy .787 (.710-.850) ! one label ! ties 1.0 s")


def test_a_result_on_other_data_than_the_published_says_so() -> None:
    plan = quick_plan()
    found = {"dev": "120 rows, GLUE has 872"}
    results = [{"metrics": METRICS, "seconds": 1.0, "data_differences": each} for each in (found, {})]
    other, same = speak(plan, *(event("run_finished", plan[0], **fields) for fields in results))
    assert other.endswith("accuracy .787 (.710-.850) not GLUE 1.0 s")
    assert same.endswith("accuracy .787 (.710-.850) 1.0 s")


def test_failures_say_why_and_what_to_do() -> None:
    plan = quick_plan()
    why = {"error": "X", "message": "the loss is \x1b[31mnot finite", "hint": "Lower the rate."}
    failed = event("run_failed", plan[0], state="failed", retry=False, **why)
    died = event("run_failed", plan[0], state="failed", retry=True, **(why | {"hint": ""}))
    stopped = event("run_failed", plan[0], state="interrupted", retry=False, **(why | {"hint": ""}))
    assert speak(plan, failed, died, stopped) == [
        "[ 1/12] failed minilm/sst2/fine-tune the loss is not finite. Lower the rate.",
        "[ 1/12] died minilm/sst2/fine-tune the loss is not finite. It is tried once more.",
        "[ 1/12] stopped minilm/sst2/fine-tune the loss is not finite.",
    ]


def test_paths_and_dots_of_a_reason_stay_as_they_are() -> None:
    plan = quick_plan()
    why = {"error": "X", "message": "../glue/dev.tsv has no rows.", "hint": ""}
    (line,) = speak(plan, event("run_failed", plan[0], state="failed", retry=False, **why))
    assert line.endswith("../glue/dev.tsv has no rows.")


def test_progress_is_said_at_most_every_thirty_seconds() -> None:
    plan = quick_plan()
    progress = [event("progress", plan[0], phase="train", done=n, total=1920) for n in (100, 200, 300, 400)]
    # The clock is read at the start, at each progress, and after each line.
    said = speak(plan, *progress, times=[0, 10, 29, 31, 31, 60])
    assert said == ["[ 1/12] train minilm/sst2/fine-tune 300/1,920"]


def test_start_and_end_of_a_sweep_count_the_experiments() -> None:
    plan = quick_plan()
    said = speak(
        plan,
        event("sweep_started", sweep=3, name="quick", total=12, skipped=4),
        event("run_started", plan[4], continued=True, answered=64),
        event(
            "sweep_finished",
            sweep=3,
            state="failed",
            done=7,
            skipped=4,
            failed=1,
            interrupted=0,
            waiting=0,
        ),
    )
    assert said == [
        "sweep 3: quick, 12 experiments, 4 done already",
        "[ 5/12] started smollm2-135m/rte/zero-shot goes on after 64 answers",
        "sweep 3 failed: 7 done, 4 skipped, 1 failed",
    ]


def test_a_run_that_goes_on_in_its_training_has_no_answers_to_count() -> None:
    plan = quick_plan()
    said = speak(
        plan,
        event("run_started", plan[0], continued=False, answered=0),
        event("run_started", plan[0], continued=True, answered=0),
        event("note", plan[0], text="the training goes on from its step 1,200\x1b[0m"),
        event("run_started", plan[0], continued=True, answered=1),
    )
    assert said == [
        "[ 1/12] started minilm/sst2/fine-tune",
        "[ 1/12] started minilm/sst2/fine-tune goes on",
        "[ 1/12] note minilm/sst2/fine-tune the training goes on from its step 1,200",
        "[ 1/12] started minilm/sst2/fine-tune goes on after 1 answer",
    ]


def test_seeds_are_named_where_they_tell_experiments_apart() -> None:
    plan = quick_plan(seeds=[1, 2])
    started = [event("run_started", e, continued=False, answered=0) for e in plan[:2]]
    assert [line.split("fine-tune ")[1] for line in speak(plan, *started)] == ["seed 1", "seed 2"]
