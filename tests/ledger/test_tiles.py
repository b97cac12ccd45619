from __future__ import annotations

from pathlib import Path

from nlu_arena.ledger.queries import Reader
from nlu_arena.ledger.rows import Tile
from nlu_arena.ledger.tiles import name_variant
from nlu_arena.paths import ledger_path
from tests.views.ledgers import done, failed, one_label, quick_plan, running, waiting, write_sweep

ACTS = [done(0.75), done(0.5, answer=one_label), failed("no memory", error="RunError"), running(64), waiting]
PLAN = quick_plan()[: len(ACTS)]


def read_tiles(results: Path) -> list[Tile]:
    with Reader.open(ledger_path(results)) as reader:
        return reader.tiles(1)


def test_a_tile_says_what_the_cell_of_its_experiment_says(tmp_path: Path) -> None:
    with (
        write_sweep(tmp_path, PLAN, ACTS, state="", keep_open=True),
        Reader.open(ledger_path(tmp_path)) as reader,
    ):
        tiles, cells = reader.tiles(1), reader.cells(1)
    same = ("position", "key", "model", "title", "family", "quantisation", "task", "mode", "seed", "state")
    same += ("run_id", "majority", "seconds", "phase", "done", "total", "error", "message")
    for tile, cell in zip(tiles, cells, strict=True):
        assert {name: getattr(tile, name) for name in same} == {name: getattr(cell, name) for name in same}
        assert tile.accuracy == (cell.metrics.accuracy if cell.metrics else None)
        assert tile.peak_bytes == cell.peak_rss_bytes
        assert tile.updated_at == (cell.updated_at or "")
        assert tile.alarms == tuple(name for found in cell.alarms.values() for name in found)
    assert [tile.state for tile in tiles] == ["done", "done", "failed", "running", "waiting"]
    assert tiles[1].alarms == ("one label",)


def test_alarms_that_an_older_program_did_not_record_are_found_in_the_metrics(tmp_path: Path) -> None:
    with write_sweep(tmp_path, PLAN[:1], [done(0.1)], keep_open=True) as store:
        store._connection.execute("UPDATE runs SET facts = json_remove(facts, '$.alarms')")
    assert read_tiles(tmp_path)[0].alarms == ("below majority",)


def test_what_an_older_program_left_out_of_a_definition_has_its_default(tmp_path: Path) -> None:
    with write_sweep(tmp_path, PLAN[:1], [done()], keep_open=True) as store:
        store._connection.execute(
            "UPDATE experiments SET definition = json_remove(definition, '$.subset', '$.shots', '$.template')"
        )
    (tile,) = read_tiles(tmp_path)
    assert (tile.state, tile.variant) == ("done", "")


def test_only_what_has_changed_is_read_again(tmp_path: Path) -> None:
    with (
        write_sweep(tmp_path, PLAN, [waiting] * 5, state="", keep_open=True) as store,
        Reader.open(ledger_path(tmp_path)) as reader,
    ):
        done()(store, 1, PLAN[0])
        rev = reader.revision()
        assert reader.changed_tiles(1, rev) == []
        for number in (3, 1):
            failed("no")(store, 1, PLAN[number])
        assert [tile.position for tile in reader.changed_tiles(1, rev)] == [1, 3]
        assert reader.changed_tiles(2, rev) == []


def test_a_run_of_an_earlier_sweep_stands_where_it_was_taken_over(tmp_path: Path) -> None:
    write_sweep(tmp_path, PLAN[:2], [done(), done()])
    with (
        write_sweep(tmp_path, PLAN[1:3], [waiting, waiting], state="", keep_open=True) as store,
        Reader.open(ledger_path(tmp_path)) as reader,
    ):
        assert [(tile.position, tile.state) for tile in reader.tiles(2)] == [(0, "done"), (1, "waiting")]
        failed("no")(store, 2, PLAN[2])
        assert [tile.position for tile in reader.changed_tiles(2, 0)] == [0, 1]


def test_a_variant_names_what_sets_experiments_apart() -> None:
    assert name_variant("fine-tune", 0, "", None, None) == ""
    assert name_variant("fine-tune", 0, "", 96, 48) == "train 96 · dev 48"
    assert name_variant("few-shot", 4, "plain", 96, None) == "4 shots · template plain"
