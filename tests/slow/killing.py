"""Sweeps that are killed: at which moments, whom, and what must be true after each blow."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Literal, NamedTuple

from nlu_arena.errors import CannotStartError, NothingToShowError
from nlu_arena.ledger.queries import Reader
from nlu_arena.ledger.rows import RunRow
from nlu_arena.paths import CHECKPOINT, UNUSABLE_CHECKPOINT, ledger_path
from tests.slow.desks import Desk, Sweep, all_end_within

Phase = Literal["train", "evaluate"]
Victim = Literal["scheduler", "worker", "both"]

# How long a worker may live without its scheduler, in seconds.
GRACE = 5.0
# How often the ledger is asked, and how long a moment may let us wait, in seconds.
POLL = 0.03
PATIENCE = 300.0


class Blow(NamedTuple):
    """Who is killed in which phase of which experiment (model/task/mode)."""

    experiment: str
    phase: Phase
    victim: Victim


class Moment(NamedTuple):
    """When a blow falls: the share of the phase's examples that are done, and some seconds later."""

    blow: Blow
    share: float
    delay: float


class Hit(NamedTuple):
    """A blow that has fallen; `step` is that of the newest checkpoint in the run's folder, 0 without one."""

    blow: Blow
    folder: str
    step: int


def draw_moments(blows: Sequence[Blow], seed: int) -> list[Moment]:
    """Return a random moment for each blow; those on one phase of an experiment come one after the other."""
    generator = random.Random(f"kills/{seed}")
    phases = Counter((blow.experiment, blow.phase) for blow in blows)
    struck: Counter[tuple[str, Phase]] = Counter()
    moments = []
    for blow in blows:
        place = (blow.experiment, blow.phase)
        # The last third is left out: a blow that falls some time later must still find the phase.
        share = 2 / 3 * (struck[place] + generator.random()) / phases[place]
        # Long enough to fall into the middle of whatever is written next: a chunk, a checkpoint.
        moments.append(Moment(blow, share, generator.uniform(0, 0.2)))
        struck[place] += 1
    return moments


def sweep_under_fire(desk: Desk, results: Path, moments: Sequence[Moment]) -> list[Hit]:
    """Sweep to a good end, killed at every moment; without its scheduler the sweep is started again."""
    watch, hits = Watch(results), []
    with ExitStack() as sweeps:
        sweep = sweeps.enter_context(desk.start_sweep(results))
        for moment in moments:
            hits.append(watch.hit(sweep, moment))
            if sweep.has_ended:
                sweep = sweeps.enter_context(desk.start_sweep(results))
        watch.wait_for_end(sweep)
        assert sweep.exit_code == 0, sweep.read_narration()
    return hits


class Watch:
    """Looks at what sweeps write into a results folder, and strikes when it is time.

    While it looks, no training may fall behind a checkpoint that it once had, unless that was set aside as
    unusable: it would have begun again.
    """

    def __init__(self, results: Path) -> None:
        self._results = results
        # How many stretches a run had when it was struck: what the ledger says of that stretch is old.
        self._struck: dict[int, int] = {}
        self._steps: Counter[str] = Counter()

    def hit(self, sweep: Sweep, moment: Moment) -> Hit:
        """Wait for a moment and strike."""
        run = self.wait_for(sweep, moment)
        strike(sweep, moment.blow.victim)
        self._struck[run.run_id] = run.stretches
        return Hit(moment.blow, run.folder, self._steps[run.folder])

    def wait_for(self, sweep: Sweep, moment: Moment) -> RunRow:
        """Return the run that is to be struck, when it is time."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and not sweep.has_ended:
            run = self._find(moment)
            if run is not None and run.total > 0 and run.done >= moment.share * run.total:
                time.sleep(moment.delay)
                assert self._find(moment) is not None, f"{moment} has passed by"
                return run
            time.sleep(POLL)
        raise AssertionError(f"{moment} never came\n{sweep.read_narration()}")

    def wait_for_end(self, sweep: Sweep) -> None:
        """Wait until a sweep has ended by itself."""
        until = time.monotonic() + PATIENCE
        while not sweep.has_ended:
            assert time.monotonic() < until, f"the sweep does not end\n{sweep.read_narration()}"
            self._look_at_checkpoints()
            time.sleep(POLL)

    def _find(self, moment: Moment) -> RunRow | None:
        """Return the moment's experiment as it runs now, None in another phase."""
        self._look_at_checkpoints()
        try:
            with Reader.open(ledger_path(self._results)) as reader:
                runs = reader.changed_since(0)
        except (NothingToShowError, CannotStartError):
            # It is being made: there is none yet, or not all of its tables.
            return None
        wanted = (moment.blow.experiment, moment.blow.phase, "running")
        found = (run for run in runs if (run.experiment.title, run.phase, run.state) == wanted)
        return next((run for run in found if run.stretches > self._struck.get(run.run_id, 0)), None)

    def _look_at_checkpoints(self) -> None:
        for folder in self._results.glob(f"*/{CHECKPOINT}"):
            run, step = folder.parent.name, _newest_step(folder)
            if step and not folder.with_name(UNUSABLE_CHECKPOINT).exists():
                assert step >= self._steps[run], f"{run} trains again what its checkpoint had"
                self._steps[run] = step


def _newest_step(checkpoint: Path) -> int:
    """Return the step of the checkpoint that its record names, 0 where there is none that can be read."""
    try:
        file: str = json.loads((checkpoint / "checkpoint.json").read_bytes())["file"]
    except (OSError, ValueError):
        return 0
    return int(Path(file).stem.rpartition("_")[2])


def strike(sweep: Sweep, victim: Victim) -> None:
    """Kill with signal 9; what is left must end by itself in time, or go on where the scheduler lives."""
    family, worker = sweep.family(), sweep.worker()
    if victim == "worker":
        sweep.kill(worker.pid)
        assert all_end_within([worker], GRACE)
        return
    sweep.kill(sweep.process.pid, *([worker.pid] if victim == "both" else []))
    assert all_end_within(family, GRACE), "a worker outlives its scheduler"
    sweep.process.wait()
    assert sweep.family() == [], "a process that was started in the last moment lives on"
