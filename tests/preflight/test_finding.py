from __future__ import annotations

from pathlib import Path

import pytest

from nlu_arena.plan import Subject
from nlu_arena.preflight import Finding, is_blocked, stops_all
from nlu_arena.spec import Experiment
from tests.conftest import MakeExperiment


@pytest.fixture
def experiment(make_experiment: MakeExperiment, tmp_path: Path) -> Experiment:
    return make_experiment("encoder", tmp_path, "fine-tune")


def failure(*blocks: Subject | str) -> Finding:
    return Finding("check", "subject", "failure", "text", blocks=frozenset(blocks))


def test_a_failure_blocks_what_needs_its_model_its_task_or_is_named_by_its_key(
    experiment: Experiment,
) -> None:
    for blocked in (Subject("model", "tiny-encoder"), Subject("task", "opinions"), experiment.key):
        assert is_blocked(experiment, [failure(blocked)])
    assert not is_blocked(experiment, [failure(Subject("model", "opinions"), "another key")])


def test_a_warning_blocks_nothing(experiment: Experiment) -> None:
    warning = failure(experiment.key)._replace(state="warning")
    assert not is_blocked(experiment, [warning])
    assert not stops_all([warning])


def test_a_failure_that_blocks_nothing_in_particular_stops_everything(experiment: Experiment) -> None:
    assert stops_all([failure()])
    assert not stops_all([failure(experiment.key)])
