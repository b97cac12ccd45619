"""What the ledger takes and gives besides events: the rows of sweeps, runs and cells."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import msgspec

from nlu_arena.alarms import Alarms, recorded_alarms
from nlu_arena.dataref import TRAIN
from nlu_arena.metrics import Metrics
from nlu_arena.spec import Experiment, Family, Mode, Subset

RunState = Literal["running", "done", "failed", "interrupted"]
CellState = Literal["waiting", "running", "done", "failed", "interrupted"]
SweepState = Literal["running", "done", "failed", "interrupted"]
ControlAction = Literal["stop", "retry"]


class RunStart(NamedTuple):
    """A run that begins or goes on: `folder` is its name inside the results folder.

    A continued run has `answered`: for each split the indices that are predicted already; `fingerprint`:
    that of the examples of its first split; `recorded_steps`: how far its training curve is known; and
    `finished_phases`. A new one may have `set_aside`: why an interrupted run before it is not continued.
    """

    run_id: int
    folder: str
    answered: dict[str, list[int]]
    fingerprint: str
    continued: bool
    recorded_steps: int = 0
    finished_phases: tuple[str, ...] = ()
    set_aside: str = ""


class RunEnd(NamedTuple):
    """How good a finished run is: the metrics of its first split, the alarms of each split."""

    metrics: Metrics
    alarms: dict[str, Alarms]


class MemorySample(NamedTuple):
    """One reading of memory: `source` is "host", a device ("cuda:0") or "worker:<pid>".

    `at` is in seconds since 1970, memory in bytes, utilisation in percent; None where there is no reading.
    """

    at: float
    source: str
    used_bytes: int | None
    total_bytes: int | None = None
    utilisation: int | None = None


class ControlRequest(NamedTuple):
    """What a screen asks of the running sweep; `key` is the experiment's for "retry"."""

    request_id: int
    action: ControlAction
    key: str


class SweepRow(msgspec.Struct, frozen=True, kw_only=True):
    """One sweep; a sweep whose scheduler was killed is "interrupted"."""

    id: int
    name: str
    state: SweepState
    started_at: str
    finished_at: str | None
    details: dict[str, Any]


class Tile(NamedTuple):
    """One experiment of a sweep, with as little of its run as a matrix of thousands needs: see Cell.

    `title` is the model's; `variant` says what else than model, task, mode and seed sets the experiment apart
    ("train 96", "4 shots · template plain"), empty for nothing. Of the numbers, accuracy and majority are
    those of the first dev split, `seconds` and `peak_bytes` (of resident memory) what the run has taken so
    far; None where there is none. `alarms` are the short names of those of any split, `error` and `message`
    why a run has no result, `rev` is 0 without a run.
    """

    position: int
    key: str
    model: str
    title: str
    family: Family
    quantisation: str
    task: str
    mode: Mode
    variant: str
    seed: int
    state: CellState
    run_id: int | None = None
    rev: int = 0
    accuracy: float | None = None
    majority: float | None = None
    seconds: float | None = None
    peak_bytes: int | None = None
    phase: str = ""
    done: int = 0
    total: int = 0
    updated_at: str = ""
    error: str = ""
    message: str = ""
    alarms: tuple[str, ...] = ()


class SplitRow(NamedTuple):
    """A dev split of a run and the fingerprint of its examples."""

    split: str
    fingerprint: str
    n: int


class PhaseRow(NamedTuple):
    """A timed part of a run; a continued run can have a phase more than once."""

    phase: str
    seconds: float
    finished_at: str


class PointRow(NamedTuple):
    """One point of a training curve."""

    name: str
    step: int
    epoch: float
    value: float


class LogRow(NamedTuple):
    """One line that a run's worker wrote for the log."""

    at: str
    level: str
    text: str


class ArtifactRow(NamedTuple):
    """A file or folder that a run has completely written, relative to the run's folder."""

    kind: str
    path: str


class RunRow(msgspec.Struct, frozen=True, kw_only=True):
    """One run with everything that is known of it.

    `seconds` is the time it was worked on, without the time it lay interrupted. `metrics` are those of its
    first split, `calibrated` those of the content-free-calibrated scores where there are any.
    """

    run_id: int
    rev: int
    key: str
    sweep_id: int
    attempt: int
    state: RunState
    folder: str
    experiment: Experiment
    device_kind: str
    threads: int
    code_version: str
    environment: dict[str, Any]
    started_at: str
    updated_at: str
    finished_at: str | None
    seconds: float
    stretches: int
    phase: str
    done: int
    total: int
    peak_rss_bytes: int | None
    metrics: Metrics | None
    by_split: dict[str, Metrics]
    calibrated: dict[str, Metrics]
    facts: dict[str, Any]
    error: str
    message: str
    hint: str
    traceback: str

    @property
    def warnings(self) -> list[str]:
        """Return what a reader of the numbers must know."""
        return list(self.facts.get("warnings", []))

    @property
    def alarms(self) -> dict[str, Alarms]:
        """Return what is suspicious about the numbers, by split."""
        return recorded_alarms(self.facts, self.by_split)


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One experiment of a sweep, in the sweep's order, with the run that stands for it.

    That is the sweep's own newest run, or the finished run of an earlier sweep that it took over. A cell
    without a run is waiting: numbers are None, `seconds` too. `published` names the splits that the run has
    compared its data with, empty where it has not; `data_differences` says by split what is not as there.
    Cells of one `setting` differ in nothing but the seed, those of one `curve` also in how many rows they
    train on at most; `settings` has those of its training, and its precision, by name. `fingerprints` has
    those of the examples by split, `alarms` what is suspicious by split. `template` names the variant of the
    prompt, empty for the task's own; `size` is the count of the model's weights; `train_rows` is how many
    labelled examples it has seen: those of training, or the ones in its prompt. Of its cost: the median
    milliseconds of a call by batch size, answers a second in the evaluation, the time that training took, how
    many weights it trained, the peaks of memory, and on which `device`.
    """

    key: str
    model: str
    title: str
    aliases: tuple[str, ...]
    family: Family
    size: int
    task: str
    mode: Mode
    seed: int
    position: int
    state: CellState
    data_source: str
    weights_source: str
    quantisation: str
    subset: Subset
    shots: int
    template: str
    setting: str
    curve: str
    settings: dict[str, int | float | str] = {}
    labels: tuple[str, ...]
    metrics: Metrics | None = None
    by_split: dict[str, Metrics] = {}
    majority: float | None = None
    n: int | None = None
    interval: tuple[float, float] | None = None
    seconds: float | None = None
    peak_rss_bytes: int | None = None
    phase: str = ""
    done: int = 0
    total: int = 0
    started_at: str | None = None
    updated_at: str | None = None
    error: str = ""
    message: str = ""
    hint: str = ""
    run_id: int | None = None
    folder: str = ""
    warnings: list[str] = []
    published: str = ""
    data_differences: dict[str, str] = {}
    alarms: dict[str, Alarms] = {}
    fingerprints: dict[str, str] = {}
    train_rows: int | None = None
    device: str = ""
    call_ms: dict[int, float] = {}
    examples_per_second: float | None = None
    train_seconds: float | None = None
    trainable_parameters: int | None = None
    device_peak_bytes: int | None = None

    def is_published(self, split: str) -> bool | None:
        """Say whether the number on a split comes from the published splits, None where nothing tells.

        Other training rows than the published ones change the number on every split; the empty name is for
        all.
        """
        if not self.published:
            return None
        differences = self.data_differences
        return differences.keys().isdisjoint((TRAIN, split)) if split else not differences
