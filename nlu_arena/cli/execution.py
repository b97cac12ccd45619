"""From a profile to a finished sweep: what `run` and `sweep` have in common."""

from __future__ import annotations

import contextlib
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import typer

from nlu_arena.cli.devices import choose_devices
from nlu_arena.cli.dry_run import show_plan
from nlu_arena.cli.fetching import ensure_weights
from nlu_arena.cli.interruption import Interruption
from nlu_arena.cli.observers import choose_display, open_observers
from nlu_arena.cli.options import Display
from nlu_arena.cli.showing import narrate_end, show, take_snapshot
from nlu_arena.cli.terminal import narrate, show_error, survive_closed_streams
from nlu_arena.errors import ArenaError, ExitCode, NothingToShowError
from nlu_arena.estimate import expected_seconds
from nlu_arena.hardware import Device
from nlu_arena.ledger.queries import Reader
from nlu_arena.ledger.store import Store
from nlu_arena.notices import SweepOutcome
from nlu_arena.paths import ledger_path
from nlu_arena.plan import build_plan
from nlu_arena.profile import Profile
from nlu_arena.registry import load_registry
from nlu_arena.report.folders import export_run, rebuild_missing
from nlu_arena.scheduler import Setting, run_sweep
from nlu_arena.sources import verify_weights, weights_dir, weights_identity
from nlu_arena.spec import Experiment, ModelSpec
from nlu_arena.workers import ProcessWorker, Worker


class Order(NamedTuple):
    """What was asked for on the command line, besides the profile."""

    profile: Profile
    results: Path
    device: str | None = None
    jobs: int = 1
    fresh: bool = False
    dry_run: bool = False
    as_json: bool = False
    display: Display = Display.AUTO


class Work(NamedTuple):
    """A plan, where it runs, and what each step will take in seconds by key."""

    plan: list[Experiment]
    devices: list[Device]
    done: set[str]
    expected: dict[str, float | None]

    @property
    def waiting(self) -> list[Experiment]:
        """Return the experiments that are to be done."""
        return [experiment for experiment in self.plan if experiment.key not in self.done]


def make_worker(device: str, log: Path) -> Worker:
    """Return the worker process of a device, not yet started."""
    return ProcessWorker(device, log=log)


def execute(order: Order) -> None:
    """Do what a profile names, and end with the exit code that says how it went."""
    survive_closed_streams()
    with Interruption() as interruption:
        devices = choose_devices(order.device, order.jobs)
        plan = build_plan(order.profile, load_registry(), devices, weights_identity=weights_identity)
        narrate(describe_data(plan))
        narrate(f"device: {', '.join(f'{device.name} ({device.title})' for device in devices)}")
        ledger = ledger_path(order.results)
        if order.dry_run:
            work = prepare(order, plan, devices, read_done_keys(ledger))
            show_plan(plan, work.done, work.expected, len(devices), order.as_json)
            return
        with Store.open(ledger) as store:
            work = prepare(order, plan, devices, store.done_keys())
            _bring_weights(work.waiting)
            outcome = _sweep(order, work, store, interruption)
        code = _report(order, outcome)
    if code is ExitCode.INTERRUPTED:
        code = interruption.exit_code
    raise typer.Exit(code)


def prepare(order: Order, plan: list[Experiment], devices: list[Device], done: set[str]) -> Work:
    """Find out what is to be done, and what each step took before or will take."""
    history: dict[tuple[str, str, str], float] = {}
    with contextlib.suppress(NothingToShowError), Reader.open(ledger_path(order.results)) as reader:
        history = reader.median_seconds()
    expected = {e.key: expected_seconds(e, history, devices[0]) for e in plan}
    return Work(plan, devices, set() if order.fresh else done, expected)


def read_done_keys(ledger: Path) -> set[str]:
    """Return the keys of all experiments that need not be done again, without making a ledger."""
    try:
        with Reader.open(ledger) as reader:
            return set(reader.done_runs())
    except NothingToShowError:
        return set()


def describe_data(plan: Sequence[Experiment]) -> str:
    """Say where the examples of a plan come from."""
    refs = dict.fromkeys((e.data.source, e.data.location) for e in plan)
    places: dict[str, list[str]] = {}
    for source, location in refs:
        known = places.setdefault(source, [])
        known.append("the small sets of this program (not GLUE)" if source == "starter" else location)
    said = [f"{source}, {', '.join(dict.fromkeys(known))}" for source, known in places.items()]
    return f"data: {'; '.join(said)}"


def _bring_weights(waiting: Sequence[Experiment]) -> None:
    models = {experiment.model.name: experiment.model for experiment in waiting}
    problems = ensure_weights(list(models.values()))
    for problem in problems:
        show_error(problem)
    if problems:
        raise typer.Exit(ExitCode.CANNOT_START)


def _sweep(order: Order, work: Work, store: Store, interruption: Interruption) -> SweepOutcome:
    log = order.results / time.strftime("benchmark_%Y%m%d_%H%M%S.log")
    setting = Setting(
        devices=[device.name for device in work.devices],
        make_worker=lambda device: make_worker(device, log),
        weights_dir=_find_weights,
        results=order.results,
        on_finished=lambda run_id: export_run(order.results, run_id),
    )
    with (
        open_observers(
            work.plan,
            display=choose_display(order.display, order.as_json),
            as_json=order.as_json,
            log=log if work.waiting else None,
            name=order.profile.name,
            expected=work.expected,
            done=work.done,
            interruption=interruption,
        ) as observer,
        interruption.cancellable() as cancel,
    ):
        return run_sweep(
            work.plan,
            store,
            setting,
            observer,
            cancel,
            name=order.profile.name,
            details=_details(order, work),
            fresh=order.fresh,
        )


def _find_weights(model: ModelSpec) -> Path:
    return weights_dir(model) or verify_weights(model)


def _details(order: Order, work: Work) -> dict[str, Any]:
    """Return what a reader of the ledger will want to know of the sweep's origin."""
    # Going on is not beginning anew, and a program's format is not for the person who goes on.
    arguments = [argument for argument in sys.argv[1:] if argument not in ("--fresh", "--json")]
    return {
        "command": shlex.join(["nlu-arena", *arguments]),
        "profile": order.profile.name,
        "data": order.profile.data,
        # Zero-shot has none.
        "seeds": len({e.seed for e in work.plan if e.mode != "zero-shot"}),
        "devices": [device.name for device in work.devices],
        "fresh": order.fresh,
    }


def _report(order: Order, outcome: SweepOutcome) -> ExitCode:
    """Show how the sweep ended and return its exit code."""
    unwritten = dict.fromkeys([*outcome.export_failures, *rebuild_missing(order.results)])
    with Reader.open(ledger_path(order.results)) as reader:
        snapshot = take_snapshot(reader, outcome.sweep)
    if not order.as_json:
        show(snapshot)
    if order.as_json or not sys.stdout.isatty():
        narrate_end(snapshot)
    for failure in unwritten:
        message = f"the results folder of {failure.title} could not be written: {failure.message}"
        show_error(ArenaError(message, failure.hint))
    return ExitCode.FAILED if unwritten and outcome.exit_code is ExitCode.OK else outcome.exit_code
