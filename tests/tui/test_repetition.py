from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner

from nlu_arena.cli import execution
from nlu_arena.cli.app import build_app
from nlu_arena.cli.planning import Order
from nlu_arena.ledger.queries import Reader
from nlu_arena.ledger.rows import RunRow, SweepRow
from nlu_arena.paths import ledger_path
from nlu_arena.plan import build_plan
from nlu_arena.registry import load_registry
from nlu_arena.spec import Experiment, LocalWeights
from nlu_arena.tui.repetition import WHOLE, name_repetition
from tests.ownfile.files import write_reviews
from tests.views.ledgers import CPU, done, quick_plan, write_sweep

SWEEP = SweepRow(
    id=1, name="quick", state="done", started_at="", finished_at="", details={"command": "nlu-arena sweep -q"}
)


def record(folder: Path, experiment: Experiment) -> RunRow:
    """The run of an experiment, as a ledger has it."""
    write_sweep(folder, [experiment], [done()])
    with Reader.open(ledger_path(folder)) as reader:
        return reader.run(1)


def plan_again(command: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Order, list[Experiment]]:
    """What the command line makes of a command."""
    orders: list[Order] = []
    monkeypatch.setattr(execution, "execute", orders.append)
    program, *words = shlex.split(command)
    result = CliRunner().invoke(build_app(None), words)
    assert program == "nlu-arena" and result.exit_code == 0, result.output
    (order,) = orders
    registry = load_registry().with_task(order.own_task).with_copies(order.models_dir)
    return order, build_plan(order.profile, registry, [CPU], weights_identity=lambda model: model.name)


def check_repeats(experiment: Experiment, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Order:
    """Demand that the command of an experiment's run is that experiment, and return what it orders."""
    repetition = name_repetition(record(folder, experiment), SWEEP, load_registry(), "")
    order, plan = plan_again(repetition.command, monkeypatch)
    assert [one.key for one in plan] == [experiment.key]
    assert not repetition.note
    return order


@pytest.mark.parametrize("place", range(12))
def test_a_run_of_the_quick_profile_is_the_same_experiment_again(
    place: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = check_repeats(quick_plan()[place], tmp_path, monkeypatch)
    assert order.fresh and order.device == "cpu"


def test_changed_settings_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changes: dict[str, Any] = {"lr": 1e-5, "epochs": 7, "held_out": 0.25}
    (experiment,) = [
        one
        for one in quick_plan(seeds=[3], limit=17, train_limit=33, train=changes)
        if (one.model.name, one.task.name, one.mode) == ("minilm", "sst2", "fine-tune")
    ]
    order = check_repeats(experiment, tmp_path, monkeypatch)
    (block,) = order.profile.blocks
    assert (block.limit, block.train_limit, order.profile.seeds) == (17, 33, (3,))


def test_the_settings_of_an_adapter_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = (
        "nlu-arena run --model smollm2-135m --task sst2 --mode lora --set train.lora.rank=4"
        " --set train.lora.head=classifier --set train.lora.dropout=0.1"
    )
    _, (experiment,) = plan_again(command, monkeypatch)
    check_repeats(experiment, tmp_path, monkeypatch)


@pytest.mark.parametrize(
    "given", ["--text review --label stars", "--text review --label stars --dev more.csv"]
)
def test_a_file_is_named_with_its_columns(
    given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_reviews(tmp_path / "my reviews.csv")
    write_reviews(tmp_path / "more.csv", first=100)
    command = f"nlu-arena run --model minilm --task 'my reviews.csv' --mode fine-tune {given}"
    _, (experiment,) = plan_again(command, monkeypatch)
    check_repeats(experiment, tmp_path / "results", monkeypatch)


def test_a_models_folder_is_named_where_the_weights_were_read_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (experiment, *_) = [one for one in quick_plan() if one.model.name == "minilm"]
    copy = tmp_path / "the models" / "minilm"
    copy.mkdir(parents=True)
    (copy / "config.json").write_text("{}")
    model = msgspec.structs.replace(experiment.model, weights=LocalWeights(path=str(copy)))
    order = check_repeats(msgspec.structs.replace(experiment, model=model), tmp_path, monkeypatch)
    assert order.models_dir == tmp_path / "the models"


def test_a_template_takes_the_whole_sweep(tmp_path: Path) -> None:
    experiment = msgspec.structs.replace(quick_plan()[-1], template="plain")
    repetition = name_repetition(record(tmp_path, experiment), SWEEP, load_registry(), "here")
    assert repetition == ("nlu-arena sweep -q --fresh --results here", WHOLE)


def test_the_results_folder_is_named_where_it_is_not_the_usual_one(tmp_path: Path) -> None:
    run = record(tmp_path, quick_plan()[0])
    assert name_repetition(run, SWEEP, load_registry(), "my runs").command.endswith(" --results 'my runs'")


def test_a_command_has_nothing_that_a_terminal_obeys(tmp_path: Path) -> None:
    experiment = quick_plan()[0]
    data = msgspec.structs.replace(experiment.data, source="glue-dir", location="/a\x1b[31m\nb\u202e")
    run = record(tmp_path, msgspec.structs.replace(experiment, data=data))
    command = name_repetition(run, SWEEP, load_registry(), "").command
    assert command.isprintable()
