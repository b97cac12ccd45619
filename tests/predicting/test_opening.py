"""What a run's model needs to be here before anything starts, and what its rate promises."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from nlu_arena.errors import CannotStartError
from nlu_arena.ledger.queries import Reader
from nlu_arena.ledger.rows import RunRow
from nlu_arena.paths import BEST_MODEL, ledger_path
from nlu_arena.predicting.expectation import expect_rate
from nlu_arena.predicting.opening import prepare_opening
from nlu_arena.predicting.texts import Survey
from nlu_arena.spec import Example, LocalWeights
from tests.views.ledgers import done, quick_plan, write_sweep

MakeRun = Callable[..., RunRow]
SHOTS = [["good", 1, None], ["bad", 0, "a pair"]]


@pytest.fixture
def make_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeRun:
    """Gives a finished run of a mode in the results folder tmp_path, with facts; no weights are here."""
    monkeypatch.setenv("NLU_ARENA_CACHE", str(tmp_path / "cache"))

    def make(mode: str, **facts: object) -> RunRow:
        experiment = next(e for e in quick_plan() if e.mode == mode)
        write_sweep(tmp_path, [experiment], [done(0.7, **facts)])
        with Reader.open(ledger_path(tmp_path)) as reader:
            return reader.run(1)

    return make


def with_weights(run: RunRow, folder: Path) -> RunRow:
    """Return a run whose weights are tiny files in a folder."""
    folder.mkdir()
    for name in ("config.json", "tokenizer.json"):
        (folder / name).write_text("{}")
    (folder / "model.safetensors").write_bytes((2).to_bytes(8, "little") + b"{}")
    from nlu_arena.sources import weights_identity

    model = msgspec.structs.replace(run.experiment.model, weights=LocalWeights(path=str(folder)))
    changes = {"model": model, "weights_identity": weights_identity(model)}
    return msgspec.structs.replace(run, experiment=msgspec.structs.replace(run.experiment, **changes))


@pytest.mark.parametrize("mode", ["fine-tune", "lora"])
def test_a_trained_model_that_is_gone_is_said(mode: str, make_run: MakeRun, tmp_path: Path) -> None:
    with pytest.raises(CannotStartError, match="trained is gone") as error:
        prepare_opening(tmp_path, make_run(mode))
    assert f"--mode {mode} --seed 42 --fresh" in error.value.hint


def test_a_fine_tuned_model_needs_no_other_weights_than_its_own(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run("fine-tune")
    model = tmp_path / run.folder / BEST_MODEL
    model.mkdir(parents=True)
    opening = prepare_opening(tmp_path, run)
    assert (opening.folder, opening.weights_dir) == (str(model.parent), str(model))


@pytest.mark.parametrize("mode", ["lora", "zero-shot"])
def test_absent_weights_come_with_the_command_that_fetches_them(
    mode: str, make_run: MakeRun, tmp_path: Path
) -> None:
    run = make_run(mode)
    (tmp_path / run.folder / BEST_MODEL).mkdir(parents=True)
    with pytest.raises(CannotStartError, match="not on this machine") as error:
        prepare_opening(tmp_path, run)
    assert f"nlu-arena pull --model {run.experiment.model.name}" in error.value.hint


def test_weights_that_have_changed_since_are_refused(make_run: MakeRun, tmp_path: Path) -> None:
    run = with_weights(make_run("zero-shot"), tmp_path / "weights")
    assert prepare_opening(tmp_path, run).weights_dir == str(tmp_path / "weights")
    (tmp_path / "weights" / "config.json").write_text('{"changed": true}')
    with pytest.raises(CannotStartError, match="they have changed since"):
        prepare_opening(tmp_path, run)


def test_the_prompts_show_the_examples_that_the_run_showed(make_run: MakeRun, tmp_path: Path) -> None:
    run = with_weights(make_run("few-shot", shots=SHOTS), tmp_path / "weights")
    shots = [Example(text="good", label=1), Example(text="bad", label=0, pair="a pair")]
    assert prepare_opening(tmp_path, run).shots == shots


def test_a_few_shot_run_of_an_earlier_version_must_be_made_again(make_run: MakeRun, tmp_path: Path) -> None:
    run = with_weights(make_run("few-shot"), tmp_path / "weights")
    with pytest.raises(CannotStartError, match="earlier version") as error:
        prepare_opening(tmp_path, run)
    assert "--fresh" in error.value.hint


@pytest.mark.parametrize(
    ("characters", "kind", "rate"),
    [
        (1000, "cpu", 80.0),
        # A little longer than the dev texts is nothing that counts, three times as long does.
        (1400, "cpu", 80.0),
        (3000, "cpu", 80.0 / 3),
        (100, "cpu", 80.0),
        # Another kind of device says nothing about this one.
        (1000, "cuda", None),
    ],
)
def test_the_run_itself_says_how_fast_it_will_go(
    characters: int, kind: str, rate: float | None, make_run: MakeRun
) -> None:
    run = make_run("zero-shot", evaluate_examples_per_second=80.0)
    survey = Survey(rows=20, characters=characters, types={})
    assert expect_rate(run, 50.0, survey, kind) == pytest.approx(rate)


def test_a_run_that_was_not_timed_promises_nothing(make_run: MakeRun) -> None:
    assert expect_rate(make_run("zero-shot"), 50.0, Survey(20, 1000, {}), "cpu") is None
