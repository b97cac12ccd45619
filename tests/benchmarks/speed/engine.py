"""Our side: an experiment done by its mode, as a worker does it for `run`.

The mode is called with its context and all its checks, its events are encoded as for the scheduler, and the
clock runs from the call to its return: what lies between two phases counts too. Left out is what the other
side does not do either: reading the files (the examples are in memory) and the latency probe.
"""

from __future__ import annotations

import tempfile
import threading
import time
from contextlib import ExitStack
from typing import NamedTuple
from unittest.mock import patch

from nlu_arena import events
from nlu_arena.modes import finetune, lora, prompting
from nlu_arena.modes.context import RunContext, Session
from tests.benchmarks.speed.case import Case

MODES = {"fine-tune": finetune, "lora": lora, "zero-shot": prompting, "few-shot": prompting}
# The names of the figures: all of it, what comes before the scoring of a training, and the phases that are
# compared apart.
WHOLE, SAVED, TRAIN, SCORE = "whole", "saved", "train", "score"
PHASES = {"train": TRAIN, "evaluate": SCORE}


class Done(NamedTuple):
    """What an experiment took, in seconds by the names of the figures, and what it answered."""

    spans: dict[str, float]
    predicted: list[int]


def run_mode(case: Case, session: Session) -> Done:
    """Do an experiment; the session keeps the decoder and the tokenizer between calls as a worker's does."""
    spans: dict[str, float] = {}
    answers: dict[int, int] = {}

    def hear(event: events.Event) -> None:
        events.encode(event)
        if isinstance(event, events.PhaseFinished):
            if event.phase == "save":
                spans[SAVED] = time.perf_counter() - began
            elif event.phase in PHASES:
                spans[PHASES[event.phase]] = event.seconds
        if isinstance(event, events.Predictions):
            answers.update((row.index, row.predicted) for row in event.rows)

    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        for module in (finetune, prompting):
            stack.enter_context(patch.object(module, "read_examples", lambda _: case.data))
            stack.enter_context(patch.object(module, "probe_latency", lambda *_: {}))
        assign = events.Assign(experiment=case.experiment, weights_dir=str(case.folder), folder=folder)
        context = RunContext(assign, session, hear, threading.Event())
        began = time.perf_counter()
        MODES[case.experiment.mode].run(context)
        spans[WHOLE] = time.perf_counter() - began
    return Done(spans, [answers[index] for index in range(len(case.dev))])
