"""Our side: an experiment done by its mode, as a worker does it for `run`.

The mode is called with its context and all its checks; its events are encoded as for the scheduler, and its
own phases are the clock. Left out are what the other side does not do either: reading the files (the examples
are in memory) and the latency probe.
"""

from __future__ import annotations

import tempfile
import threading
from contextlib import ExitStack
from typing import NamedTuple
from unittest.mock import patch

from nlu_arena import events
from nlu_arena.modes import finetune, lora, prompting
from nlu_arena.modes.context import RunContext, Session
from tests.benchmarks.speed.case import Case

MODES = {"fine-tune": finetune, "lora": lora, "zero-shot": prompting, "few-shot": prompting}
# The names of the figures: all of it, and the phase that is compared apart.
WHOLE, TRAIN, SCORE = "whole", "train", "score"


class Done(NamedTuple):
    """What an experiment took, and what it answered."""

    phases: dict[str, float]
    predicted: list[int]

    @property
    def spans(self) -> dict[str, float]:
        """Return the seconds of all of it, of its training and of its scoring."""
        whole = sum(self.phases.values())
        return {WHOLE: whole, TRAIN: self.phases.get("train", 0.0), SCORE: self.phases["evaluate"]}


def run_mode(case: Case, session: Session) -> Done:
    """Do an experiment; the session keeps the decoder and the tokenizer between calls as a worker's does."""
    phases: dict[str, float] = {}
    answers: dict[int, int] = {}

    def hear(event: events.Event) -> None:
        events.encode(event)
        if isinstance(event, events.PhaseFinished) and event.phase != "latency":
            phases[event.phase] = phases.get(event.phase, 0.0) + event.seconds
        if isinstance(event, events.Predictions):
            answers.update((row.index, row.predicted) for row in event.rows)

    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        for module in (finetune, prompting):
            stack.enter_context(patch.object(module, "read_examples", lambda _: case.data))
            stack.enter_context(patch.object(module, "probe_latency", lambda *_: {}))
        assign = events.Assign(experiment=case.experiment, weights_dir=str(case.folder), folder=folder)
        MODES[case.experiment.mode].run(RunContext(assign, session, hear, threading.Event()))
    return Done(phases, [answers[index] for index in range(len(case.dev))])
