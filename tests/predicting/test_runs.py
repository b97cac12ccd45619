"""Which run a name means."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import pytest

from nlu_arena.errors import CannotStartError, NothingToShowError, UsageError
from nlu_arena.ledger.queries import Reader
from nlu_arena.ledger.store import Store
from nlu_arena.paths import ledger_path
from nlu_arena.predicting.runs import again, find_run, locate_run, mean_characters, name_run
from nlu_arena.spec import Experiment, Subset
from tests.views.ledgers import Act, done, failed, interrupted, quick_plan, running, write_sweep

MakeReader = Callable[..., Reader]
PLAN = quick_plan()
TITLE = PLAN[0].title


@pytest.fixture
def write(tmp_path: Path) -> MakeReader:
    """Gives the reader of a ledger to which another sweep is added."""

    def make(plan: Sequence[Experiment], acts: Sequence[Act], **options: object) -> Reader:
        write_sweep(tmp_path, plan, acts, **options)  # type: ignore[arg-type]
        return Reader.open(ledger_path(tmp_path))

    return make


def test_of_several_finished_runs_a_name_means_the_newest(write: MakeReader) -> None:
    other_seed = msgspec.structs.replace(PLAN[0], seed=7)
    with write([PLAN[0], other_seed, PLAN[1]], [done(0.7), done(0.8), done(0.9)]) as reader:
        assert find_run(reader, TITLE).run_id == 2


def test_the_name_of_a_run_tells_it_from_those_with_other_rows_or_another_template(write: MakeReader) -> None:
    asked = next(experiment for experiment in PLAN if experiment.mode == "few-shot")
    plan = [
        msgspec.structs.replace(PLAN[0], subset=Subset(train=32)),
        msgspec.structs.replace(asked, template="question", seed=7, subset=Subset(train=32)),
    ]
    with write(plan, [done(0.7), done(0.8)]) as reader:
        assert [name_run(reader.run(number)) for number in (1, 2)] == [
            f"run 1 ({TITLE}, train 32, seed 42)",
            f"run 2 ({asked.title}, template question, seed 7)",
        ]


def test_a_run_is_made_again_by_the_command_that_can_say_what_it_was() -> None:
    assert "nlu-arena run --model minilm" in again(PLAN[0])
    assert "the profile that has its template" in again(msgspec.structs.replace(PLAN[3], template="question"))


def test_a_finished_run_goes_before_a_newer_one_that_is_not(write: MakeReader) -> None:
    other_seed = msgspec.structs.replace(PLAN[0], seed=7)
    with write([PLAN[0], other_seed], [done(0.7), failed("no memory")]) as reader:
        assert find_run(reader, TITLE).run_id == 1


def test_an_alias_of_model_or_task_will_do(write: MakeReader) -> None:
    model = msgspec.structs.replace(PLAN[0].model, aliases=("my-encoder",))
    with write([msgspec.structs.replace(PLAN[0], model=model)], [done(0.7)]) as reader:
        title = TITLE.replace(model.name, "My-Encoder")
        assert find_run(reader, title).experiment.model.name == model.name


def test_the_beginning_of_a_key_must_be_that_of_one_experiment(write: MakeReader) -> None:
    seeded = (msgspec.structs.replace(PLAN[0], seed=seed) for seed in range(200))
    alike = [experiment for experiment in seeded if experiment.key.startswith("a")][:2]
    with write(alike, [done(0.7), done(0.8)]) as reader:
        assert find_run(reader, alike[0].key[:12]).run_id == 1
        with pytest.raises(UsageError, match="the keys of 2 experiments begin with 'a'") as error:
            find_run(reader, "a")
        assert all(experiment.key in error.value.hint for experiment in alike)


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (failed("the loss is not finite", "Lower the rate."), "failed: the loss is not finite"),
        (interrupted(), "was interrupted"),
    ],
)
def test_a_run_without_an_end_cannot_label(act: Act, message: str, write: MakeReader) -> None:
    with write(PLAN[:1], [act]) as reader, pytest.raises(CannotStartError, match=message) as error:
        find_run(reader, "1")
    assert error.value.hint


def test_a_run_that_is_still_going_on_is_said_to_be(tmp_path: Path) -> None:
    store = write_sweep(tmp_path, PLAN[:1], [running()], state=None, keep_open=True)
    with Reader.open(ledger_path(tmp_path)) as reader, pytest.raises(CannotStartError, match="still running"):
        find_run(reader, TITLE)
    store.close()


def test_an_unknown_name_is_answered_with_near_ones_or_with_what_there_is(write: MakeReader) -> None:
    with write(PLAN[:2], [done(0.7), done(0.8)]) as reader:
        with pytest.raises(UsageError) as near:
            find_run(reader, TITLE.replace("sst2", "sst3"))
        assert f"Did you mean {TITLE}" in near.value.hint
        with pytest.raises(UsageError) as far:
            find_run(reader, "?")
        assert TITLE in far.value.hint


def test_a_ledger_without_runs_has_nothing_to_label_with(tmp_path: Path) -> None:
    with Store.open(ledger_path(tmp_path)) as store:
        store.begin_sweep("quick", PLAN, {})
    with Reader.open(ledger_path(tmp_path)) as reader, pytest.raises(NothingToShowError):
        find_run(reader, "1")


def test_only_the_folder_of_a_run_tells_where_the_results_are(tmp_path: Path, write: MakeReader) -> None:
    write(PLAN[:1], [done(0.7)]).close()
    (tmp_path / "run_of_today").mkdir()
    usual = tmp_path / "usual"
    assert locate_run(usual, f"{tmp_path}/run_of_today") == (tmp_path, "run_of_today")
    assert locate_run(usual, str(tmp_path)) == (usual, str(tmp_path))
    assert locate_run(usual, TITLE) == (usual, TITLE)


def test_the_length_of_dev_examples_is_that_of_both_texts(write: MakeReader) -> None:
    (pairs,) = [e for e in PLAN if e.task.name == "rte"][:1]
    with write([pairs], [done(0.7)]) as reader:
        texts = [f"text {number}" for number in range(120)]
        expected = sum(map(len, texts)) / 120 + len("the other text")
        assert mean_characters(reader, 1) == pytest.approx(expected)
