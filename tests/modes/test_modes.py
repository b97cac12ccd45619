"""Every mode from assignment to predictions, on tiny models: complete, resumable, independent of order."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer

from nlu_arena.errors import ArenaError, RunError
from nlu_arena.events import (
    Artifact,
    Event,
    ExampleSet,
    MetricPoint,
    PhaseFinished,
    PhaseStarted,
    Predictions,
)
from nlu_arena.modes.context import Session, StopRequestedError
from nlu_arena.registry import load_registry
from nlu_arena.spec import (
    DataRef,
    Experiment,
    Prediction,
    Published,
    Subset,
)
from tests.modes.runs import ADAPTER, CELLS, FULL, Transcript, do, start


@pytest.mark.parametrize("cell", CELLS)
def test_a_run_answers_every_dev_example_once_with_normalised_scores(
    cell: str, make_cell: Callable[[str], Experiment], tmp_path: Path
) -> None:
    said = do(make_cell(cell), tmp_path / "run")
    (examples,) = said.of(ExampleSet)
    rows = [row for chunk in said.of(Predictions) for row in chunk.rows]
    assert sorted(row.index for row in rows) == list(range(21))
    for row in rows:
        assert row.gold == examples.examples[row.index].label
        assert sum(torch.tensor(row.scores).exp()) == pytest.approx(1, abs=1e-5)
        assert row.predicted == max(range(2), key=lambda label: row.scores[label])
        assert (row.calibrated is not None) == ("shot" in cell or cell == "decoder lora")


@pytest.mark.parametrize("cell", CELLS)
def test_phases_follow_one_another_and_all_are_timed(
    cell: str, make_cell: Callable[[str], Experiment], tmp_path: Path
) -> None:
    said = do(make_cell(cell), tmp_path / "run")
    started = [event.phase for event in said.of(PhaseStarted)]
    # A trained model is read again before it is scored.
    before = {
        "decoder lora": ["load", "prepare", "train", "save", "load"],
        "decoder zero-shot": ["load", "prepare"],
        "decoder few-shot": ["load", "prepare"],
    }.get(cell, ["prepare", "load", "train", "save", "load"])
    assert started == [*before, "evaluate", "latency"]
    assert [event.phase for event in said.of(PhaseFinished)] == started
    assert all(event.seconds > 0 for event in said.of(PhaseFinished))


@pytest.mark.parametrize("cell", ["encoder fine-tune", "decoder fine-tune", "decoder lora"])
def test_training_reports_a_curve_and_its_cost(
    cell: str, make_cell: Callable[[str], Experiment], tmp_path: Path
) -> None:
    said = do(make_cell(cell), tmp_path / "run")
    losses = [point for point in said.of(MetricPoint) if point.name == "loss"]
    assert [point.step for point in losses] == list(range(1, 9))
    assert losses[-1].epoch == 2.0
    assert said.facts["train_rows"] == 32
    assert 0 < said.facts["trainable_parameters"] <= said.facts["parameters"]
    assert (said.facts["trainable_parameters"] == said.facts["parameters"]) == (cell != "decoder lora")
    assert set(said.facts["latency"]) == {"1", "32"}
    assert said.facts["latency"]["1"]["p99_ms"] is None, "two calls are too few for a percentile"


@pytest.mark.parametrize("cell", CELLS)
def test_what_ran_before_in_the_worker_changes_no_answer(
    cell: str, make_cell: Callable[[str], Experiment], tmp_path: Path
) -> None:
    alone = do(make_cell(cell), tmp_path / "alone").answers
    session = Session(torch.device("cpu"))
    for number, other in enumerate(["decoder lora", "decoder few-shot", "encoder fine-tune"]):
        do(make_cell(other), tmp_path / f"other{number}", session)
    assert do(make_cell(cell), tmp_path / "after", session).answers == alone


@pytest.mark.parametrize("cell", CELLS)
def test_a_run_continued_after_training_answers_alike_without_training_again(
    cell: str, make_cell: Callable[[str], Experiment], tmp_path: Path
) -> None:
    experiment = make_cell(cell)
    whole = do(experiment, tmp_path / "run")
    again = do(experiment, tmp_path / "run", recorded_steps=8, finished_phases=["train"])
    assert again.answers == whole.answers
    assert "train" not in {event.phase for event in again.of(PhaseStarted) + again.of(PhaseFinished)}
    assert {point.step for point in again.of(MetricPoint)} <= {8}
    same = ("parameters", "trainable_parameters", "latency_notes")
    assert [again.facts[name] for name in same] == [whole.facts[name] for name in same]
    assert again.facts.get("adapter_dtype") == whole.facts.get("adapter_dtype")
    done = do(experiment, tmp_path / "run", answered={"dev": list(range(21))})
    assert not done.of(Predictions)


@pytest.mark.parametrize("cell", ["encoder fine-tune", "decoder few-shot", "decoder lora"])
def test_a_run_interrupted_between_batches_continues_to_the_same_answers(
    cell: str, make_cell: Callable[[str], Experiment], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nlu_arena.modes.evaluation.BATCH_SIZE", 4)
    monkeypatch.setattr("nlu_arena.modes.evaluation.CHUNK_SECONDS", 0.0)
    experiment = make_cell(cell)
    whole = do(experiment, tmp_path / "whole").answers
    stop, cut = threading.Event(), Transcript()

    def emit(event: Event) -> None:
        cut.emit(event)
        if len(cut.answers) >= 8:
            stop.set()

    with pytest.raises(StopRequestedError):
        start(experiment, tmp_path / "run", emit, stop=stop)
    assert len(cut.answers) == 8
    rest = do(experiment, tmp_path / "run", answered={"dev": sorted(cut.answers)})
    assert not cut.answers.keys() & rest.answers.keys()
    assert "train" not in {event.phase for event in rest.of(PhaseStarted)}
    assert {**cut.answers, **rest.answers} == whole


def test_the_longest_length_bounds_the_prompts_that_train_and_not_those_asked(
    make_cell: Callable[[str], Experiment], tmp_path: Path
) -> None:
    experiment = make_cell("decoder lora")
    longest = do(experiment, tmp_path / "whole").facts["prompt_tokens_mean"]
    train = msgspec.structs.replace(ADAPTER, max_length=int(longest) - 3)
    facts = do(msgspec.structs.replace(experiment, train=train), tmp_path / "cut").facts
    assert facts["train_shortened"] > 0
    assert (facts["shortened"], facts["prompt_tokens_mean"]) == (0, longest)


def test_texts_longer_than_the_model_has_positions_for_are_refused_before_training(
    make_cell: Callable[[str], Experiment], tmp_path: Path
) -> None:
    experiment = make_cell("encoder fine-tune")
    train = msgspec.structs.replace(FULL, max_length=129)
    with pytest.raises(RunError, match="reads at most 128 tokens"):
        do(msgspec.structs.replace(experiment, train=train), tmp_path / "run")


@pytest.mark.parametrize("cell", ["encoder fine-tune", "decoder lora"])
def test_training_on_nothing_is_an_error(
    cell: str, make_cell: Callable[[str], Experiment], opinion_data: Path, tmp_path: Path
) -> None:
    (opinion_data / "train.jsonl").write_text("")
    with pytest.raises(ArenaError, match=r"train\.jsonl is empty"):
        do(make_cell(cell), tmp_path / "run")


@pytest.mark.parametrize("cell", ["encoder fine-tune", "decoder zero-shot", "decoder few-shot"])
def test_data_that_are_not_as_published_are_recorded_and_warned_of(
    cell: str, make_cell: Callable[[str], Experiment], tmp_path: Path
) -> None:
    experiment = msgspec.structs.replace(make_cell(cell), subset=Subset(dev=6))
    published = Published(name="Opinions 1", counts={"train": 67_349, "dev": (10, 11)})
    task = msgspec.structs.replace(experiment.task, published=published)
    facts = do(msgspec.structs.replace(experiment, task=task), tmp_path / "run").facts
    assert facts["data_differences"] == {
        **({} if cell == "decoder zero-shot" else {"train": "32 rows, Opinions 1 has 67,349"}),
        "dev": "labels 11/10, Opinions 1 has 10/11",
    }
    (warning,) = facts["warnings"]
    assert warning.startswith("not the published Opinions 1 splits (")
    assert warning.endswith("dev: labels 11/10, Opinions 1 has 10/11)")


def test_data_that_are_as_published_are_known_to_be(
    make_cell: Callable[[str], Experiment], tmp_path: Path
) -> None:
    experiment = make_cell("decoder zero-shot")
    published = Published(name="Opinions 1", counts={"train": 67_349, "dev": 21})
    task = msgspec.structs.replace(experiment.task, published=published)
    facts = do(msgspec.structs.replace(experiment, task=task), tmp_path / "run").facts
    assert facts["data_differences"] == {}
    assert "warnings" not in facts


def test_starter_data_and_data_of_unpublished_tasks_are_compared_with_nothing(
    make_cell: Callable[[str], Experiment], tmp_path: Path
) -> None:
    experiment = make_cell("decoder zero-shot")
    assert "data_differences" not in do(experiment, tmp_path / "own").facts
    starter = DataRef(source="starter", location="starter", identity="starter")
    task = load_registry().task("rte")
    limited = msgspec.structs.replace(experiment, task=task, data=starter, subset=Subset(dev=4))
    assert "data_differences" not in do(limited, tmp_path / "starter").facts


def test_a_prompted_model_has_nothing_to_train(
    make_cell: Callable[[str], Experiment], tmp_path: Path
) -> None:
    assert do(make_cell("decoder zero-shot"), tmp_path / "run").facts["trainable_parameters"] == 0


def test_the_best_model_of_fine_tuning_loads_plainly_and_answers_alike(
    make_cell: Callable[[str], Experiment], tmp_path: Path
) -> None:
    said = do(make_cell("encoder fine-tune"), tmp_path / "run")
    assert [a.path for a in said.of(Artifact)] == ["best_model"]
    folder = tmp_path / "run" / "best_model"
    model = AutoModelForSequenceClassification.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert model.config.id2label == {0: "negative", 1: "positive"}
    examples = said.of(ExampleSet)[0].examples
    with torch.inference_mode():
        logits = model(**tokenizer([examples[4].text], return_tensors="pt")).logits[0]
    expected = torch.tensor(said.answers[4].scores)
    torch.testing.assert_close(logits.log_softmax(dim=-1), expected, atol=1e-5, rtol=0)
    about = msgspec.json.decode((folder / "arena.json").read_bytes())
    assert (about["selection"], about["epoch"]) == ("last epoch", 2)
    assert about["labels"] == ["negative", "positive"]


def test_the_best_model_of_lora_is_an_adapter_that_loads_plainly(
    make_cell: Callable[[str], Experiment], tmp_path: Path
) -> None:
    said = do(make_cell("decoder lora"), tmp_path / "run")
    folder = tmp_path / "run" / "best_model"
    assert (folder / "adapter_config.json").is_file()
    assert not list(folder.glob("model*.safetensors"))
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    ids = tokenizer(said.facts["prompt_example"], return_tensors="pt", add_special_tokens=False)
    with torch.inference_mode():
        logits = model(**ids).logits[0, -1]
    labels = logits[[ids[0] for ids in said.facts["label_tokens"]]].log_softmax(dim=-1)
    torch.testing.assert_close(labels, torch.tensor(said.answers[0].scores), atol=1e-4, rtol=0)


def test_with_a_held_out_slice_the_saved_model_says_so(
    make_cell: Callable[[str], Experiment], tmp_path: Path
) -> None:
    experiment = make_cell("encoder fine-tune")
    held = msgspec.structs.replace(FULL, held_out=0.25)
    said = do(msgspec.structs.replace(experiment, train=held), tmp_path / "run")
    about = msgspec.json.decode((tmp_path / "run" / "best_model" / "arena.json").read_bytes())
    assert about["selection"] == "best on held-out train"
    assert len([p for p in said.of(MetricPoint) if p.name == "held_out_accuracy"]) == 2


def test_zero_shot_does_not_depend_on_the_seed_and_few_shot_is_a_draw(
    make_cell: Callable[[str], Experiment], tmp_path: Path
) -> None:
    def answers(cell: str, seed: int) -> dict[int, Prediction]:
        experiment = msgspec.structs.replace(make_cell(cell), seed=seed)
        return do(experiment, tmp_path / f"{cell}{seed}").answers

    assert answers("decoder zero-shot", 1) == answers("decoder zero-shot", 2)
    assert answers("decoder few-shot", 1) != answers("decoder few-shot", 2)


def test_a_full_disk_while_the_model_is_saved_is_said_and_leaves_nothing_half_written(
    make_cell: Callable[[str], Experiment], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("transformers.PreTrainedModel.save_pretrained", full)
    with pytest.raises(RunError, match="the disk is full"):
        do(make_cell("encoder fine-tune"), tmp_path / "run")
    assert list((tmp_path / "run").iterdir()) == []
