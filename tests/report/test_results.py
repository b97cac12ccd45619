from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from nlu_arena.ledger.queries import Reader
from nlu_arena.paths import ledger_path
from nlu_arena.report import gathering
from nlu_arena.report.document import Section, Table
from nlu_arena.report.material import Material, Pictures
from nlu_arena.report.opening import list_set_aside
from nlu_arena.report.results import tell_results
from nlu_arena.spec import Subset
from tests.report.ledgers import write_quick
from tests.views.ledgers import done, one_label, quick_plan, write_sweep


def make(results: Path) -> Material:
    """What the ledger has, without its pictures."""
    with pytest.MonkeyPatch.context() as patch, Reader.open(ledger_path(results)) as reader:
        patch.setattr(gathering, "_draw", lambda *_: Pictures())
        return gathering.gather(reader, reader.finished(), results, results)


def find(material: Material, title: str) -> Section:
    (section,) = [s for s in tell_results(material) if s.title.startswith(title)]
    return section


def table_of(section: Section) -> Table:
    (table,) = [block for block in section.blocks if isinstance(block, Table)]
    return table


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Material:
    results = tmp_path_factory.mktemp("quick")
    write_quick(results)
    return make(results)


def test_the_best_comes_first_and_always_the_majority_label_last(quick: Material) -> None:
    table = table_of(find(quick, "sst2 dev"))
    assert [row[0] for row in table.rows] == [
        "smollm2-135m Q4_1 lora",
        "minilm fine-tune",
        "smollm2-135m Q4_1 few-shot",
        "smollm2-135m Q4_1 zero-shot",
        "always the majority label",
    ]
    assert table.rows[-1][2] == "50.0"


def test_a_task_of_two_splits_has_its_costs_once(quick: Material) -> None:
    rows = [row[:2] for row in table_of(find(quick, "Cost")).rows]
    assert len(rows) == len(set(rows)) == 12


def test_without_variants_and_curves_there_are_no_chapters_on_them(quick: Material) -> None:
    titles = [section.title for section in tell_results(quick)]
    assert "Calibration" in titles
    assert "Prompt variants" not in titles
    assert "Learning curves" not in titles


def test_variants_of_a_prompt_show_the_default_beside_the_best(tmp_path: Path) -> None:
    (experiment,) = [e for e in quick_plan() if (e.task.name, e.mode) == ("sst2", "zero-shot")]
    prompt = msgspec.structs.replace(experiment.task.prompt, instruction="Another one.")
    task = msgspec.structs.replace(experiment.task, prompt=prompt)
    variant = msgspec.structs.replace(experiment, template="question", task=task)
    write_sweep(tmp_path, [experiment, variant], [done(0.6), done(0.8)])
    (row,) = table_of(find(make(tmp_path), "Prompt variants")).rows
    assert row[2:] == ("2", "60.0", "70.0", "14.1", "80.0", "question")


def test_a_learning_curve_says_from_where_on_training_beats_prompting(tmp_path: Path) -> None:
    plan = quick_plan()
    (tuned,) = [e for e in plan if (e.task.name, e.mode) == ("sst2", "fine-tune")]
    (prompted,) = [e for e in plan if (e.task.name, e.mode) == ("sst2", "few-shot")]
    points = [msgspec.structs.replace(tuned, subset=Subset(train=rows)) for rows in (32, 128)]
    acts = [done(0.6, train_rows=32), done(0.9, train_rows=128), done(0.7)]
    write_sweep(tmp_path, [*points, prompted], acts)
    section = find(make(tmp_path), "Learning curves")
    text = str(section.blocks)
    assert "minilm fine-tune by labelled examples: 32: 60.0 %, 128: 90.0 %" in text
    assert "from about" in text


def test_what_is_set_aside_is_named_with_its_alarm(tmp_path: Path) -> None:
    plan = [e for e in quick_plan() if e.task.name == "sst2"]
    acts = [done(answer=one_label) if e.mode == "zero-shot" else done(0.8) for e in plan]
    write_sweep(tmp_path, plan, acts)
    assert list_set_aside(make(tmp_path)) == ["one label: smollm2-135m Q4_1 zero-shot on sst2"]
