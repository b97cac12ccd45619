"""The checks before a sweep, said on stderr: it starts, starts without what is missing, or does not start."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer

from nlu_arena.cli.fetching import ensure, parcels_of
from nlu_arena.cli.planning import Order, Work, expect
from nlu_arena.cli.terminal import is_screen, narrate, open_console, show_error
from nlu_arena.errors import CannotStartError, ExitCode
from nlu_arena.plan import Subject
from nlu_arena.preflight import Finding, inspect, is_blocked, stops_all
from nlu_arena.rate import recall_rate
from nlu_arena.spec import Experiment
from nlu_arena.views.figures import format_bytes, format_count
from nlu_arena.views.text import clean

# Work that is expected to take less is not worth the seconds of measuring the device.
WORTH_MEASURING = 60.0


def make_ready(order: Order, work: Work) -> Work:
    """Check everything, fetch what is missing, and return the work that can be done.

    Raises:
        typer.Exit: It cannot start; what is missing and how to get it has been said.
    """
    if not work.waiting and not work.absent:
        return work
    findings = inspect(work.waiting, work.absent, work.devices, order.results)
    work = _leave_out(order, work, findings)
    work = time_work(order, work)
    _summarise(work, findings)
    return _fetch(order, work)


def time_work(order: Order, work: Work) -> Work:
    """Replace the assumed times of long work by those that the device's measured rate gives."""
    total = work.expected_total
    if total is not None and total < WORTH_MEASURING:
        return work
    try:
        rates = recall_rate(work.devices[0].name)
    except CannotStartError as error:
        narrate(f"note: {clean(error.message)}")
        return work
    return expect(order, work, work.done, rates)


def _leave_out(order: Order, work: Work, findings: Sequence[Finding]) -> Work:
    failures = [finding for finding in findings if finding.state == "failure"]
    if not failures:
        return work
    show_findings(findings)
    blocked = [e for e in work.waiting if is_blocked(e, findings)]
    possible = len(work.waiting) - len(blocked)
    if not order.skip_unavailable or stops_all(findings) or not (possible or work.done):
        narrate(f"error: the sweep cannot start: {format_count(len(failures), 'check')} failed")
        if possible and not stops_all(findings):
            narrate(f"hint: --skip-unavailable does the other {format_count(possible, 'experiment')}.")
        raise typer.Exit(ExitCode.CANNOT_START)
    return work.without(blocked, [f"{finding.subject}: {finding.text}" for finding in failures])


def _summarise(work: Work, findings: Sequence[Finding]) -> None:
    """Say what a person should know before the first hour: warnings, bytes, time."""
    if not work.left_out:
        for finding in findings:
            if finding.state == "warning":
                remedy = f" {finding.remedy}" if finding.remedy else ""
                narrate(f"note: {finding.subject}: {clean(finding.text)}.{clean(remedy)}")
    needed = {subject.name for experiment in work.waiting for subject in _needs(experiment)}
    size = sum(f.fetch.size for f in findings if f.fetch is not None and f.subject in needed)
    said = [f"{len(findings)} checks"]
    said += [f"at most {format_bytes(size)} of disk for what is fetched"] if size else []
    said += [f"expected time {work.expected_text}"]
    narrate(f"before the start: {', '.join(said)}")


def _fetch(order: Order, work: Work) -> Work:
    """Bring weights and data here, or leave out the experiments that need what does not come."""
    problems = ensure(parcels_of(work.waiting))
    for problem in problems.values():
        show_error(problem)
    lost = [e for e in work.waiting if _needs(e) & problems.keys()]
    if problems and (not order.skip_unavailable or len(lost) == len(work.plan)):
        raise typer.Exit(ExitCode.CANNOT_START)
    return work.without(lost, [f"{s.name}: {error.message}" for s, error in problems.items()])


def _needs(experiment: Experiment) -> set[Subject]:
    return {Subject("model", experiment.model.name), Subject("task", experiment.task.name)}


def show_findings(findings: Sequence[Finding]) -> None:
    """Write all findings to stderr as a table."""
    from nlu_arena.views.preflight import FindingsTable

    if is_screen(sys.stderr):
        open_console(sys.stderr).print(FindingsTable(findings))
        return
    for finding in findings:
        narrate(f"{finding.state}: {finding.check} {finding.subject}: {clean(finding.text)}")
        if finding.remedy:
            narrate(f"  hint: {clean(finding.remedy)}")
