from __future__ import annotations

from pathlib import Path

from nlu_arena.findings.criteria import check_complete, check_crashes, check_saved, check_tables
from nlu_arena.findings.records import Criterion
from nlu_arena.ledger.queries import Reader
from nlu_arena.paths import ledger_path
from tests.contest import Contest
from tests.findings.stage import rounds_of
from tests.views.ledgers import Act, done, failed, quick_plan, waiting, write_sweep


def check(results: Path) -> dict[str, Criterion]:
    with Reader.open(ledger_path(results)) as reader:
        sweep, finished = reader.last_sweep(), reader.finished()
        assert sweep is not None
        criteria = (
            check_complete(sweep, reader.cells(sweep.id), reader.unfinished()),
            check_saved(finished, results),
            check_crashes(reader.changed_since(0), finished),
        )
    return {criterion.key: criterion for criterion in criteria}


def write(results: Path, *acts: Act, **details: object) -> None:
    write_sweep(results, quick_plan()[: len(acts)], acts, details=dict(details))


def test_all_done_is_complete(tmp_path: Path) -> None:
    write(tmp_path, done(), done())
    complete = check(tmp_path)["complete"]
    assert complete.is_met
    assert complete.sentence == "2 of 2 of the last sweep (quick) are done."


def test_what_waits_and_what_was_left_out_is_named(tmp_path: Path) -> None:
    write(tmp_path, done(), waiting, left_out=["gemma-2b: no access"])
    complete = check(tmp_path)["complete"]
    assert not complete.is_met
    assert complete.exceptions == (
        "minilm/rte/fine-tune seed 42: waiting",
        "left out: gemma-2b: no access",
    )


def test_an_experiment_of_an_earlier_sweep_that_was_never_done_counts(tmp_path: Path) -> None:
    write(tmp_path, done(), failed("no memory"))
    write_sweep(tmp_path, quick_plan()[:1], [done(fresh=True)])
    assert not check(tmp_path)["complete"].is_met


def test_results_are_saved_where_each_run_folder_has_them(tmp_path: Path) -> None:
    write(tmp_path, done(), done())
    saved = check(tmp_path)["saved"]
    assert not saved.is_met
    assert len(saved.exceptions) == 2
    with Reader.open(ledger_path(tmp_path)) as reader:
        for cell in reader.finished():
            (tmp_path / cell.folder).mkdir()
            (tmp_path / cell.folder / "results.json").write_text("{}")
    assert check(tmp_path)["saved"].is_met


def test_a_failed_run_counts_even_if_a_later_one_succeeded(tmp_path: Path) -> None:
    write(tmp_path, failed("out of memory"))
    write_sweep(tmp_path, quick_plan()[:1], [done()])
    found = check(tmp_path)
    assert found["complete"].is_met
    assert not found["crashes"].is_met
    assert found["crashes"].exceptions == ("minilm/sst2/fine-tune (run 1): out of memory - done later",)


def test_tables_take_two_on_the_same_texts() -> None:
    contest = Contest()
    contest.add("qwen", range(60))
    assert not check_tables(rounds_of(contest), 0).is_met
    contest.add("gemma", range(70))
    assert check_tables(rounds_of(contest), 1).is_met
