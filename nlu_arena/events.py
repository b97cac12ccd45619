"""What a worker can hear and say: one JSON object a line, both ways."""

from __future__ import annotations

from typing import Any

import msgspec

from nlu_arena.spec import Example, Experiment, Prediction


class Message(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="type"):
    """The base of everything that crosses the pipe; the class name is the tag."""


# ── From the scheduler ────────────────────────────────────────────────────────────────────────────────


class Assign(Message, frozen=True):
    """Do one experiment. The worker answers with events, then with Finished, Failed or Stopped.

    `folder` is the run's folder (absolute). `answered` holds, for each split, the indices that an
    interrupted attempt has already predicted; `fingerprint` is that attempt's, empty on a new run. Of its
    training, the curve is recorded up to `recorded_steps`, and the phases of `finished_phases` as a whole.
    """

    experiment: Experiment
    weights_dir: str
    folder: str
    answered: dict[str, list[int]] = {}
    fingerprint: str = ""
    recorded_steps: int = 0
    finished_phases: list[str] = []


class Stop(Message, frozen=True):
    """End the current experiment at the next batch, keeping what is done; the worker answers Stopped."""


class Open(Message, frozen=True):
    """Load the model of a finished run, to label other texts with it. The worker answers with Opened.

    `folder` is the run's folder (absolute); `shots` are the examples that the run's prompts showed.
    """

    experiment: Experiment
    weights_dir: str
    folder: str
    shots: list[Example] = []


class Label(Message, frozen=True):
    """Label these texts, whose own labels have no meaning, with the opened model: answered with Labelled."""

    rows: list[Example]


# ── From the worker ───────────────────────────────────────────────────────────────────────────────────


class Ready(Message, frozen=True):
    """The worker is up. `environment` has the device's name, threads, package versions, code version."""

    device_kind: str
    threads: int
    code_version: str
    environment: dict[str, Any]


class PhaseStarted(Message, frozen=True):
    """A timed part of the run begins; phases do not nest."""

    phase: str


class PhaseFinished(Message, frozen=True):
    """A timed part of the run has ended."""

    phase: str
    seconds: float


class Progress(Message, frozen=True):
    """How far a phase is: `done` of `total` examples."""

    phase: str
    done: int
    total: int


class MetricPoint(Message, frozen=True):
    """One point of a training curve: loss, lr, or held-out accuracy at an optimiser step."""

    step: int
    epoch: float
    name: str
    value: float


class ExampleSet(Message, frozen=True):
    """A dev split as the run reads it. The fingerprint hashes the ordered texts and label names."""

    split: str
    fingerprint: str
    examples: list[Example]


class Predictions(Message, frozen=True):
    """The answers of whole batches of one split: committed together."""

    split: str
    rows: list[Prediction]


class Saved(Message, frozen=True):
    """The training is on the disk up to a step: whatever happens, it goes on from there."""

    step: int


class Facts(Message, frozen=True):
    """Named findings of the run (cost, memory, prompt, counts), merged into those already recorded."""

    facts: dict[str, Any]


class Artifact(Message, frozen=True):
    """A file or folder that the run has completely written, relative to the run's folder."""

    kind: str
    path: str


class Log(Message, frozen=True):
    """A line for the log; level is "info" or "warning"."""

    level: str
    text: str


class Opened(Message, frozen=True):
    """The run's model is loaded; from now on the worker labels until its input closes."""


class Labelled(Message, frozen=True):
    """The answers to one Label: each row's natural log-probabilities in the order of the task's labels.

    `shortened` counts the texts that were longer than the model reads, and were cut.
    """

    scores: list[list[float]]
    shortened: int = 0


class Finished(Message, frozen=True):
    """The experiment is done; every prediction has been sent."""


class Failed(Message, frozen=True):
    """The experiment ended in an error; the worker lives on and takes the next one."""

    error: str
    message: str
    hint: str = ""
    traceback: str = ""


class Stopped(Message, frozen=True):
    """The experiment was stopped at a batch boundary; it can be continued."""


Command = Assign | Stop | Open | Label
Event = (
    Ready
    | PhaseStarted
    | PhaseFinished
    | Progress
    | MetricPoint
    | ExampleSet
    | Predictions
    | Saved
    | Facts
    | Artifact
    | Log
    | Opened
    | Labelled
    | Finished
    | Failed
    | Stopped
)

encode = msgspec.json.Encoder().encode
decode_event = msgspec.json.Decoder(Event).decode
decode_command = msgspec.json.Decoder(Command).decode
