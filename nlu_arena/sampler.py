"""Memory as a sweep goes on: the host's, each GPU's, and the peak of every worker at work."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import psutil

from nlu_arena.hardware import GpuMonitor, GpuSample, host_memory
from nlu_arena.ledger.store import MemorySample

# Seconds between two rows, between two looks at the workers, and until a GPU's reading is too old for a row.
ROW_EVERY = 1.0
LOOK_EVERY = 0.1
STALE = 5.0


class Sampler:
    """Reads memory in threads of its own; rows are kept here for the thread that writes the ledger.

    A driver may stand still when it is asked: the GPUs have a thread to themselves, and a reading that
    does not come is missing from the rows.
    """

    def __init__(self, open_gpus: Callable[[], GpuMonitor] = GpuMonitor) -> None:
        self._open_gpus = open_gpus
        self._lock = threading.Lock()
        # By the worker's process: its resident memory at the last look, and the largest since `watch`.
        self._resident: dict[int, int | None] = {}
        self._peaks: dict[int, int | None] = {}
        self._rows: list[MemorySample] = []
        self._gpus: list[GpuSample] = []
        self._gpus_at = float("-inf")
        self._end = threading.Event()
        self._memory = threading.Thread(target=self._sample_memory, name="memory", daemon=True)
        self._gpu_memory = threading.Thread(target=self._sample_gpus, name="gpu-memory", daemon=True)

    def __enter__(self) -> Sampler:
        self._memory.start()
        self._gpu_memory.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._memory.join()
        # Not for ever: it may be waiting for the driver.
        self._gpu_memory.join(timeout=0.5)

    def watch(self, pid: int) -> None:
        """Begin a worker's peak for a run: the process's own peak never falls between runs (field P41)."""
        with self._lock:
            self._peaks[pid] = None
        self._look()

    def unwatch(self, pid: int) -> int | None:
        """End a worker's peak.

        Returns:
            the largest resident memory since `watch` in bytes; None when it could not be read.
        """
        self._look()
        with self._lock:
            self._resident.pop(pid, None)
            return self._peaks.pop(pid, None)

    def drain(self) -> list[MemorySample]:
        """Return the rows since the last call."""
        with self._lock:
            rows, self._rows = self._rows, []
        return rows

    def _sample_memory(self) -> None:
        row_due = 0.0
        while not self._end.is_set():
            self._look()
            now = time.monotonic()
            if now >= row_due:
                row_due = now + ROW_EVERY
                self._add_rows(now)
            self._end.wait(LOOK_EVERY)

    def _look(self) -> None:
        """Read the workers' memory once."""
        with self._lock:
            for pid, peak in self._peaks.items():
                now = self._resident[pid] = resident_bytes(pid)
                if now is not None:
                    self._peaks[pid] = max(now, peak or 0)

    def _add_rows(self, now: float) -> None:
        host, at = host_memory(), time.time()
        rows = [MemorySample(at, "host", host.total - host.available, host.total)]
        with self._lock:
            rows += [MemorySample(at, f"worker:{pid}", used) for pid, used in self._resident.items()]
            if now - self._gpus_at < STALE:
                rows += [MemorySample(at, *gpu) for gpu in self._gpus]
            self._rows += rows

    def _sample_gpus(self) -> None:
        with self._open_gpus() as monitor:
            while not self._end.is_set():
                readings = monitor.sample()
                if not readings:
                    return
                with self._lock:
                    self._gpus, self._gpus_at = readings, time.monotonic()
                self._end.wait(ROW_EVERY)


def resident_bytes(pid: int) -> int | None:
    """Return a process's resident memory in bytes, None when it has ended."""
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return None
