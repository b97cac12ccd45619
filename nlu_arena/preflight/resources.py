"""What a sweep needs of the machine: a device, memory, and disk."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from nlu_arena.hardware import Device, GpuMonitor, host_memory, torch_has_cuda
from nlu_arena.memory import MemoryNeed, checkpoint_bytes, estimate_memory, kept_bytes
from nlu_arena.preflight.finding import Fetch, Finding
from nlu_arena.spec import Experiment
from nlu_arena.views.figures import format_bytes

MOVERS = "HF_HOME, NLU_ARENA_CACHE or --results"


def check_devices(devices: Sequence[Device]) -> list[Finding]:
    """Describe the devices, and say when a GPU lies idle because torch cannot use it."""
    findings = [Finding("device", device.name, "ok", _describe(device)) for device in devices]
    if devices[0].kind == "cpu" and not torch_has_cuda():
        with GpuMonitor() as monitor:
            gpus = monitor.devices()
        if gpus:
            text = f"{gpus[0].title} is here, but the installed torch was built without CUDA"
            remedy = "Install a CUDA build of torch into this environment."
            findings.append(Finding("device", "cuda", "warning", text, remedy))
    return findings


def _describe(device: Device) -> str:
    memory = "" if device.memory_bytes is None else f", {format_bytes(device.memory_bytes)}"
    kind = "bfloat16" if device.fast_bfloat16 else "float32: it has no bfloat16 units, work takes longer"
    return f"{device.title}{memory}, {kind}"


class _Room(NamedTuple):
    """A device's memory in bytes: all of it, and what is free now."""

    total: int
    free: int


class _Need(NamedTuple):
    """What one model needs in one mode, at its largest task."""

    experiments: tuple[Experiment, ...]
    most: MemoryNeed

    @property
    def title(self) -> str:
        return f"{self.experiments[0].model.name} {self.experiments[0].mode}"


def check_memory(plan: Iterable[Experiment], device: Device) -> list[Finding]:
    """Compare what each model needs in each mode with the device's memory.

    What is fixed (weights, gradients, optimiser) must fit. A GPU's batches are halved until they do; on a CPU
    the system may end the process instead.
    """
    room = _measure_room(device)
    needs = _group(plan, device)
    if room is None or not needs:
        return []
    findings = [finding for need in needs if (finding := _judge(need, room, device)) is not None]
    if findings:
        return findings
    largest = max(needs, key=lambda need: need.most.total)
    most = f"at most {format_bytes(largest.most.total)} needed ({largest.title})"
    text = f"{format_bytes(room.free)} free, {most}"
    return [Finding("memory", device.name, "ok", text)]


def _group(plan: Iterable[Experiment], device: Device) -> list[_Need]:
    groups: dict[tuple[str, str], list[Experiment]] = {}
    for experiment in plan:
        groups.setdefault((experiment.model.name, experiment.mode), []).append(experiment)
    needs = []
    for members in groups.values():
        most = max((estimate_memory(member, device) for member in members), key=lambda need: need.total)
        needs.append(_Need(tuple(members), most))
    return needs


def _judge(need: _Need, room: _Room, device: Device) -> Finding | None:
    """Return what does not fit, now or ever; nothing where all of it fits."""
    fixed, total, free = (format_bytes(size) for size in (need.most.fixed, need.most.total, room.free))
    found = Finding("memory", need.title, "warning", "")
    if need.most.fixed > room.total:
        return found._replace(
            state="failure",
            text=f"needs {fixed} without its batches, {device.name} has {format_bytes(room.total)}",
            remedy="Use a device with more memory, or leave it out.",
            blocks=frozenset(experiment.key for experiment in need.experiments),
        )
    if need.most.fixed > room.free:
        return found._replace(
            text=f"needs {fixed} without its batches, {device.name} has {free} free now",
            remedy="End other programs first: it fails when the memory is still missing at its turn.",
        )
    if need.most.total > room.free:
        halves = device.kind == "cuda"
        return found._replace(
            text=f"may need {total}, {device.name} has {free} free",
            remedy="Batches are halved until they fit."
            if halves
            else "A smaller train.batch_size needs less.",
        )
    return None


def _measure_room(device: Device) -> _Room | None:
    if device.kind == "cuda":
        with GpuMonitor() as monitor:
            samples = [sample for sample in monitor.sample() if sample.device == device.name]
        if device.memory_bytes is None:
            return None
        used = samples[0].memory_used if samples else None
        return _Room(device.memory_bytes, device.memory_bytes - (used or 0))
    memory = host_memory()
    return _Room(memory.total, memory.available)


def check_disk(
    fetches: Iterable[Fetch], plan: Iterable[Experiment], results: Path, lanes: int = 1
) -> list[Finding]:
    """Compare what will be fetched and kept with the free space of each disk that it goes to.

    Args:
        fetches: What is not here yet.
        plan: What will be done.
        results: Where it leaves its models.
        lanes: How many experiments are done at a time.
    """
    disks: dict[int, list[Fetch]] = {}
    experiments = list(plan)
    kept = sum(map(kept_bytes, experiments))
    # Each training under way has checkpoints; they go when its model is saved.
    passing = sum(sorted(map(checkpoint_bytes, experiments))[-lanes:])
    for need in (*fetches, Fetch(kept + passing, results)):
        disks.setdefault(_existing(need.folder).stat().st_dev, []).append(need)
    return [_check_one_disk(needs) for needs in disks.values()]


def _check_one_disk(needs: Sequence[Fetch]) -> Finding:
    folders = dict.fromkeys(str(need.folder.absolute()) for need in needs)
    closed = [str(need.folder) for need in needs if not os.access(_existing(need.folder), os.W_OK)]
    if closed:
        text = f"no permission to write {', '.join(closed)}"
        return Finding("disk", "space", "failure", text, f"Move it by {MOVERS}.")
    needed, free = sum(need.size for need in needs), shutil.disk_usage(_existing(needs[0].folder)).free
    text = f"{format_bytes(free)} free, {format_bytes(needed)} needed for {', '.join(folders)}"
    if needed <= free:
        return Finding("disk", "space", "ok", text)
    return Finding("disk", "space", "failure", text, f"Free some space, or move a folder by {MOVERS}.")


def _existing(folder: Path) -> Path:
    return next(place for place in (folder, *folder.absolute().parents) if place.exists())
