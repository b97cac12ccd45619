from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from nlu_arena.ledger.queries import Reader
from nlu_arena.ledger.rows import Cell
from nlu_arena.metrics import Metrics, wilson_interval
from nlu_arena.paths import ledger_path
from nlu_arena.spec import Published, Subset
from nlu_arena.views.matrix import build_tables, describe_subset, is_near_majority
from tests.views.ledgers import done, interrupted, quick_plan, waiting, with_data, write_sweep


def read_cells(results: Path) -> list[Cell]:
    with Reader.open(ledger_path(results)) as reader:
        return reader.cells(1)


def measured(accuracy: float, n: int = 120, majority: float = 0.5) -> Metrics:
    interval = wilson_interval(round(accuracy * n), n)
    return Metrics(accuracy, accuracy, 0.0, 0.1, n, majority, interval)


@pytest.mark.parametrize(
    ("accuracy", "near"), [(0.75, False), (0.55, True), (0.5, True), (0.45, True), (0.3, False)]
)
def test_an_accuracy_is_near_the_majority_share_when_its_interval_covers_it(
    accuracy: float, near: bool
) -> None:
    assert is_near_majority([measured(accuracy)]) is near


def test_seeds_do_not_make_the_interval_of_their_mean_narrower() -> None:
    assert is_near_majority([measured(0.56)] * 10)
    assert not is_near_majority([])


def test_the_quick_sweep_is_one_table_of_four_groups_with_mnli_in_two_columns(tmp_path: Path) -> None:
    plan = quick_plan()
    write_sweep(tmp_path, plan, [done()] * 12)
    (table,) = build_tables(read_cells(tmp_path))
    assert table.title == "starter data (not GLUE)"
    assert [part.title for part in table.parts] == ["sst2", "rte", "mnli matched", "mnli mismatched"]
    assert [group.title for group in table.groups] == [
        "fine-tune · 1 seed",
        "zero-shot",
        "few-shot · 5 shots · 1 draw",
        "lora · train 96 · 1 seed",
    ]
    row = table.groups[1].rows[0]
    assert (row.model, row.quantisation) == ("smollm2-135m", "Q4_1")
    assert [field.metrics[0].n for field in row.fields] == [120, 120, 120, 60]
    assert [field.is_first for field in row.fields] == [True, True, True, False]


def test_each_template_is_a_group_of_its_own(tmp_path: Path) -> None:
    asked = next(e for e in quick_plan() if e.mode == "few-shot")
    prompt = msgspec.structs.replace(asked.task.prompt, cue="?")
    task = msgspec.structs.replace(asked.task, prompt=prompt)
    plan = [asked, msgspec.structs.replace(asked, task=task, template="short\nform")]
    write_sweep(tmp_path, plan, [done()] * 2)
    (table,) = build_tables(read_cells(tmp_path))
    assert [group.title for group in table.groups] == [
        "few-shot · 5 shots · 1 draw",
        "few-shot · 5 shots · template short form · 1 draw",
    ]


def test_results_on_different_data_never_share_a_table(tmp_path: Path) -> None:
    plan = quick_plan()[:1]
    plan.append(with_data(plan[0], "glue-dir"))
    write_sweep(tmp_path, plan, [done(), done()])
    titles = [table.title for table in build_tables(read_cells(tmp_path))]
    assert titles == ["starter data (not GLUE)", "glue-dir data"]


def test_different_parts_of_a_dev_split_never_share_a_table(tmp_path: Path) -> None:
    plan = [quick_plan()[0], quick_plan(limit=50)[0]]
    write_sweep(tmp_path, plan, [done(), done()])
    assert [table.dev for table in build_tables(read_cells(tmp_path))] == ["", "dev 50"]


def test_seeds_share_a_field_and_are_counted(tmp_path: Path) -> None:
    plan = quick_plan(seeds=[1, 2, 3])[:3]
    write_sweep(tmp_path, plan, [done(0.7), interrupted(), waiting], state="interrupted")
    (table,) = build_tables(read_cells(tmp_path))
    (field,) = table.groups[0].rows[0].fields
    assert table.groups[0].title == "fine-tune · 3 seeds"
    assert (len(field.cells), len(field.metrics), field.state) == (3, 1, "interrupted")


def test_another_setting_of_the_same_experiment_has_a_row_of_its_own(tmp_path: Path) -> None:
    first = quick_plan()[0]
    assert first.train is not None
    other = msgspec.structs.replace(first, train=msgspec.structs.replace(first.train, lr=1e-5))
    write_sweep(tmp_path, [first, other], [done(0.7), done(0.6)])
    (table,) = build_tables(read_cells(tmp_path))
    assert [row.fields[0].metrics[0].accuracy for row in table.groups[0].rows] == [0.7, 0.6]


def test_a_subset_is_named_where_it_matters(tmp_path: Path) -> None:
    write_sweep(tmp_path, quick_plan()[:4:3], [waiting, waiting], state="interrupted")
    trained, asked = read_cells(tmp_path)
    cut = Subset(train=96, dev=50)
    assert describe_subset(msgspec.structs.replace(trained, subset=cut)) == "train 96, dev 50"
    assert describe_subset(msgspec.structs.replace(asked, subset=cut)) == "dev 50"


def test_a_number_is_off_where_its_own_split_or_the_training_rows_are(tmp_path: Path) -> None:
    plan = [with_data(experiment, "glue-dir") for experiment in quick_plan()[2:6:3]]
    acts = [done(data_differences={"mismatched": "60 rows"}), done(data_differences={"train": "9 rows"})]
    write_sweep(tmp_path, plan, acts)
    asked, trained = read_cells(tmp_path)
    assert [asked.is_published(split) for split in ("matched", "mismatched", "")] == [True, False, False]
    assert [trained.is_published(split) for split in ("matched", "mismatched", "")] == [False] * 3
    (table,) = build_tables([asked])
    assert [field.data_label for field in table.groups[0].rows[0].fields] == ["", "not GLUE"]


def test_where_nothing_was_compared_nothing_is_said_of_the_data(tmp_path: Path) -> None:
    write_sweep(tmp_path, quick_plan()[:2], [done(), waiting], state="interrupted")
    assert [cell.is_published("") for cell in read_cells(tmp_path)] == [None, None]


def test_a_field_has_the_alarms_of_its_own_split_from_any_seed(tmp_path: Path) -> None:
    plan = [experiment for experiment in quick_plan(seeds=[1, 2]) if experiment.task.name == "mnli"][:2]
    write_sweep(tmp_path, plan, [done(0.7), done(mismatched=0.1)])
    (table,) = build_tables(read_cells(tmp_path))
    assert [field.alarms for field in table.groups[0].rows[0].fields] == [[], ["below majority"]]


def test_the_data_are_called_by_the_name_that_the_task_gives_them(tmp_path: Path) -> None:
    published = Published(name="Reviews 2.0", counts={"dev": 900})
    first = with_data(quick_plan()[0], "glue-dir")
    task = msgspec.structs.replace(first.task, published=published)
    plan = [msgspec.structs.replace(first, task=task)]
    write_sweep(tmp_path, plan, [done(data_differences={"dev": "120 rows, Reviews 2.0 has 900"})])
    (table,) = build_tables(read_cells(tmp_path))
    assert table.groups[0].rows[0].fields[0].data_label == "not Reviews 2.0"
