from __future__ import annotations

from pathlib import Path

import pytest

from nlu_arena.calibration import find_calibrations
from nlu_arena.contender import find_rounds
from nlu_arena.ledger.queries import Reader
from nlu_arena.paths import ledger_path
from nlu_arena.report.standings import Standing, list_standings
from tests.views.ledgers import done, one_label, quick_plan, write_sweep


def read(results: Path) -> list[Standing]:
    with Reader.open(ledger_path(results)) as reader:
        rounds = find_rounds(reader.finished(), reader.labels)
        calibrations = [found for one in rounds for found in find_calibrations(one, reader.columns)]
        return list_standings(calibrations, {run.run_id: run for run in reader.changed_since(0)})


def test_seeds_of_one_experiment_are_one_row_of_means(tmp_path: Path) -> None:
    plan = [e for e in quick_plan(seeds=[1, 2]) if (e.task.name, e.mode) == ("sst2", "fine-tune")]
    write_sweep(tmp_path, plan, [done(0.8), done(0.9)])
    (standing,) = read(tmp_path)
    assert standing.seeds == (1, 2)
    assert standing.accuracy == pytest.approx(0.85)
    assert standing.accuracy_sd == pytest.approx(0.1 / 2**0.5)
    assert len(standing.keys) == len(standing.folders) == 2


def test_one_seed_has_no_spread_and_nothing_trained_no_time(tmp_path: Path) -> None:
    plan = [e for e in quick_plan() if (e.task.name, e.mode) == ("sst2", "zero-shot")]
    write_sweep(tmp_path, plan, [done()])
    (standing,) = read(tmp_path)
    assert standing.accuracy_sd is None
    assert standing.train_seconds is None
    assert standing.calibrated_accuracy is None


def test_alarms_and_warnings_stand_beside_the_number(tmp_path: Path) -> None:
    plan = [e for e in quick_plan() if (e.task.name, e.mode) == ("sst2", "lora")]
    write_sweep(tmp_path, plan, [done(answer=one_label, warnings=["12 texts were cut"])])
    (standing,) = read(tmp_path)
    assert standing.alarms == ("one label",)
    assert standing.warnings == ("12 texts were cut",)
