"""Devices are found without torch; a reading that fails is None, not zero and not an error."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from nlu_arena import hardware
from nlu_arena.hardware import (
    GpuMonitor,
    GpuSample,
    control_group_limits,
    find_devices,
    host_memory,
    parse_cpuinfo,
    visible_gpus,
)

X86 = "processor\t: 0\nmodel name\t: Some CPU\nflags\t\t: fpu avx512f {flags}\n\nprocessor\t: 1\n"
ARM = "processor\t: 0\nFeatures\t: fp asimd {flags}\n"
GIB = 2**30


class FakeError(Exception):
    """Stands for pynvml.NVMLError."""


class FakeNvml:
    """A driver with GPUs by number; a GPU that is None is lost: its handle is there, its readings fail."""

    NVMLError = FakeError

    def __init__(self, gpus: list[dict[str, Any] | None], *, driver: bool = True) -> None:
        self.gpus = gpus
        self.driver = driver
        self.opened = 0
        self.handles_asked = 0

    def nvmlInit(self) -> None:  # noqa: N802
        if not self.driver:
            raise FakeError("Driver Not Loaded")
        self.opened += 1

    def nvmlShutdown(self) -> None:  # noqa: N802
        self.opened -= 1

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802
        return len(self.gpus)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:  # noqa: N802
        self.handles_asked += 1
        return index

    def nvmlDeviceGetHandleByUUID(self, uuid: str) -> int:  # noqa: N802
        raise FakeError("Not Found")

    def read(self, handle: int, key: str) -> Any:
        gpu = self.gpus[handle]
        if gpu is None or gpu.get(key) is None:
            raise FakeError("GPU is lost")
        return gpu[key]

    def nvmlDeviceGetUUID(self, handle: int) -> str:  # noqa: N802
        return str(self.read(handle, "uuid"))

    def nvmlDeviceGetName(self, handle: int) -> Any:  # noqa: N802
        return self.read(handle, "name")

    def nvmlDeviceGetMemoryInfo(self, handle: int) -> SimpleNamespace:  # noqa: N802
        total, used = self.read(handle, "memory")
        return SimpleNamespace(total=total, used=used)

    def nvmlDeviceGetUtilizationRates(self, handle: int) -> SimpleNamespace:  # noqa: N802
        return SimpleNamespace(gpu=self.read(handle, "utilisation"), memory=0)

    def nvmlDeviceGetCudaComputeCapability(self, handle: int) -> tuple[int, int]:  # noqa: N802
        capability: tuple[int, int] = self.read(handle, "capability")
        return capability


AMPERE = {
    "uuid": "GPU-aaaa",
    "name": b"NVIDIA A100",
    "memory": (40 * GIB, 3 * GIB),
    "utilisation": 57,
    "capability": (8, 0),
}
TURING = {
    "uuid": "GPU-bbbb",
    "name": "NVIDIA T4",
    "memory": (16 * GIB, GIB),
    "utilisation": None,
    "capability": (7, 5),
}


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Put a driver with these GPUs in the place of NVML, beside a torch that can use them."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(hardware, "torch_has_cuda", lambda: True)

    def install(gpus: list[dict[str, Any] | None], *, driver: bool = True) -> FakeNvml:
        fake = FakeNvml(gpus, driver=driver)
        monkeypatch.setitem(sys.modules, "pynvml", fake)
        return fake

    return install


# ── GPUs ──────────────────────────────────────────────────────────────────────────────────────────────


def test_without_a_driver_there_are_no_gpus_and_the_cpu_remains(use: Any) -> None:
    use([], driver=False)
    assert [device.name for device in find_devices()][-1] == "cpu"
    with GpuMonitor() as monitor:
        assert monitor.devices() == []
        assert monitor.sample() == []


def test_gpus_come_before_the_cpu_with_title_memory_and_bfloat16_from_ampere_on(use: Any) -> None:
    use([AMPERE, TURING])
    first, second, *rest = find_devices()
    assert (first.name, first.kind, first.title, first.memory_bytes) == (
        "cuda:0",
        "cuda",
        "NVIDIA A100",
        40 * GIB,
    )
    assert (first.fast_bfloat16, second.fast_bfloat16) == (True, False)
    assert rest[-1].name == "cpu"


def test_a_torch_without_cuda_has_no_gpus(use: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    use([AMPERE])
    monkeypatch.setattr(hardware, "torch_has_cuda", lambda: False)
    assert "cuda" not in {device.kind for device in find_devices()}


def test_a_lost_gpu_is_no_device_and_does_not_rename_the_others(use: Any) -> None:
    use([None, AMPERE])
    assert [device.name for device in find_devices() if device.kind == "cuda"] == ["cuda:1"]


def test_readings_that_fail_are_none_beside_those_that_do_not(use: Any) -> None:
    use([AMPERE, None])
    with GpuMonitor() as monitor:
        assert monitor.sample() == [
            GpuSample("cuda:0", 3 * GIB, 40 * GIB, 57),
            GpuSample("cuda:1", None, None, None),
        ]


def test_one_reading_may_be_missing_alone(use: Any) -> None:
    use([TURING])
    with GpuMonitor() as monitor:
        assert monitor.sample() == [GpuSample("cuda:0", GIB, 16 * GIB, None)]


def test_handles_are_opened_once_and_the_driver_is_let_go(use: Any) -> None:
    fake = use([AMPERE, TURING])
    with GpuMonitor() as monitor:
        asked = fake.handles_asked
        for _ in range(3):
            monitor.sample()
        assert fake.handles_asked == asked
        assert fake.opened == 1
    assert fake.opened == 0
    monitor.close()
    assert fake.opened == 0


def test_hidden_gpus_are_not_seen_and_the_order_is_cudas(use: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    use([AMPERE, TURING])
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1,0")
    assert [d.title for d in find_devices() if d.kind == "cuda"] == ["NVIDIA T4", "NVIDIA A100"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert [d for d in find_devices() if d.kind == "cuda"] == []


@pytest.mark.parametrize(
    ("variable", "visible"),
    [
        (None, [0, 1, 2]),
        ("", []),
        ("-1", []),
        ("2", [2]),
        (" 1 , 0", [1, 0]),
        ("0,7,1", [0]),
        ("GPU-bb", [1]),
        ("GPU-", []),
        ("MIG-1234,0", ["MIG-1234", 0]),
    ],
)
def test_the_variable_is_read_as_cuda_reads_it(variable: str | None, visible: list[int | str]) -> None:
    assert visible_gpus(["GPU-aa", "GPU-bb", "GPU-cc"], variable) == visible


# ── CPU and memory ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (X86.format(flags="avx512_bf16"), ("Some CPU", True)),
        (X86.format(flags="amx_bf16 amx_tile"), ("Some CPU", True)),
        (X86.format(flags="avx512_vnni"), ("Some CPU", False)),
        (ARM.format(flags="bf16 i8mm"), ("", True)),
        (ARM.format(flags="asimdhp"), ("", False)),
        ("", ("", False)),
    ],
)
def test_bfloat16_is_read_from_the_cpus_flags(text: str, expected: tuple[str, bool]) -> None:
    assert parse_cpuinfo(text) == expected


def test_apples_gpu_shares_the_hosts_memory(use: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    use([], driver=False)
    monkeypatch.setattr("platform.system", lambda: "Darwin")
    monkeypatch.setattr("platform.machine", lambda: "arm64")
    first, last = find_devices()
    assert (first.name, last.name) == ("mps", "cpu")
    assert first.memory_bytes == host_memory().total


def test_the_host_never_has_more_memory_available_than_in_all() -> None:
    memory = host_memory()
    assert 0 < memory.available <= memory.total


# ── Memory of a container or a batch job ──────────────────────────────────────────────────────────────


def lay_group(
    folder: Path, limit: str, used: int, names: tuple[str, str] = ("memory.max", "memory.current")
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / names[0]).write_text(f"{limit}\n")
    (folder / names[1]).write_text(f"{used}\n")


def test_every_group_above_a_job_can_limit_its_memory(tmp_path: Path) -> None:
    membership = tmp_path / "cgroup"
    membership.write_text("0::/slurm/job_7/step_0\n")
    lay_group(tmp_path / "fs" / "slurm" / "job_7", "8000", 500)
    lay_group(tmp_path / "fs" / "slurm" / "job_7" / "step_0", "max", 400)
    assert control_group_limits(tmp_path / "fs", membership) == [(8000, 500)]
    (tmp_path / "fs" / "slurm" / "job_7" / "memory.stat").write_text("anon 100\ninactive_file 300\n")
    assert control_group_limits(tmp_path / "fs", membership) == [(8000, 200)]


def test_the_older_version_of_groups_is_read_too(tmp_path: Path) -> None:
    membership = tmp_path / "cgroup"
    membership.write_text("5:cpu:/x\n4:memory:/docker/abc\n")
    names = ("memory.limit_in_bytes", "memory.usage_in_bytes")
    lay_group(tmp_path / "fs" / "memory", "6000", 100, names)
    assert control_group_limits(tmp_path / "fs", membership) == [(6000, 100)]


def test_without_groups_the_host_s_memory_counts(tmp_path: Path) -> None:
    assert control_group_limits(tmp_path, tmp_path / "nothing") == []


def test_a_share_of_the_host_is_all_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "control_group_limits", lambda *_: [(2**20, 2**18)])
    assert host_memory() == (2**20, 2**20 - 2**18)
