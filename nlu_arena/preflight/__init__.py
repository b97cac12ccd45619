"""What is looked at before a sweep, in seconds: better known before the first hour than after the third."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from nlu_arena.errors import CannotStartError
from nlu_arena.hardware import Device
from nlu_arena.plan import Subject
from nlu_arena.preflight.finding import Finding, is_blocked, stops_all
from nlu_arena.preflight.reach import Supply, check_supply
from nlu_arena.preflight.resources import check_devices, check_disk, check_memory
from nlu_arena.spec import Experiment

__all__ = ["Finding", "Supply", "check_supply", "inspect", "is_blocked", "stops_all"]


def inspect(
    plan: Sequence[Experiment],
    absent: Mapping[Subject, CannotStartError],
    devices: Sequence[Device],
    results: Path,
) -> list[Finding]:
    """Look at everything that the experiments need, without computing or fetching anything.

    Args:
        plan: The experiments that are to be done.
        absent: Models and tasks that could not even be planned.
        devices: Where they will run.
        results: The folder that will hold their results.
    """
    models = {experiment.model.name: experiment.model for experiment in plan}
    tasks = {experiment.task.name: (experiment.task, experiment.data) for experiment in plan}
    supply = check_supply(Supply(list(models.values()), tasks, absent))
    possible = [experiment for experiment in plan if not is_blocked(experiment, supply)]
    memory = check_memory(possible, devices[0])
    possible = [experiment for experiment in possible if not is_blocked(experiment, memory)]
    # What no experiment needs any more is not fetched.
    wanted = {name for e in possible for name in (e.model.name, e.task.name)}
    fetches = [f.fetch for f in supply if f.fetch is not None and f.subject in wanted]
    return [*check_devices(devices), *supply, *memory, *check_disk(fetches, possible, results, len(devices))]
