"""`nlu-arena tui` in a real terminal, against its budgets: start, paint, keys, processor time and memory.

    python -m tests.benchmarks.answers FOLDER          (once: 1,000 runs, 3 million answers)
    python -m tests.benchmarks.screen FOLDER [--parts start,keys,…] [--repeats R] [--updates N --rate N]

FOLDER/small has 12 runs and FOLDER/large 10,000 with 3 million answers: ten copies of each run of
FOLDER/seeds under other models' names, each with a tenth of its answers. The screen is a process of its
own on a pseudo-terminal of 120x40, unless said otherwise; what writes is another process with the real store.
"""

from __future__ import annotations

import argparse
import re
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from nlu_arena import events
from nlu_arena.ledger.store import Store
from nlu_arena.paths import ledger_path
from nlu_arena.spec import Experiment
from tests.benchmarks.screen_ledgers import write_ledgers
from tests.benchmarks.screen_terminal import Terminal, terminal
from tests.views.ledgers import READY

# More than anything is ever counted to: the numbers in the line below the matrix are the writer's.
TOTAL = 9_000_000
FIRST = 1_000_000
FIRST_DATA = re.compile(rb"\xe2\x9c\x93 +\d")
KEYS = {
    "down": b"\x1b[B",
    "up": b"\x1b[A",
    "right": b"\x1b[C",
    "left": b"\x1b[D",
    "page down": b"\x1b[6~",
    "page up": b"\x1b[5~",
    "end": b"\x1b[F",
    "home": b"\x1b[H",
    "v": b"v",
    "m": b"m",
    "esc (all modes)": b"\x1b",
    "space": b" ",
    "/": b"/",
    "b (filter)": b"b",
    "e (filter)": b"e",
    "enter (filter)": b"\r",
    "esc (no filter)": b"\x1b",
    "enter": b"\r",
    "n (next run)": b"n",
    "1": b"1",
    "2": b"2",
    "3": b"3",
    "4": b"4",
    "5": b"5",
    "1 again": b"1",
    "4 again": b"4",
    "5 again": b"5",
    "1 at last": b"1",
    "?": b"?",
    "esc (help)": b"\x1b",
}


