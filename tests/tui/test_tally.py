from __future__ import annotations

from typing import Any

from nlu_arena.ledger.rows import Tile
from nlu_arena.tui.tally import Tally, Totals

BASE = Tile(0, "k", "bert", "BERT", "encoder", "", "sst2", "fine-tune", "", 1, "waiting")


def tiles(*changes: dict[str, Any]) -> list[Tile]:
    return [BASE._replace(position=place, **change) for place, change in enumerate(changes)]


def totals(*changes: dict[str, Any], lanes: int | None = 1) -> Totals:
    tally = Tally()
    for tile in tiles(*changes):
        tally.put(tile)
    return tally.totals(lanes)


def done(seconds: float, **more: Any) -> dict[str, Any]:
    return {"state": "done", "seconds": seconds, **more}


def test_states_are_counted() -> None:
    states = ["done", "done", "failed", "running", "waiting", "waiting", "waiting", "interrupted"]
    assert totals(*({"state": state} for state in states))[:6] == (8, 2, 1, 1, 3, 1)


def test_what_is_taken_out_leaves_nothing() -> None:
    tally = Tally()
    for tile in tiles(done(4.0), {"state": "running", "seconds": 1.0}, {}):
        tally.put(tile)
        tally.take(tile)
    assert tally.totals(1) == (0, 0, 0, 0, 0, 0, 0.0)


def test_the_time_left_is_the_mean_time_of_what_is_done_for_each_that_is_not() -> None:
    assert totals(done(10.0), done(20.0), {}, {}).seconds_left == 30.0


def test_what_runs_has_less_ahead_but_never_less_than_nothing() -> None:
    assert totals(done(10.0), {"state": "running", "seconds": 4.0}).seconds_left == 6.0
    assert totals(done(10.0), {"state": "running", "seconds": 40.0}).seconds_left == 0.0


def test_the_closest_kin_counts() -> None:
    kin = [done(100.0, task="mnli"), done(10.0, variant="train 96"), done(30.0)]
    assert totals(*kin, {}).seconds_left == 30.0
    assert totals(*kin, {"variant": "train 32"}).seconds_left == 20.0
    assert totals(*kin[:2], {"task": "rte"}).seconds_left == 55.0


def test_without_any_kin_the_time_left_is_not_known() -> None:
    assert totals(done(10.0), {}, {"model": "llama"}).seconds_left is None
    assert totals(done(10.0), {"mode": "lora", "state": "running"}).seconds_left is None


def test_several_lanes_share_what_is_left() -> None:
    assert totals(done(10.0), {}, {}, {}, {}, lanes=2).seconds_left == 20.0
    assert totals(done(10.0), {}, lanes=4).seconds_left == 10.0


def test_without_anybody_working_there_is_no_time_left() -> None:
    assert totals(done(10.0), {}, lanes=None).seconds_left is None
    assert totals(done(10.0)).seconds_left == 0.0
