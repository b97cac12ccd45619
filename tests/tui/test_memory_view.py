from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import pytest
from rich.cells import cell_len

from nlu_arena import events
from nlu_arena.ledger.queries import Reader
from nlu_arena.ledger.rows import MemorySample
from nlu_arena.ledger.store import Store
from nlu_arena.paths import ledger_path
from nlu_arena.spec import Experiment
from nlu_arena.tui import memory_view
from nlu_arena.tui.area import BLOCKS
from nlu_arena.tui.asciifilter import to_ascii
from nlu_arena.tui.memory_history import MOST_RUNS, History, fill_columns, newest, read_history
from nlu_arena.tui.memory_page import draw_memory
from nlu_arena.tui.memory_view import MemoryView
from tests.tui.run_stage import RunStage
from tests.tui.stage import press, settle
from tests.views.ledgers import Act, done, quick_plan, running, waiting, write_sweep

GIB = 2**30
NOW = time.time()


@pytest.fixture(autouse=True)
def _begin_now() -> None:
    """The view shows the last minutes: what a test writes is of its own time, not of the collection's."""
    global NOW  # noqa: PLW0603
    NOW = time.time()


def host(at: float, gib: float) -> MemorySample:
    return MemorySample(at, "host", int(gib * GIB), 16 * GIB)


def gpu(at: float, gib: float, use: int, name: str = "cuda:0") -> MemorySample:
    return MemorySample(at, name, int(gib * GIB), 80 * GIB, use)


def sampled(samples: Callable[[], Sequence[MemorySample]], act: Act) -> Act:
    """What was sampled while an experiment was at work."""

    def both(store: Store, sweep: int, experiment: Experiment) -> None:
        act(store, sweep, experiment)
        store.add_samples(samples())

    return both


def on_gpu(store: Store, sweep: int, experiment: Experiment) -> None:
    """A run with peaks of a GPU."""
    phases = {
        "train": {"device_peak_allocated_bytes": 3 * GIB, "device_peak_reserved_bytes": 5 * GIB},
        "evaluate": {"device_peak_allocated_bytes": 1 * GIB, "device_peak_reserved_bytes": 5 * GIB},
    }
    done(memory=phases)(store, sweep, experiment)


def stage(folder: Path, acts: Sequence[Act], *, ascii: bool = False, device: str = "cpu") -> RunStage:
    write_sweep(folder, quick_plan()[: len(acts)], acts, details={"devices": [device]})
    return RunStage(ledger_path(folder), MemoryView, ascii=ascii)


@pytest.mark.parametrize("size", [(60, 13), (80, 22), (120, 38), (250, 78)])
async def test_without_a_gpu_there_is_the_host_and_a_line_that_says_so(
    size: tuple[int, int], tmp_path: Path
) -> None:
    readings = [host(NOW - 300 + second, 4 + second % 2) for second in range(300)]
    app = stage(tmp_path, [sampled(lambda: readings, done())])
    async with app.run_test(size=size, notifications=True) as pilot:
        app.tick()
        await settle(pilot)
        assert app.lines()[0] == " no GPU in this sweep: host memory only"
        assert app.lines()[1].startswith(" host   ▕█") and "5.0/16.0 GiB 31 %  peak 5.0 GiB" in app.lines()[1]
        assert "-10 min" in app.text() and f"{datetime.fromtimestamp(NOW - 1):%H:%M:%S}" in app.text()
        assert "minilm/sst2/fine-t" in app.text() and "1.4 GiB" in app.text()


async def test_a_gpu_has_its_memory_its_use_and_the_peaks_of_the_runs(tmp_path: Path) -> None:
    readings = [gpu(NOW - 9 + second, 41.25, 97) for second in range(9)] + [host(NOW - 1, 2)]
    app = stage(tmp_path, [sampled(lambda: readings, on_gpu), done()], device="cuda:0")
    async with app.run_test(size=(120, 38)) as pilot:
        app.tick()
        await settle(pilot)
        lines = app.lines()
        assert (
            lines[0].startswith(" cuda:0 ▕█") and "41.2/80.0 GiB 52 %  busy 97 %  peak 41.2 GiB" in lines[0]
        )
        assert "no GPU" not in app.text()
        (head,) = [line for line in lines if "GPU tensors" in line]
        assert head.split()[-4:] == ["tensors", "GPU", "held", "time"]
        (run,) = [line for line in lines if "3.0 GiB" in line]
        assert run.split()[-7:-2] == ["GiB", "3.0", "GiB", "5.0", "GiB"]
        # A run that did not use it has no reading, and not 0.
        assert sum("n/a          n/a" in line for line in lines) == 1


