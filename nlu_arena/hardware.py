"""What this machine has to compute with, found without torch: devices, memory, the GPUs' readings."""

from __future__ import annotations

import importlib.util
import os
import platform
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, NamedTuple

import psutil

from nlu_arena.spec import Spec

DeviceKind = Literal["cpu", "cuda", "mps"]

CPUINFO = Path("/proc/cpuinfo")
CONTROL_GROUPS = Path("/sys/fs/cgroup")
# x86 names its bfloat16 matrix instructions in "flags", ARM in "Features".
BFLOAT16_FLAGS = {"avx512_bf16", "amx_bf16", "bf16"}


class Device(Spec, frozen=True):
    """One device that a worker can have: torch's name for it, memory in bytes.

    `fast_bfloat16` means that bfloat16 matrix products run on units of their own, not emulated.
    """

    name: str
    kind: DeviceKind
    title: str
    memory_bytes: int | None
    fast_bfloat16: bool


class HostMemory(NamedTuple):
    """The host's memory in bytes, as far as this process may use it."""

    total: int
    available: int


class GpuSample(NamedTuple):
    """One reading of a GPU: memory in bytes, utilisation in percent; None where the driver gives none."""

    device: str
    memory_used: int | None
    memory_total: int | None
    utilisation: int | None


def find_devices() -> list[Device]:
    """Return the devices that torch can use, the fastest kind first; the CPU is always there, last."""
    with GpuMonitor() as monitor:
        gpus = monitor.devices() if torch_has_cuda() else []
    return [*gpus, *_find_mps(), find_cpu()]


def host_memory() -> HostMemory:
    """Return the host's memory as it is now: a container or a batch job may have a share of it only."""
    memory = psutil.virtual_memory()
    total, available = memory.total, memory.available
    for limit, used in control_group_limits(CONTROL_GROUPS, Path("/proc/self/cgroup")):
        total, available = min(total, limit), min(available, max(0, limit - used))
    return HostMemory(total, available)


def control_group_limits(root: Path, membership: Path) -> list[tuple[int, int]]:
    """Return the limit and the use of memory, in bytes, of every control group above this process.

    Args:
        root: Where the system shows its control groups: version 2 there, version 1 below "memory".
        membership: The file that names this process's groups.
    """
    limits = []
    for line in _read(membership).splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers not in ("", "memory"):
            continue
        names = ("memory.max", "memory.current")
        if controllers:
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes")
        group = root / controllers / path.lstrip("/")
        # Inside a container the path may be that of the host: the root then shows the container's own group.
        for folder in (group, *group.parents):
            limit, used = (_read(folder / name).strip() for name in names)
            if limit.isdecimal() and used.isdecimal():
                # What the system keeps of files it gives back when memory is asked for.
                files = re.search(
                    r"^(?:total_)?inactive_file (\d+)$", _read(folder / "memory.stat"), re.MULTILINE
                )
                limits.append((int(limit), int(used) - (int(files[1]) if files else 0)))
    return limits


