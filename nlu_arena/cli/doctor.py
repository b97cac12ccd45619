"""`nlu-arena doctor`: the checks that come before every sweep, on their own."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nlu_arena.cli.options import Data, Device, Json, Limit, ModelsDir, Results, TrainLimit
from nlu_arena.cli.terminal import end_with_the_pipe
from nlu_arena.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from nlu_arena.cli.planning import Order
    from nlu_arena.preflight import Finding


def doctor(
    profile: Annotated[
        str | None,
        typer.Option(
            "--profile", metavar="NAME|FILE", help="What this profile needs. (default: all models and tasks)"
        ),
    ] = None,
    data: Data = None,
    models_dir: ModelsDir = None,
    limit: Limit = None,
    train_limit: TrainLimit = None,
    device: Device = None,
    as_json: Json = False,
    results: Results = None,
) -> None:
    """Check that a sweep can start, before hour 0 and not at hour 3.

    Weights and data here or within reach, gated access, disk, memory, devices, data against GLUE's known
    sizes; with --profile the hours to expect. Exits with 3 when the sweep cannot start.
    """
    end_with_the_pipe()
    from nlu_arena import paths

    folder, copies = paths.results_dir(results), paths.models_dir(models_dir)
    source = paths.data_source(data)
    if profile is None:
        if limit is not None or train_limit is not None:
            raise UsageError("--limit and --train-limit need a --profile", "Without one nothing is counted.")
        findings = _check_everything(source, copies, folder, device)
    else:
        from nlu_arena.cli.planning import Order
        from nlu_arena.profile import load_profile, override

        chosen = override(load_profile(profile), data=source, limit=limit, train_limit=train_limit)
        findings = _check_profile(Order(chosen, folder, models_dir=copies, device=device))
    _show(findings, as_json, has_profile=profile is not None)
    if any(finding.state == "failure" for finding in findings):
        raise typer.Exit(ExitCode.CANNOT_START)


def _check_profile(order: Order) -> list[Finding]:
    from nlu_arena.cli.checking import time_work
    from nlu_arena.cli.planning import expect, plan_work, read_done_keys
    from nlu_arena.paths import ledger_path
    from nlu_arena.preflight import Finding, inspect
    from nlu_arena.views.figures import format_count

    work = plan_work(order, tolerant=True)
    work = expect(order, work, read_done_keys(ledger_path(order.results)))
    findings = inspect(work.waiting, work.absent, work.devices, order.results)
    if any(finding.state == "failure" for finding in findings):
        return findings
    waiting = format_count(len(work.waiting), "experiment")
    text = f"{waiting}: {time_work(order, work).expected_text}"
    return [*findings, Finding("time", order.profile.name, "ok", text)]


def _check_everything(
    source: str | None, copies: Path | None, folder: Path, device: str | None
) -> list[Finding]:
    """Look at the machine, and at every model and task; one that cannot be had is no failure here."""
    from nlu_arena.cli.devices import choose_devices
    from nlu_arena.dataref import resolve_data
    from nlu_arena.errors import CannotStartError
    from nlu_arena.plan import Subject
    from nlu_arena.preflight import Supply, check_supply
    from nlu_arena.preflight.resources import check_devices, check_disk
    from nlu_arena.registry import load_registry

    registry = load_registry().with_copies(copies)
    absent, tasks = {}, {}
    for task in registry.tasks.values():
        try:
            tasks[task.name] = (task, resolve_data(task, source or "hub"))
        except CannotStartError as error:
            absent[Subject("task", task.name)] = error
        except UsageError:
            continue  # A task of other data is not the concern of these.
    supply = check_supply(Supply(list(registry.models.values()), tasks, absent))
    calm = [f._replace(state="warning") if f.state == "failure" else f for f in supply]
    fetches = [finding.fetch for finding in supply if finding.fetch is not None]
    return [*check_devices(choose_devices(device, 1)), *calm, *check_disk(fetches, [], folder)]


def _show(findings: list[Finding], as_json: bool, *, has_profile: bool) -> None:
    from nlu_arena.cli.terminal import open_console, print_json, print_lines
    from nlu_arena.views.preflight import KEYS, FindingsTable, finding_record
    from nlu_arena.views.tsv import tsv_lines

    records = [finding_record(finding) for finding in findings]
    if as_json:
        can_start = all(finding.state != "failure" for finding in findings) if has_profile else None
        print_json({"schema": 1, "can_start": can_start, "checks": records})
    elif sys.stdout.isatty():
        open_console(sys.stdout).print(FindingsTable(findings))
    else:
        print_lines(tsv_lines(KEYS, records))