@pytest.mark.parametrize(("gib", "word"), [(8, "50 %"), (13, "81 % little left"), (15.5, "97 % nearly full")])
async def test_little_headroom_is_said_in_words(gib: float, word: str, tmp_path: Path) -> None:
    app = stage(tmp_path, [sampled(lambda: [host(NOW, gib)], done())])
    async with app.run_test(size=(80, 22)) as pilot:
        app.tick()
        await settle(pilot)
        assert f"{word}  peak" in app.lines()[1]


async def test_a_gpu_without_readings_is_named(tmp_path: Path) -> None:
    app = stage(tmp_path, [sampled(lambda: [host(NOW, 8)], done())], device="cuda:3")
    async with app.run_test(size=(80, 22)) as pilot:
        app.tick()
        await settle(pilot)
        assert app.lines()[0] == " no readings of a GPU (cuda:3): host memory only"


async def test_a_sweep_in_which_nothing_ran_says_so(tmp_path: Path) -> None:
    app = stage(tmp_path, [waiting])
    async with app.run_test(size=(80, 22)) as pilot:
        app.tick()
        await settle(pilot)
        assert " no memory was recorded: nothing has run in this sweep yet" in app.lines()[1]


async def test_a_sweep_that_has_only_begun_has_no_readings_yet(tmp_path: Path) -> None:
    store = write_sweep(tmp_path, quick_plan()[:1], [running(8)], state=None, keep_open=True)
    app = RunStage(ledger_path(tmp_path), MemoryView)
    async with app.run_test(size=(80, 22)) as pilot:
        app.tick()
        await settle(pilot)
        assert app.lines()[1] == " no readings yet"
    store.close()


async def test_what_all_runs_have_in_common_is_in_no_name(tmp_path: Path) -> None:
    plan = quick_plan(limit=50, seeds=[3, 4])[:2]
    write_sweep(tmp_path, plan, [done()] * 2)
    app = RunStage(ledger_path(tmp_path), MemoryView)
    async with app.run_test(size=(60, 22)) as pilot:
        app.tick()
        await settle(pilot)
        names = [line.partition("  ")[0] for line in app.lines() if "1.4 GiB" in line]
        assert names == [" minilm/sst2/fine-tune · seed 4", " minilm/sst2/fine-tune · seed 3"]


def test_a_wide_name_below_the_curve_ends_where_the_next_one_begins(tmp_path: Path) -> None:
    write_sweep(tmp_path, quick_plan()[:1], [sampled(lambda: [host(time.time(), 8)], done())])
    with Reader.open(ledger_path(tmp_path)) as reader:
        history = read_history(reader, 1, reader.tiles(1), NOW, {})
    (run,) = history.runs
    begins = (history.end - 600, history.end - 300)
    runs = [run._replace(run_id=n, title="漢字" * 30, began=at) for n, at in enumerate(begins)]
    lines = [line.plain for line in draw_memory(history._replace(runs=runs), 60, 20, ascii=False)]
    (names,) = [line for line in lines if "└" in line]
    assert names == "└" + "漢字" * 7 + " └" + "漢字" * 7
    assert cell_len(names[: names.rindex("└")]) == 30


async def test_a_sweep_without_readings_has_its_peaks(tmp_path: Path) -> None:
    app = stage(tmp_path, [done()])
    async with app.run_test(size=(80, 22)) as pilot:
        app.tick()
        await settle(pilot)
        assert " no memory was recorded: this sweep left no readings" in app.lines()[1]
        assert "peaks of the newest runs" in app.text()


async def test_a_new_reading_comes_into_sight(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_view, "SECONDS_BETWEEN_READS", 0.0)
    store = write_sweep(tmp_path, quick_plan()[:1], [running(8)], state=None, keep_open=True)
    app = RunStage(ledger_path(tmp_path), MemoryView)
    async with app.run_test(size=(120, 22)) as pilot:
        for gib in (4, 6):
            at = time.time()
            store.add_samples([host(at, gib), MemorySample(at, "worker:77", 2 * GIB)])
            app.tick()
            await settle(pilot)
            assert f"{gib}.0/16.0 GiB" in app.text() and "workers 2.0 GiB" in app.text()
        assert any(line.endswith(" running") for line in app.lines())
    store.close()


async def test_many_runs_are_scrolled(tmp_path: Path) -> None:
    app = stage(tmp_path, [done()] * 12)
    async with app.run_test(size=(60, 10)) as pilot:
        app.tick()
        await settle(pilot)
        assert "no GPU" in app.text()
        await press(pilot, "end")
        assert "no GPU" not in app.text() and "minilm/sst2" in app.text()


async def test_ascii_has_a_character_for_every_sign(tmp_path: Path) -> None:
    readings = [gpu(NOW - second, 70, 50) for second in range(300)] + [host(NOW - 7, 5)]
    app = stage(tmp_path, [sampled(lambda: readings, on_gpu)], ascii=True)
    async with app.run_test(size=(120, 38)) as pilot:
        app.tick()
        await settle(pilot)
        assert "?" not in to_ascii(app.text()) and not set(BLOCKS[1:-1]) & set(app.text())


