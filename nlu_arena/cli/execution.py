"""From a profile to a finished sweep: what `run` and `sweep` have in common."""

from __future__ import annotations

import shlex
import sys
import time
from pathlib import Path
from typing import Any

import typer

from nlu_arena.cli.checking import make_ready
from nlu_arena.cli.dry_run import show_plan
from nlu_arena.cli.interruption import Interruption
from nlu_arena.cli.observers import choose_display, open_observers
from nlu_arena.cli.planning import Order, Work, expect, plan_work, read_done_keys
from nlu_arena.cli.showing import narrate_end, show, take_snapshot
from nlu_arena.cli.terminal import show_error, survive_closed_streams
from nlu_arena.errors import ArenaError, ExitCode
from nlu_arena.ledger.store import Store
from nlu_arena.notices import SweepOutcome
from nlu_arena.paths import checkpoint_seconds, ledger_path
from nlu_arena.report.folders import export_run, rebuild_missing
from nlu_arena.scheduler import Setting, run_sweep
from nlu_arena.sources import verify_weights, weights_dir
from nlu_arena.spec import ModelSpec
from nlu_arena.workers import ProcessWorker, Worker


def make_worker(device: str, log: Path) -> Worker:
    """Return the worker process of a device, not yet started."""
    return ProcessWorker(device, log=log)


def execute(order: Order) -> None:
    """Do what a profile names, and end with the exit code that says how it went."""
    survive_closed_streams()
    # The workers read it: what is wrong with it is said before any of them starts.
    checkpoint_seconds()
    with Interruption() as interruption:
        ledger = ledger_path(order.results)
        if order.dry_run:
            work = plan_work(order)
            work = expect(order, work, read_done_keys(ledger))
            show_plan(work, order.as_json)
            return
        work = plan_work(order, tolerant=True)
        with Store.open(ledger) as store:
            work = make_ready(order, expect(order, work, store.done_keys()))
            outcome = _sweep(order, work, store, interruption)
        code = _report(order, outcome)
    if code is ExitCode.INTERRUPTED:
        code = interruption.exit_code
    raise typer.Exit(code)


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
            done=set(work.done),
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
        "left_out": list(work.left_out),
    }


def _report(order: Order, outcome: SweepOutcome) -> ExitCode:
    """Show how the sweep ended and return its exit code."""
    unwritten = dict.fromkeys([*outcome.export_failures, *rebuild_missing(order.results)])
    snapshot = take_snapshot(ledger_path(order.results), outcome.sweep)
    if not order.as_json:
        show(snapshot)
    if order.as_json or not sys.stdout.isatty():
        narrate_end(snapshot)
    for failure in unwritten:
        message = f"the results folder of {failure.title} could not be written: {failure.message}"
        show_error(ArenaError(message, failure.hint))
    return ExitCode.FAILED if unwritten and outcome.exit_code is ExitCode.OK else outcome.exit_code
