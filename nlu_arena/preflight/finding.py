"""One thing that was looked at before a sweep: how it stands, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal, NamedTuple

from nlu_arena.plan import Subject
from nlu_arena.spec import Experiment

State = Literal["ok", "warning", "failure"]


class Fetch(NamedTuple):
    """Bytes that will be fetched, and the folder that will hold them."""

    size: int
    folder: Path


class Finding(NamedTuple):
    """How one thing stands.

    `check` is what was looked at ("weights", "data", "memory", …), `subject` whose it is. A failure says by
    `remedy` what to do, and by `blocks` which models, tasks or experiments (by key) cannot be done; a failure
    that blocks nothing in particular blocks the whole sweep.
    """

    check: str
    subject: str
    state: State
    text: str
    remedy: str = ""
    blocks: frozenset[Subject | str] = frozenset()
    fetch: Fetch | None = None


def is_blocked(experiment: Experiment, findings: Iterable[Finding]) -> bool:
    """Say whether an experiment cannot be done for what was found."""
    names = {Subject("model", experiment.model.name), Subject("task", experiment.task.name), experiment.key}
    return any(f.state == "failure" and not names.isdisjoint(f.blocks) for f in findings)


def stops_all(findings: Iterable[Finding]) -> bool:
    """Say whether something was found that no leaving out can help."""
    return any(finding.state == "failure" and not finding.blocks for finding in findings)