def test_a_part_of_the_window_has_its_highest_reading() -> None:
    samples = [host(1000.0, 1), host(1001.0, 3), host(1590.0, 2), host(399.0, 9)]
    # The window begins at 1000; a reading before it does not count.
    assert fill_columns(samples, 1600.0, 4) == [3.0 * GIB, None, None, 2.0 * GIB]


def test_a_reading_that_did_not_come_is_no_zero() -> None:
    samples = [MemorySample(1600.0, "cuda:0", None, None, None)]
    assert fill_columns(samples, 1600.0, 2) == [None, None]
    assert fill_columns(samples, 1600.0, 2, utilisation=True) == [None, None]
    assert fill_columns([gpu(1600.0, 0, 0)], 1600.0, 2, utilisation=True) == [None, 0.0]


def test_only_the_last_ten_minutes_are_read(tmp_path: Path) -> None:
    readings = [host(NOW - second, 4) for second in range(0, 1200, 10)]
    write_sweep(tmp_path, quick_plan()[:1], [sampled(lambda: readings, done())])
    with Reader.open(ledger_path(tmp_path)) as reader:
        history = read_history(reader, 1, reader.tiles(1), NOW, {})
    assert len(history.sources["host"]) == 61
    assert history.end == pytest.approx(NOW, abs=0.001)


def test_a_run_that_has_not_changed_is_not_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = write_sweep(tmp_path, quick_plan()[:2], [done(), running(8)], state=None, keep_open=True)
    asked: list[int] = []
    read_run = Reader.run
    monkeypatch.setattr(Reader, "run", lambda self, run: asked.append(run) or read_run(self, run))
    with Reader.open(ledger_path(tmp_path)) as reader:
        first = read_history(reader, 1, reader.tiles(1), NOW, {})
        store.record(2, events.Progress(phase="evaluate", done=9, total=120))
        again = read_history(reader, 1, reader.tiles(1), NOW, {run.run_id: run for run in first.runs})
    assert asked == [2, 1, 2]
    assert [run.run_id for run in again.runs] == [2, 1]
    store.close()


def test_of_the_run_under_way_the_highest_reading_so_far_is_its_peak(tmp_path: Path) -> None:
    store = write_sweep(tmp_path, quick_plan()[:3], [done(), running(8), waiting], state=None, keep_open=True)

    def sample(*gibs: float) -> None:
        store.add_samples([MemorySample(time.time(), "worker:7", int(gib * GIB)) for gib in gibs])

    def peaks(known: History | None) -> History:
        runs = {run.run_id: run for run in known.runs} if known else {}
        return read_history(reader, 1, reader.tiles(1), time.time(), runs)

    with Reader.open(ledger_path(tmp_path)) as reader:
        assert peaks(None).runs[0].host is None
        sample(2, 3, 1)
        first = peaks(None)
        assert [run.host for run in first.runs] == [3 * GIB, 1_500_000_000]
        sample(2)
        assert peaks(first).runs[0].host == 3 * GIB
        # Nobody knows whose worker it is when two are at work.
        running(8)(store, 1, quick_plan()[2])
        assert peaks(first).runs[0].host is None
    store.close()


async def test_the_readings_of_another_ledger_in_its_place_are_not_mixed_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory_view, "SECONDS_BETWEEN_READS", 0.0)
    app = stage(tmp_path, [sampled(lambda: [host(NOW, 8)], done(fresh=True))])
    async with app.run_test(size=(80, 22)) as pilot:
        app.tick()
        await settle(pilot)
        assert "host   ▕" in app.text() and "1.4 GiB" in app.text()
        for file in tmp_path.glob("arena.*"):
            file.unlink()
        write_sweep(tmp_path, quick_plan()[:1], [done(fresh=True)])
        with sqlite3.connect(app.ledger) as connection:
            connection.execute("UPDATE runs SET peak_rss_bytes = NULL")
        connection.close()
        app.tick()
        await settle(pilot)
        assert "host   ▕" not in app.text() and "n/a" in app.text() and "1.4 GiB" not in app.text()


def test_the_newest_runs_are_enough(tmp_path: Path) -> None:
    write_sweep(tmp_path, quick_plan()[:1], [done()])
    with Reader.open(ledger_path(tmp_path)) as reader:
        (tile,) = reader.tiles(1)
    tiles = [tile._replace(run_id=number, updated_at=f"{number:05}") for number in range(1, 1000)]
    kept = newest([*tiles, tile._replace(run_id=None)])
    assert len(kept) == MOST_RUNS and kept[0].run_id == 999
