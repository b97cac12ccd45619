"""A device's rates come from a child process; what goes wrong in it is said."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from nlu_arena import rate
from nlu_arena.errors import CannotStartError
from nlu_arena.rate import FRESH, Rates, measure_rate, recall_rate


@pytest.fixture
def child(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A script that runs in place of the interpreter."""
    script = tmp_path / "python"
    script.touch(mode=0o700)
    monkeypatch.setattr("nlu_arena.rate.sys.executable", str(script))
    return script


def test_the_child_measures_the_device_that_was_named(child: Path) -> None:
    child.write_text(
        '#!/bin/sh\n[ "$*" = "-m nlu_arena.backend.rate --device cuda:1" ] || exit 1\n'
        '[ "$CUDA_DEVICE_ORDER" = PCI_BUS_ID ] || exit 1\n'
        'echo \'{"bfloat16":null,"float32":2e9,"memory":1e9}\'\n'
    )
    assert measure_rate("cuda:1") == Rates(bfloat16=None, float32=2e9, memory=1e9)


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("#!/bin/sh\necho 'no such device' >&2\nexit 1\n", "no such device"),
        ("#!/bin/sh\nexit 3\n", "exit code 3"),
        ("#!/bin/sh\necho nonsense\n", "malformed"),
        ("#!/no/such/shell\n", "No such file"),
    ],
)
def test_a_child_that_fails_gives_no_rates_and_the_reason(child: Path, script: str, said: str) -> None:
    child.write_text(script)
    with pytest.raises(CannotStartError, match=f"cpu could not be measured: .*{said}"):
        measure_rate("cpu")


def test_a_child_that_takes_too_long_gives_no_rates(child: Path) -> None:
    child.write_text("#!/bin/sh\nexec sleep 60\n")
    with pytest.raises(CannotStartError, match="timed out"):
        measure_rate("cpu", timeout=0.1)


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """The devices that were measured, one after the other; each time they are faster by one."""
    devices: list[str] = []

    def measure(device: str) -> Rates:
        devices.append(device)
        return Rates(bfloat16=None, float32=float(len(devices)), memory=1.0)

    monkeypatch.setattr(rate, "measure_rate", measure)
    monkeypatch.setenv("NLU_ARENA_CACHE", str(tmp_path))
    return devices


def test_a_device_is_measured_once_an_hour(measured: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    first = recall_rate("cuda:0")
    assert recall_rate("cuda:0") == first
    recall_rate("cuda:1")
    assert measured == ["cuda:0", "cuda:1"]
    later = time.time() + FRESH
    monkeypatch.setattr(time, "time", lambda: later)
    assert recall_rate("cuda:0").float32 == 3.0


@pytest.mark.parametrize("variable", ["OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES"])
def test_with_other_threads_or_gpus_of_the_same_name_a_device_is_measured_anew(
    variable: str, measured: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for value in ("2", "4", "4"):
        monkeypatch.setenv(variable, value)
        recall_rate("cuda:0")
    assert measured == ["cuda:0", "cuda:0"]


@pytest.mark.parametrize("state", ["damaged", "not writable"])
def test_a_cache_that_is_of_no_use_costs_a_measurement_only(
    state: str, measured: list[str], tmp_path: Path
) -> None:
    if state == "damaged":
        recall_rate("cpu")
        (tmp_path / "rates" / "cpu.json").write_text("{")
    else:
        (tmp_path / "rates").write_text("a file where the folder should be")
    assert recall_rate("cpu").float32 == len(measured)


def test_an_emulated_bfloat16_is_no_faster_than_float32() -> None:
    assert Rates(bfloat16=None, float32=3.0, memory=1.0).of("bfloat16") == 3.0
    rates = Rates(bfloat16=5.0, float32=3.0, memory=1.0)
    assert (rates.of("bfloat16"), rates.of("float32")) == (5.0, 3.0)