def _read(path: Path) -> str:
    """Return a small file's text, an empty one where there is none."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def torch_has_cuda() -> bool:
    """Say whether the installed torch was built for CUDA, read from its version file, not by importing it."""
    found = importlib.util.find_spec("torch")
    if found is None or found.origin is None:
        return False
    text = (Path(found.origin).parent / "version.py").read_text(encoding="utf-8")
    return re.search(r"^cuda\b[^=]*=\s*['\"]", text, re.MULTILINE) is not None


class GpuMonitor:
    """The NVIDIA GPUs that CUDA programs here can see, through handles that are opened once.

    Without a driver or a GPU it is empty. A reading that fails is None: a GPU can be lost while others
    work, and virtual ones do not give every reading.
    """

    def __init__(self) -> None:
        import pynvml

        self._nvml: Any = pynvml
        self._handles: list[tuple[str, Any]] = []
        try:
            pynvml.nvmlInit()
        except pynvml.NVMLError:
            self._is_open = False
        else:
            self._is_open = True
            visible = visible_gpus(self._uuids(), os.environ.get("CUDA_VISIBLE_DEVICES"))
            self._handles = [(f"cuda:{place}", self._handle(gpu)) for place, gpu in enumerate(visible)]

    def __enter__(self) -> GpuMonitor:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the driver."""
        if self._is_open:
            self._read(self._nvml.nvmlShutdown)
        self._is_open, self._handles = False, []

    def _uuids(self) -> list[str]:
        count = self._read(self._nvml.nvmlDeviceGetCount) or 0
        return [_text(self._read(self._nvml.nvmlDeviceGetUUID, self._handle(n))) for n in range(count)]

    def _handle(self, gpu: int | str) -> Any:
        """Return the driver's handle of a GPU's number or UUID, None for a lost one."""
        by = self._nvml.nvmlDeviceGetHandleByIndex if isinstance(gpu, int) else None
        return self._read(by or self._nvml.nvmlDeviceGetHandleByUUID, gpu)

    def _read(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Return what the driver answers, None when it cannot or when the handle is that of a lost GPU."""
        if None in arguments:
            return None
        try:
            return function(*arguments)
        except self._nvml.NVMLError:
            return None

    def devices(self) -> list[Device]:
        """Return the GPUs that answer."""
        devices = []
        for name, handle in self._handles:
            title = self._read(self._nvml.nvmlDeviceGetName, handle)
            memory = self._read(self._nvml.nvmlDeviceGetMemoryInfo, handle)
            capability = self._read(self._nvml.nvmlDeviceGetCudaComputeCapability, handle)
            if memory is None:
                continue
            devices.append(
                Device(
                    name=name,
                    kind="cuda",
                    title=_text(title) or "NVIDIA GPU",
                    memory_bytes=int(memory.total),
                    # Ampere (8.0) is the first with bfloat16 matrix units.
                    fast_bfloat16=capability is not None and tuple(capability) >= (8, 0),
                )
            )
        return devices

    def sample(self) -> list[GpuSample]:
        """Read every GPU's memory and utilisation now; an empty list without GPUs."""
        samples = []
        for name, handle in self._handles:
            memory = self._read(self._nvml.nvmlDeviceGetMemoryInfo, handle)
            rates = self._read(self._nvml.nvmlDeviceGetUtilizationRates, handle)
            used, total = (int(memory.used), int(memory.total)) if memory is not None else (None, None)
            samples.append(GpuSample(name, used, total, None if rates is None else int(rates.gpu)))
        return samples


def visible_gpus(uuids: list[str], variable: str | None) -> list[int | str]:
    """Return the GPUs that CUDA counts, in its order, as CUDA_VISIBLE_DEVICES says.

    Args:
        uuids: The UUID of every GPU by the driver's number, empty for one that is lost.
        variable: The variable's value: numbers, beginnings of UUIDs or UUIDs of MIG slices, with commas.

    Returns:
        The driver's numbers, and UUIDs for MIG slices. CUDA ignores what follows an invalid entry.
    """
    if variable is None:
        return list(range(len(uuids)))
    visible: list[int | str] = []
    for entry in (part.strip() for part in variable.split(",")):
        if entry.startswith("MIG-"):
            visible.append(entry)
            continue
        if entry.isdigit():
            matches = [int(entry)] if int(entry) < len(uuids) else []
        else:
            matches = [n for n, uuid in enumerate(uuids) if entry and uuid.startswith(entry)]
        if len(matches) != 1:
            break
        visible += matches
    return visible


def _text(value: str | bytes | None) -> str:
    """Older drivers' bindings answer in bytes."""
    return value.decode() if isinstance(value, bytes) else value or ""


def _find_mps() -> list[Device]:
    """Return Apple's GPU, which shares the host's memory."""
    if (platform.system(), platform.machine()) != ("Darwin", "arm64"):
        return []
    # The first generations emulate bfloat16.
    memory = host_memory().total
    return [Device(name="mps", kind="mps", title="Apple GPU", memory_bytes=memory, fast_bfloat16=False)]


def find_cpu() -> Device:
    """Return this machine's processor as a device."""
    text = CPUINFO.read_text(encoding="utf-8", errors="replace") if CPUINFO.is_file() else ""
    title, has_bfloat16 = parse_cpuinfo(text)
    return Device(
        name="cpu",
        kind="cpu",
        title=title or platform.processor() or platform.machine(),
        memory_bytes=host_memory().total,
        fast_bfloat16=has_bfloat16,
    )


def parse_cpuinfo(text: str) -> tuple[str, bool]:
    """Return the processor's name and whether it has bfloat16 products, from the text of /proc/cpuinfo."""
    fields: dict[str, str] = {}
    for line in text.splitlines():
        key, _, value = line.partition(":")
        fields.setdefault(key.strip(), value.strip())
    flags = f"{fields.get('flags', '')} {fields.get('Features', '')}".split()
    return fields.get("model name", ""), not BFLOAT16_FLAGS.isdisjoint(flags)
