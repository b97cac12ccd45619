from __future__ import annotations

import pytest

from nlu_arena.cli import devices
from nlu_arena.errors import CannotStartError, UsageError
from nlu_arena.hardware import Device, DeviceKind


def device(name: str) -> Device:
    kind: DeviceKind = "cuda" if name.startswith("cuda") else "cpu"
    return Device(name=name, kind=kind, title=name, memory_bytes=None, fast_bfloat16=True)


@pytest.fixture(autouse=True)
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "find_devices", lambda: [device(n) for n in ("cuda:0", "cuda:1", "cpu")])


def names(name: str | None, jobs: int = 1) -> list[str]:
    return [chosen.name for chosen in devices.choose_devices(name, jobs)]


def test_the_fastest_device_is_used_and_as_many_as_asked_for() -> None:
    assert names(None) == ["cuda:0"]
    assert names(None, 2) == ["cuda:0", "cuda:1"]
    assert names("cpu") == ["cpu"]
    assert names("cuda") == ["cuda:0"]


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(CannotStartError, match="--jobs 3"):
        names(None, 3)
    with pytest.raises(CannotStartError, match="no device 'mps'"):
        names("mps")
    with pytest.raises(UsageError):
        names("cuda:1", 2)
