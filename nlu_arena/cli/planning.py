"""What was asked for on the command line becomes a plan, and the work that is left of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from nlu_arena.cli.devices import choose_devices
from nlu_arena.cli.options import Display
from nlu_arena.cli.terminal import narrate
from nlu_arena.errors import CannotStartError, NothingToShowError, OlderLedgerError
from nlu_arena.estimate import expected_seconds
from nlu_arena.hardware import Device
from nlu_arena.ledger.queries import Reader, Timing
from nlu_arena.paths import ledger_path
from nlu_arena.plan import Subject, build_plan
from nlu_arena.profile import Profile
from nlu_arena.rate import Rates
from nlu_arena.registry import load_registry
from nlu_arena.sources import weights_identity
from nlu_arena.spec import Experiment, LocalWeights, TaskSpec
from nlu_arena.views.figures import format_estimate


class Order(NamedTuple):
    """What was asked for on the command line, besides the profile; `own_task` is made from a file."""

    profile: Profile
    results: Path
    models_dir: Path | None = None
    device: str | None = None
    jobs: int = 1
    fresh: bool = False
    dry_run: bool = False
    skip_unavailable: bool = False
    as_json: bool = False
    display: Display = Display.AUTO
    own_task: TaskSpec | None = None


class Work(NamedTuple):
    """A plan, where it runs, and what each step will take in seconds by key.

    `absent` holds the models and tasks that could not be planned, `left_out` says what was dropped and why.
    Where the ledger has no times, they follow the device's measured rates or those of a usual one.
    """

    plan: list[Experiment]
    devices: list[Device]
    absent: Mapping[Subject, CannotStartError] = {}
    done: frozenset[str] = frozenset()
    expected: Mapping[str, float | None] = {}
    is_measured: bool = False
    left_out: tuple[str, ...] = ()

    @property
    def waiting(self) -> list[Experiment]:
        """Return the experiments that are to be done."""
        return [experiment for experiment in self.plan if experiment.key not in self.done]

    @property
    def expected_total(self) -> float | None:
        """Return the seconds that all waiting experiments will take, None where one is not known."""
        known = [self.expected.get(experiment.key) for experiment in self.waiting]
        seconds = [value for value in known if value is not None]
        return sum(seconds) / len(self.devices) if len(seconds) == len(known) else None

    @property
    def expected_text(self) -> str:
        """Say how long all waiting experiments will take, and what that rests on."""
        if self.expected_total is None:
            return "not known"
        basis = "this device's measured rate" if self.is_measured else "the rate of a usual device"
        return f"{format_estimate(self.expected_total)} by {basis} and earlier runs"

    def without(self, blocked: Iterable[Experiment], reasons: Iterable[str]) -> Work:
        """Return the work without some experiments."""
        keys = {experiment.key for experiment in blocked}
        plan = [experiment for experiment in self.plan if experiment.key not in keys]
        return self._replace(plan=plan, left_out=(*self.left_out, *reasons))


def plan_work(order: Order, *, tolerant: bool = False) -> Work:
    """Plan what an order names, and say where its data and weights come from.

    Args:
        order: what was asked for.
        tolerant: note what should be here and is not, instead of raising it.
    """
    devices = choose_devices(order.device, order.jobs)
    registry = load_registry().with_task(order.own_task).with_copies(order.models_dir)
    absent: dict[Subject, CannotStartError] = {}
    plan = build_plan(
        order.profile,
        registry,
        devices,
        weights_identity=weights_identity,
        absent=absent if tolerant else None,
    )
    if plan:
        narrate(describe_data(plan))
    narrate(f"device: {', '.join(f'{device.name} ({device.title})' for device in devices)}")
    if order.models_dir is not None:
        narrate(_describe_copies(plan, order.models_dir))
    return Work(plan, devices, absent)


def expect(order: Order, work: Work, done: Iterable[str], rates: Rates | None = None) -> Work:
    """Find out what is done already, and what each step took before or will take."""
    # By what makes runs alike: a long history is not searched again for each experiment.
    history: dict[tuple[str, str, str], list[Timing]] = {}
    with _open_ledger(ledger_path(order.results)) as reader:
        for timing in reader.median_seconds() if reader else ():
            history.setdefault(_kind_of(timing.experiment), []).append(timing)
    expected = {
        e.key: expected_seconds(e, history.get(_kind_of(e), ()), work.devices[0], rates) for e in work.plan
    }
    return work._replace(
        done=frozenset() if order.fresh else frozenset(done), expected=expected, is_measured=rates is not None
    )


def _kind_of(experiment: Experiment) -> tuple[str, str, str]:
    return experiment.model.name, experiment.task.name, experiment.mode


def read_done_keys(ledger: Path) -> set[str]:
    """Return the keys of all experiments that need not be done again, without making a ledger.

    Raises:
        OlderLedgerError: What is done is not seen before the ledger is migrated.
    """
    with _open_ledger(ledger) as reader:
        return set(reader.done_runs()) if reader else set()


@contextmanager
def _open_ledger(ledger: Path) -> Iterator[Reader | None]:
    """Open a ledger for reading, None where it has nothing yet."""
    try:
        reader = Reader.open(ledger)
    except OlderLedgerError:
        raise
    except NothingToShowError:
        yield None
        return
    with reader:
        yield reader


def describe_data(plan: Sequence[Experiment]) -> str:
    """Say where the examples of a plan come from."""
    places: dict[str, dict[str, None]] = {}
    for experiment in plan:
        source, location = experiment.data.source, experiment.data.location
        if source == "starter":
            location = "the small sets of this program (not GLUE)"
        elif source == "hub":
            # Without the configuration: each task has its own of one data set.
            location = location.rpartition("/")[0]
        elif source == "file" and experiment.task.data.file is not None:
            location = str(Path(location, experiment.task.data.file.train))
        places.setdefault(source, {})[location] = None
    return f"data: {'; '.join(', '.join([source, *known]) for source, known in places.items())}"


def _describe_copies(plan: Sequence[Experiment], folder: Path) -> str:
    """Say which models are read from a models folder, and which of the plan have no copy there."""
    models = {e.model.name: e.model for e in plan}
    places = {n: m.weights.path for n, m in models.items() if isinstance(m.weights, LocalWeights)}
    copies = [f"{name} from {path}" for name, path in places.items()]
    others = [name for name in models if name not in places]
    elsewhere = f"; no copy of {', '.join(others)} in {folder}: from their own source" if others else ""
    return f"weights: {', '.join(copies) or 'no copies'}{elsewhere}"
