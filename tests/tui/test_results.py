from __future__ import annotations

from pathlib import Path

from nlu_arena import events
from nlu_arena.paths import ledger_path
from nlu_arena.tui.feed import Feed, Frame
from nlu_arena.tui.results import results_of
from tests.views.ledgers import begin, done, quick_plan, waiting, write_sweep


def poll(feed: Feed) -> Frame:
    found = feed.poll()
    assert isinstance(found, Frame), found
    return found


def test_progress_is_no_new_result_and_the_end_of_a_run_is(tmp_path: Path) -> None:
    plan = quick_plan()[:2]
    store = write_sweep(tmp_path, plan, [done(0.7), waiting], state=None, keep_open=True)
    feed = Feed(ledger_path(tmp_path))
    frame = poll(feed)
    assert frame.sweep is not None
    run = begin(store, frame.sweep.id, plan[1])
    running = poll(feed)
    assert results_of(running) != results_of(frame)
    store.record(run, events.Progress(phase="train", done=3, total=9))
    later = poll(feed)
    assert later.rev != running.rev
    assert results_of(later) == results_of(running)
    store.end_run(run, "failed", error="RunError", message="no")
    assert results_of(poll(feed)) != results_of(later)
    feed.close()
    store.close()
