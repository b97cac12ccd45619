"""The last ten minutes of a sweep's memory, and the peaks of its newest runs, from the ledger alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from nlu_arena.ledger.queries import Reader
from nlu_arena.ledger.rows import MemorySample, RunRow, Tile
from nlu_arena.tui.run_facts import device_peak

HOST, WORKER = "host", "worker:"
# Seconds that are shown, and how much later than a run's last change its sweep may have written a reading.
WINDOW = 600.0
MARGIN = 60.0
# The newest runs are enough for a screen that nobody scrolls for long.
MOST_RUNS = 200


class RunMemory(NamedTuple):
    """A run's peaks in bytes, None where there was no reading; times in seconds since 1970.

    `settings` are what else than its title sets it apart ("4 shots", "seed 7"). `host` is the resident memory
    of its worker, so far where it still runs; `allocated` is what tensors took of the GPU, `reserved` what
    the allocator held of the driver.
    """

    run_id: int
    rev: int
    title: str
    settings: tuple[str, ...]
    state: str
    began: float
    ended: float | None
    host: int | None
    allocated: int | None
    reserved: int | None


class History(NamedTuple):
    """The readings by source ("cuda:0", …, "host" last), and the runs, newest first.

    `sweep` is what the sweep is known by (see `results.sweep_of`); `end` is the time of the newest reading in
    seconds since 1970; `workers` is the resident memory of all workers then.
    """

    sweep: tuple[int, str]
    has_ended: bool
    end: float
    sources: Mapping[str, Sequence[MemorySample]]
    workers: int | None
    runs: Sequence[RunMemory]
    devices: Sequence[str]


def read_history(
    reader: Reader, sweep: int, tiles: Sequence[Tile], last_write: float, known: Mapping[int, RunMemory]
) -> History:
    """Read what was recorded.

    Args:
        reader: The ledger, opened for this thread.
        sweep: The sweep's number.
        tiles: Its experiments.
        last_write: When it changed last, in seconds since 1970.
        known: The runs that were read before, by number: those that have not changed are not read again.
    """
    samples = reader.memory_samples(sweep, _write_time(last_write - WINDOW - MARGIN))
    end = max((sample.at for sample in samples), default=last_write)
    sources: dict[str, list[MemorySample]] = {}
    for sample in samples:
        if sample.at >= end - WINDOW:
            sources.setdefault(sample.source, []).append(sample)
    row = reader.sweep(sweep)
    runs = [_remember(reader, tile, known) for tile in newest(tiles)]
    running = [place for place, run in enumerate(runs) if run.state == "running"]
    if len(running) == 1:
        # Of several at a time nobody knows whose worker is whose.
        (place,) = running
        runs[place] = _raise_peak(reader, sweep, runs[place], known, samples)
    return History(
        sweep=(row.id, row.started_at),
        has_ended=row.finished_at is not None,
        end=end,
        sources={name: sources[name] for name in _order(sources)},
        workers=_sum_workers(sources, end),
        runs=runs,
        devices=[str(device) for device in row.details.get("devices", ())],
    )


def _write_time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def newest(tiles: Iterable[Tile]) -> list[Tile]:
    """Return the tiles with a run, those that changed last first."""
    begun = [tile for tile in tiles if tile.run_id is not None]
    return sorted(begun, key=lambda tile: (tile.updated_at, tile.run_id), reverse=True)[:MOST_RUNS]


def fill_columns(
    samples: Sequence[MemorySample], end: float, columns: int, *, utilisation: bool = False
) -> list[float | None]:
    """Return the highest reading in each of so many parts of the window, None where there is none.

    Args:
        samples: Of one source.
        end: The end of the window, in seconds since 1970.
        columns: How many parts.
        utilisation: Whether it is the utilisation in percent that counts, not the bytes in use.
    """
    filled: list[float | None] = [None] * columns
    for sample in samples:
        value = sample.utilisation if utilisation else sample.used_bytes
        column = find_column(sample.at, end, columns)
        if value is not None and column is not None:
            filled[column] = max(filled[column] or 0.0, float(value))
    return filled


def find_column(at: float, end: float, columns: int) -> int | None:
    """Return the part of the window that a time is in, None for one outside."""
    place = (at - (end - WINDOW)) / WINDOW
    return min(columns - 1, int(place * columns)) if 0 <= place <= 1 else None


def _order(sources: Iterable[str]) -> list[str]:
    """Return the GPUs by name, then the host."""
    gpus = sorted(name for name in sources if name != HOST and not name.startswith(WORKER))
    return [*gpus, *(name for name in sources if name == HOST)]


def _sum_workers(sources: Mapping[str, Sequence[MemorySample]], end: float) -> int | None:
    now = [
        sample.used_bytes
        for name, samples in sources.items()
        if name.startswith(WORKER)
        for sample in samples[-1:]
        if sample.at == end and sample.used_bytes is not None
    ]
    return sum(now) if now else None


def _remember(reader: Reader, tile: Tile, known: Mapping[int, RunMemory]) -> RunMemory:
    assert tile.run_id is not None
    before = known.get(tile.run_id)
    if before is not None and (before.rev, before.state) == (tile.rev, tile.state):
        return before
    return _describe(reader.run(tile.run_id), tile)


def _raise_peak(
    reader: Reader,
    sweep: int,
    run: RunMemory,
    known: Mapping[int, RunMemory],
    samples: Sequence[MemorySample],
) -> RunMemory:
    """Return the only run under way with the highest reading of its worker: its own peak comes at its end."""
    before = known[run.run_id].host if run.run_id in known else None
    if before is None:
        # It may have been at work for longer than what is shown.
        samples = reader.memory_samples(sweep, _write_time(run.began))
    readings = [
        sample.used_bytes
        for sample in samples
        if sample.source.startswith(WORKER) and sample.at >= run.began and sample.used_bytes is not None
    ]
    return run._replace(host=max([*readings, before or 0]) or None)


def _describe(run: RunRow, tile: Tile) -> RunMemory:
    ended = run.finished_at if run.state != "running" else None
    return RunMemory(
        run_id=run.run_id,
        # Of the tile, not of what was read since: the next look compares with the tile.
        rev=tile.rev,
        title=run.experiment.title,
        settings=(*filter(None, tile.variant.split(" · ")), f"seed {tile.seed}"),
        state=tile.state,
        began=datetime.fromisoformat(run.started_at).timestamp(),
        ended=datetime.fromisoformat(ended).timestamp() if ended else None,
        host=run.peak_rss_bytes,
        allocated=device_peak(run.facts, "allocated"),
        reserved=device_peak(run.facts, "reserved"),
    )
