"""A finished run's model labels again as the run did, in every mode."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import pytest
import torch
from transformers import PreTrainedModel

from nlu_arena.backend import score
from nlu_arena.errors import RunError
from nlu_arena.events import Command, Event, ExampleSet, Label, Labelled, Open, Opened
from nlu_arena.modes.context import Session
from nlu_arena.modes.labelling import serve_labels
from nlu_arena.paths import BEST_MODEL
from nlu_arena.spec import Example, Experiment
from tests.modes.runs import CELLS, Transcript, do


class Over(Exception):  # noqa: N818 - nothing is wrong: the commands have ended
    """There are no more commands."""


def open_run(experiment: Experiment, folder: Path, said: Transcript) -> Open:
    """Return the command that opens the model of a run in a folder."""
    is_whole = experiment.mode == "fine-tune"
    return Open(
        experiment=experiment,
        # All of a fine-tuned model lies in the run's folder.
        weights_dir=str(folder / BEST_MODEL) if is_whole else experiment.model.weights.path,  # type: ignore[union-attr]
        folder=str(folder),
        shots=msgspec.convert(said.facts.get("shots", []), list[Example]),
    )


def label(opening: Open, *chunks: Sequence[Example]) -> list[list[float]]:
    """Open a run in a new session, have chunks labelled, and return the scores of all rows."""
    return [scores for event in answer(opening, *chunks) for scores in event.scores]


def answer(opening: Open, *chunks: Sequence[Example]) -> list[Labelled]:
    commands: list[Command] = [Label(rows=[*chunk]) for chunk in chunks]
    heard: list[Event] = []

    def hear() -> Command:
        if not commands:
            raise Over
        return commands.pop(0)

    with pytest.raises(Over):
        serve_labels(opening, Session(torch.device("cpu")), hear, heard.append)
    assert isinstance(heard.pop(0), Opened)
    labelled = [event for event in heard if isinstance(event, Labelled)]
    assert labelled == heard
    return labelled


@pytest.mark.parametrize("cell", CELLS)
def test_the_dev_texts_get_the_labels_and_scores_of_the_run_itself(
    cell: str, make_cell: Callable[[str], Experiment], tmp_path: Path
) -> None:
    experiment = make_cell(cell)
    said = do(experiment, tmp_path / "run")
    (dev,) = said.of(ExampleSet)
    # Labels are not known when texts are labelled, and rows come in chunks of any size.
    texts = [Example(text=example.text, label=0, pair=example.pair) for example in dev.examples]
    scores = label(open_run(experiment, tmp_path / "run", said), texts[:1], texts[1:9], texts[9:])
    assert len(scores) == len(said.answers) == 21
    for index, logs in enumerate(scores):
        answer = said.answers[index]
        assert logs == pytest.approx(answer.scores, abs=1e-4)
        assert logs.index(max(logs)) == answer.predicted
    assert len({tuple(logs) for logs in scores}) > 1, "equal scores for all texts would prove nothing"


def test_a_model_that_loses_the_shared_prefix_labels_as_its_run_did(
    make_cell: Callable[[str], Experiment], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = score.run_prefix

    def forget(model: PreTrainedModel, prefix: list[int]) -> object:
        return run(model, prefix and [4] * len(prefix))

    monkeypatch.setattr(score, "run_prefix", forget)
    experiment = make_cell("decoder few-shot")
    said = do(experiment, tmp_path / "run")
    assert said.facts["read_plainly"] == ["the prefix that all prompts share"]
    (dev,) = said.of(ExampleSet)
    scores = label(open_run(experiment, tmp_path / "run", said), dev.examples)
    for index, logs in enumerate(scores):
        assert logs == pytest.approx(said.answers[index].scores, abs=1e-4)


@pytest.mark.parametrize("cell", ["encoder fine-tune", "decoder few-shot", "decoder lora"])
def test_empty_and_long_texts_are_labelled_like_any_other(
    cell: str, make_cell: Callable[[str], Experiment], tmp_path: Path
) -> None:
    experiment = make_cell(cell)
    said = do(experiment, tmp_path / "run")
    texts = [Example(text=text, label=0) for text in ("", "名前 🙂", "A dull book. " * 300)]
    (labelled,) = answer(open_run(experiment, tmp_path / "run", said), texts)
    for logs in labelled.scores:
        assert sum(map(math.exp, logs)) == pytest.approx(1, abs=1e-5)
    assert labelled.shortened == 1, "the longest text is cut, and it is said"


def test_a_worker_that_labels_takes_no_experiment(
    make_cell: Callable[[str], Experiment], tmp_path: Path
) -> None:
    experiment = make_cell("decoder zero-shot")
    opening = open_run(experiment, tmp_path, Transcript())
    with pytest.raises(RunError, match="cannot do Open"):
        serve_labels(opening, Session(torch.device("cpu")), lambda: opening, lambda _: None)