@contextmanager
def writing(folder: Path, rate: float, updates: int) -> Iterator[subprocess.Popen[str]]:
    """Let another process write; its output is a line with a number and a time for each commit."""
    command = [sys.executable, "-m", "tests.benchmarks.screen", str(folder), "--write", str(rate)]
    with subprocess.Popen(
        [*command, "--updates", str(updates)], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield process
        finally:
            process.terminate()


def write(folder: Path, rate: float, updates: int) -> None:
    """Begin a new run of the first experiment, and record its progress some times a second."""
    with Store.open(ledger_path(folder)) as store:
        with sqlite3.connect(ledger_path(folder)) as connection:
            query = (
                "SELECT sweep_id, definition FROM sweep_experiments JOIN experiments USING (experiment_id)"
                " ORDER BY sweep_id DESC, position LIMIT 1"
            )
            sweep, definition = connection.execute(query).fetchone()
            connection.execute("UPDATE sweeps SET state = 'running' WHERE sweep_id = ?", (sweep,))
        connection.close()
        run = store.begin_run(sweep, msgspec.json.decode(definition, type=Experiment), READY, fresh=True)
        store.record(run.run_id, events.Progress(phase="train", done=FIRST, total=TOTAL))
        print("ready", flush=True)
        sys.stdin.readline()
        began = time.monotonic()
        for number in range(1, updates + 1):
            time.sleep(max(0.0, began + number / rate - time.monotonic()))
            store.record(run.run_id, events.Progress(phase="train", done=FIRST + number, total=TOTAL))
            print(number, time.monotonic(), flush=True)
        # What is left running when the store closes is no longer shown as running.
        sys.stdin.readline()


def go(writer: subprocess.Popen[str]) -> None:
    """Let the writer begin."""
    assert writer.stdin is not None
    writer.stdin.write("\n")
    writer.stdin.flush()


# ── What is measured ──────────────────────────────────────────────────────────────────────────────────


def measure_start(folder: Path, options: argparse.Namespace) -> None:
    """Print the seconds from the start of the process to the first field on the terminal."""
    for name in ("small", "large"):
        found = []
        for _ in range(options.repeats):
            with terminal(folder / name, 80, 24) as screen:
                found.append(screen.wait_for(FIRST_DATA) - screen.began)
                screen.rest(0.5)
        report(f"start, {name} ledger", found, 0.5)


def measure_paint(folder: Path, options: argparse.Namespace) -> None:
    """Print the seconds from a commit to the number in the terminal, commits a little over a second apart."""
    for name in ("small", "large"):
        found = []
        with writing(folder / name, 0.93, 5 * options.repeats) as writer, terminal(folder / name) as screen:
            screen.wait_for(re.compile(rb"1,000,000/"))
            screen.rest(0.5)
            go(writer)
            assert writer.stdout is not None
            for number in range(1, 5 * options.repeats + 1):
                painted = screen.wait_for(re.compile(rb"%b/" % f"{FIRST + number:,}".encode()))
                found.append(painted - float(writer.stdout.readline().split()[1]))
        report(f"commit to pixels, {name} ledger", found, 0.25)


def measure_idle(folder: Path, options: argparse.Namespace) -> None:
    """Print the share of a processor in 10 s without news."""
    for name in ("small", "large"):
        with terminal(folder / name) as screen:
            screen.wait_for(FIRST_DATA)
            screen.rest()
            shares = [measure_share(screen, 10.0) for _ in range(options.repeats)]
        report(f"idle, share of a processor, {name} ledger", shares, 0.01)


def measure_busy(folder: Path, options: argparse.Namespace) -> None:
    """Print the share of a processor in 10 s while a writer commits five times a second."""
    for name in ("small", "large"):
        seconds = 10 * options.repeats
        with writing(folder / name, 5, 6 * seconds) as writer, terminal(folder / name) as screen:
            screen.wait_for(FIRST_DATA)
            screen.rest()
            go(writer)
            shares = [measure_share(screen, 10.0) for _ in range(options.repeats)]
        report(f"5 commits a second, share, {name} ledger", shares, 0.03)


def measure_keys(folder: Path, options: argparse.Namespace) -> None:
    """Print the seconds from each key to its first paint, on the large ledger; of esc those beyond 100 ms."""
    for columns, rows in ((80, 24), (200, 60)):
        found: dict[str, list[tuple[float, float]]] = {}
        for _ in range(options.repeats):
            with terminal(folder / "large", columns, rows) as screen:
                screen.wait_for(FIRST_DATA)
                screen.rest()
                for name, key in KEYS.items():
                    found.setdefault(name, []).append(screen.press(key))
        for name, pairs in found.items():
            # Textual holds an esc back for 100 ms: it may be the beginning of another key.
            firsts = [max(0.0, first - 0.1) if name.startswith("esc") else first for first, _ in pairs]
            settled = f"; at rest after {1000 * statistics.median(last for _, last in pairs):.0f} ms"
            report(f"key {name}, {columns}x{rows}", firsts, 0.1, settled)


def measure_memory(folder: Path, options: argparse.Namespace) -> None:
    """Print the resident memory along many updates."""
    for name in ("small",):
        with (
            writing(folder / name, options.rate, options.updates) as writer,
            terminal(folder / name) as screen,
        ):
            screen.wait_for(FIRST_DATA)
            screen.rest()
            go(writer)
            part, course = options.updates / options.rate / 10, [screen.memory()]
            for _ in range(10):
                any(False for _ in screen.read(part))
                course.append(screen.memory())
        print(f"memory over {options.updates} updates at {options.rate:.0f}/s, {name} ledger, MiB:", end=" ")
        print(*(f"{one:.1f}" for one in course), flush=True)


def measure_share(screen: Terminal, seconds: float) -> float:
    """Return the processor time of a while by its length."""
    began, used = time.monotonic(), screen.processor_seconds()
    any(False for _ in screen.read(seconds))
    return (screen.processor_seconds() - used) / (time.monotonic() - began)


def report(what: str, found: Sequence[float], limit: float, more: str = "") -> None:
    """Print a median, the worst, and whether the budget was kept."""
    middle, worst = statistics.median(found), max(found)
    verdict = "ok" if worst < limit else "above at times" if middle < limit else "TOO MUCH"
    scale, unit = (1000.0, "ms") if limit >= 0.1 else (100.0, "%")
    print(
        f"{what:<46} median {middle * scale:6.2f} {unit}, worst {worst * scale:6.2f} {unit} of {len(found)}"
        f"  {verdict}{more}",
        flush=True,
    )


def main() -> None:
    """Make the ledgers where they are missing, and measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--parts", default="start,paint,idle,busy,keys")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--updates", type=int, default=18_000)
    parser.add_argument("--rate", type=float, default=50.0)
    parser.add_argument("--write", type=float, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.write is not None:
        write(options.folder, options.write, options.updates)
        return
    write_ledgers(options.folder)
    for part in options.parts.split(","):
        PARTS[part](options.folder, options)


PARTS: dict[str, Callable[[Path, argparse.Namespace], None]] = {
    "start": measure_start,
    "paint": measure_paint,
    "idle": measure_idle,
    "busy": measure_busy,
    "keys": measure_keys,
    "memory": measure_memory,
}

if __name__ == "__main__":
    main()
