"""What is left when the writer is killed in the middle of its work."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from nlu_arena.errors import CannotStartError
from nlu_arena.ledger.queries import Reader
from nlu_arena.ledger.store import Store
from tests.ledger.sweeps import answers, example_set, start

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = 4000
# Commits chunks of 4 answers without an end, and names each one after it is committed.
WRITE = f"""
import sys
from pathlib import Path
from nlu_arena.ledger.store import Store
from tests.ledger.sweeps import answers, example_set, start
store = Store.open(Path(sys.argv[1]))
run = start(store)
store.record(run.run_id, example_set({EXAMPLES}))
for first in range(0, {EXAMPLES}, 4):
    store.record(run.run_id, answers(*range(first, first + 4)))
    print(first, flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("chunks", [1, 40])
def test_a_writer_killed_at_any_moment_loses_no_committed_answer(ledger: Path, chunks: int) -> None:
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", WRITE, str(ledger)]
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        named = [int(process.stdout.readline()) for _ in range(chunks)]
        with pytest.raises(CannotStartError, match=f"process {process.pid} "):
            Store.open(ledger)
        process.send_signal(signal.SIGKILL)
        named += map(int, process.stdout.read().split())
        process.wait()
    committed = named[-1] + 4
    with Reader.open(ledger) as reader:
        assert reader.cells(1)[0].state == "interrupted"
        kept = [p.index for p in reader.predictions(1, "dev")]
    # The last chunk may have been committed, but not named any more.
    assert kept in (list(range(committed)), list(range(committed + 4)))
    with Store.open(ledger) as store, Reader.open(ledger) as reader:
        assert (reader.sweep(1).state, reader.run(1).error) == ("interrupted", "SchedulerDied")
        run = start(store)
        assert run.continued
        assert run.answered == {"dev": kept}
        store.record(run.run_id, example_set(EXAMPLES))
        metrics, _ = store.finish_run(run.run_id, [answers(*range(len(kept), EXAMPLES))])
        assert (metrics.n, metrics.accuracy) == (EXAMPLES, 1)
        assert [p.index for p in reader.predictions(1, "dev")] == list(range(EXAMPLES))
