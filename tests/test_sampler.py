from __future__ import annotations

import subprocess
import sys
import threading

from nlu_arena.hardware import GpuMonitor, GpuSample
from nlu_arena.ledger.store import MemorySample
from nlu_arena.sampler import Sampler, resident_bytes
from tests.toys import wait_for

MIB = 1024**2
# Grows by 64 MiB, says so, then shrinks when asked to.
GROW = """
import sys
block = bytearray(b"x" * (64 << 20))
print("grown", flush=True)
sys.stdin.readline()
del block
print("shrunk", flush=True)
sys.stdin.readline()
"""


class NoGpus(GpuMonitor):
    def __init__(self) -> None:
        self._is_open = False

    def sample(self) -> list[GpuSample]:
        return []


class TwoGpus(NoGpus):
    def sample(self) -> list[GpuSample]:
        return [GpuSample("cuda:0", 5 * MIB, 9 * MIB, 70), GpuSample("cuda:1", None, None, None)]


class StuckDriver(NoGpus):
    def sample(self) -> list[GpuSample]:
        threading.Event().wait()
        return []


def test_a_peak_is_that_of_one_run_even_when_the_process_was_larger_before() -> None:
    sampler = Sampler(NoGpus)
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", GROW], stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()
        sampler.watch(process.pid)
        process.stdin.write("\n")
        process.stdin.flush()
        process.stdout.readline()
        first = sampler.unwatch(process.pid)
        sampler.watch(process.pid)
        second = sampler.unwatch(process.pid)
        process.stdin.close()
    assert first is not None
    assert second is not None
    assert first > 64 * MIB
    assert second < first - 32 * MIB


def test_the_peak_is_kept_after_the_worker_has_died() -> None:
    sampler = Sampler(NoGpus)
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    sampler.watch(process.pid)
    process.kill()
    process.wait()
    assert resident_bytes(process.pid) is None
    assert sampler.unwatch(process.pid)


def test_a_worker_that_could_not_be_read_has_no_peak_rather_than_0() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    sampler = Sampler(NoGpus)
    sampler.watch(process.pid)
    assert sampler.unwatch(process.pid) is None


def rows_until(sampler: Sampler, source: str) -> list[MemorySample]:
    """Let the sampler work until it has a row of a source."""
    rows: list[MemorySample] = []

    def has_come() -> bool:
        rows.extend(sampler.drain())
        return any(row.source == source for row in rows)

    with sampler:
        wait_for(has_come)
    return rows


def test_rows_tell_of_the_host_the_watched_workers_and_each_gpu() -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    sampler = Sampler(TwoGpus)
    sampler.watch(process.pid)
    rows = rows_until(sampler, "cuda:0")
    process.kill()
    process.wait()
    by_source = {row.source: row for row in rows}
    assert set(by_source) == {"host", f"worker:{process.pid}", "cuda:0", "cuda:1"}
    assert by_source["cuda:0"][2:] == (5 * MIB, 9 * MIB, 70)
    assert by_source["cuda:1"][2:] == (None, None, None)
    host = by_source["host"]
    assert host.used_bytes is not None
    assert host.total_bytes is not None
    assert 0 < host.used_bytes < host.total_bytes
    assert sampler.drain() == []


def test_a_driver_that_does_not_answer_holds_nothing_up() -> None:
    assert {row.source for row in rows_until(Sampler(StuckDriver), "host")} == {"host"}
