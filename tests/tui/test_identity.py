from __future__ import annotations

from pathlib import Path

from nlu_arena.paths import ledger_path
from nlu_arena.tui.feed import Feed, Frame
from nlu_arena.tui.identity import sweep_of
from tests.views.ledgers import done, quick_plan, write_sweep


def poll(feed: Feed) -> Frame:
    found = feed.poll()
    assert isinstance(found, Frame), found
    return found


def test_a_sweep_of_the_same_number_in_another_ledger_is_another_one(tmp_path: Path) -> None:
    frames = []
    for name in ("one", "other"):
        write_sweep(tmp_path / name, quick_plan()[:2], [done(0.7), done(0.7)])
        feed = Feed(ledger_path(tmp_path / name))
        frames.append(poll(feed))
        feed.close()
    one, other = frames
    assert one.sweep is not None and other.sweep is not None and one.sweep.id == other.sweep.id
    assert sweep_of(one) != sweep_of(other)
