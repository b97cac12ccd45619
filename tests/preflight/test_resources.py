"""Memory, disk and devices: what must fit, what may be made to fit, and what lies idle."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from nlu_arena.hardware import Device, GpuSample, HostMemory
from nlu_arena.memory import MemoryNeed
from nlu_arena.preflight import resources
from nlu_arena.preflight.finding import Fetch
from nlu_arena.spec import Experiment
from tests.conftest import MakeExperiment

SetNeed = Callable[[int, int], None]
GIB = 2**30
CPU = Device(name="cpu", kind="cpu", title="Some CPU", memory_bytes=8 * GIB, fast_bfloat16=False)
GPU = Device(name="cuda:0", kind="cuda", title="Some GPU", memory_bytes=16 * GIB, fast_bfloat16=True)


class FakeMonitor:
    """The driver's readings: one GPU, some of whose memory others use."""

    used: int | None = 4 * GIB

    def __enter__(self) -> FakeMonitor:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def sample(self) -> list[GpuSample]:
        return [GpuSample("cuda:0", self.used, 16 * GIB, 0)]

    def devices(self) -> list[Device]:
        return [GPU]


@pytest.fixture
def plan(make_experiment: MakeExperiment, tmp_path: Path) -> list[Experiment]:
    return [make_experiment("decoder", tmp_path, mode) for mode in ("zero-shot", "lora")]


@pytest.fixture
def set_need(monkeypatch: pytest.MonkeyPatch) -> SetNeed:
    """Give what sets the bytes that every experiment needs."""
    monkeypatch.setattr(resources, "GpuMonitor", FakeMonitor)
    monkeypatch.setattr(resources, "host_memory", lambda: HostMemory(8 * GIB, 6 * GIB))

    def set_it(fixed: int, batch: int) -> None:
        monkeypatch.setattr(resources, "estimate_memory", lambda *_: MemoryNeed(fixed * GIB, batch * GIB))

    return set_it


def test_what_fits_is_said_once_with_the_largest_need(plan: list[Experiment], set_need: SetNeed) -> None:
    set_need(2, 1)
    (finding,) = resources.check_memory(plan, CPU)
    assert (finding.check, finding.state) == ("memory", "ok")
    assert "6.0 GiB free, at most 3.0 GiB needed" in finding.text


def test_weights_that_can_never_fit_block_their_experiments(
    plan: list[Experiment], set_need: SetNeed
) -> None:
    set_need(9, 1)
    findings = resources.check_memory(plan, CPU)
    assert [finding.state for finding in findings] == ["failure", "failure"]
    assert findings[0].blocks == {plan[0].key}
    assert "needs 9.0 GiB without its batches, cpu has 8.0 GiB" in findings[0].text


def test_batches_that_may_not_fit_are_a_warning(plan: list[Experiment], set_need: SetNeed) -> None:
    set_need(5, 2)
    assert {finding.state for finding in resources.check_memory(plan, CPU)} == {"warning"}


def test_on_a_gpu_its_own_memory_counts_without_what_others_use(
    plan: list[Experiment], set_need: SetNeed
) -> None:
    set_need(10, 1)
    (finding,) = resources.check_memory(plan, GPU)
    assert (finding.state, "12.0 GiB free" in finding.text) == ("ok", True)
    set_need(11, 3)
    (finding, _) = resources.check_memory(plan, GPU)
    assert (finding.state, finding.remedy) == ("warning", "Batches are halved until they fit.")


def test_weights_that_others_leave_no_room_for_are_no_matter_of_batches(
    plan: list[Experiment], set_need: SetNeed
) -> None:
    set_need(13, 1)
    (finding, _) = resources.check_memory(plan, GPU)
    assert finding.state == "warning"
    assert "needs 13.0 GiB without its batches, cuda:0 has 12.0 GiB free now" in finding.text
    assert "End other programs first" in finding.remedy


def test_a_gpu_without_readings_counts_as_free(
    plan: list[Experiment], set_need: SetNeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeMonitor, "used", None)
    set_need(15, 0)
    assert resources.check_memory(plan, GPU)[0].state == "ok"


def test_each_disk_must_hold_what_is_fetched_and_kept(
    plan: list[Experiment], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resources, "kept_bytes", lambda _: GIB)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=6 * GIB))
    results = tmp_path / "not" / "there" / "yet"
    (finding,) = resources.check_disk([Fetch(3 * GIB, tmp_path)], plan, results)
    assert finding.state == "ok"
    assert "5.0 GiB needed" in finding.text
    (finding,) = resources.check_disk([Fetch(5 * GIB, tmp_path)], plan, results)
    assert (finding.state, finding.blocks) == ("failure", frozenset())
    assert str(tmp_path) in finding.text
    assert "--results" in finding.remedy


def test_a_folder_that_may_not_be_written_fails_before_the_download(
    plan: list[Experiment], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda folder, mode: False)
    (finding,) = resources.check_disk([Fetch(1, tmp_path)], plan, tmp_path)
    assert finding.state == "failure"
    assert f"no permission to write {tmp_path}" in finding.text


def test_a_gpu_that_torch_cannot_use_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "GpuMonitor", FakeMonitor)
    monkeypatch.setattr(resources, "torch_has_cuda", lambda: False)
    described, warning = resources.check_devices([CPU])
    assert "float32: it has no bfloat16 units" in described.text
    assert (warning.state, "Some GPU is here" in warning.text) == ("warning", True)
    monkeypatch.setattr(resources, "torch_has_cuda", lambda: True)
    assert len(resources.check_devices([CPU])) == 1
    (finding,) = resources.check_devices([GPU])
    assert finding.text == "Some GPU, 16.0 GiB, bfloat16"
