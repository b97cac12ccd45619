"""`status --watch`: a sweep that some process runs, followed by reading its ledger."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from nlu_arena.cli.interruption import Interruption
from nlu_arena.cli.showing import Snapshot, show, take_snapshot
from nlu_arena.cli.terminal import is_screen, open_console

POLL_SECONDS = 0.5


def follow(ledger: Path, first: Snapshot, as_json: bool) -> Snapshot:
    """Show a sweep again whenever it has changed, until it ends.

    Returns:
        how it ended.
    """
    with Interruption() as interruption:
        interruption.say = lambda _: None
        snapshots = changes(ledger, first)
        if as_json:
            return _last(snapshots, _print_document)
        if is_screen(sys.stdout):
            return _repaint(snapshots)
        return _last(snapshots, Additions().show)


def changes(
    ledger: Path, first: Snapshot, pause: Callable[[float], object] = time.sleep
) -> Iterator[Snapshot]:
    """Return a sweep as it is now and after each change, ending with its end."""
    snapshot = first
    yield snapshot
    while snapshot.sweep.state == "running":
        pause(POLL_SECONDS)
        newer = take_snapshot(ledger, first.sweep.id)
        if (newer.rev, newer.sweep) != (snapshot.rev, snapshot.sweep):
            snapshot = newer
            yield snapshot


def _last(snapshots: Iterator[Snapshot], act: Callable[[Snapshot], object]) -> Snapshot:
    for snapshot in snapshots:
        act(snapshot)
    return snapshot


def _print_document(snapshot: Snapshot) -> None:
    print(msgspec.json.encode(snapshot.document).decode(), flush=True)


def _repaint(snapshots: Iterator[Snapshot]) -> Snapshot:
    """Draw over the last picture; the final one stays."""
    from rich.live import Live

    from nlu_arena.views.status import StatusView

    with Live(console=open_console(sys.stdout), auto_refresh=False, transient=True) as live:

        def draw(snapshot: Snapshot) -> None:
            view = StatusView(snapshot.sweep, snapshot.cells, snapshot.totals, is_followed=True)
            live.update(view, refresh=True)

        last = _last(snapshots, draw)
    show(last)
    return last


class Additions:
    """Prints the cells that have changed, for a pipe."""

    def __init__(self) -> None:
        self._has_header = False
        self._said: dict[tuple[Any, ...], Any] = {}

    def show(self, snapshot: Snapshot) -> None:
        """Write the cells that are new or have another state or accuracy than before."""
        from nlu_arena.views.records import TSV_COLUMNS, cell_records
        from nlu_arena.views.tsv import tsv_lines

        records = list(cell_records(snapshot.cells))
        new = [record for record in records if self._is_news(record)]
        header, *lines = tsv_lines(TSV_COLUMNS, new)
        for line in lines if self._has_header else [header, *lines]:
            print(line, flush=True)
        self._has_header = True

    def _is_news(self, record: Any) -> bool:
        place = (record["key"], record["split"])
        news = (record["state"], record["accuracy"])
        is_new = self._said.get(place) != news
        self._said[place] = news
        return is_new
