from __future__ import annotations

import hashlib
import json
import os
import struct
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from nlu_arena.spec import ModelSpec, Weights, WheelWeights

MakeWheel = Callable[[str, Mapping[str, bytes]], Path]
CONFIG = b'{"model_type": "bert"}'


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own for every test, and a pip that sees no configuration but the test's."""
    for name in [name for name in os.environ if name.startswith(("PIP_", "HF_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("NLU_ARENA_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "models"


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that the real pip takes packages from, instead of any index."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def make_wheel(index: Path) -> MakeWheel:
    def make(name: str, files: Mapping[str, bytes]) -> Path:
        wheel = index / f"{name}-1.0-py3-none-any.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            for path, content in files.items():
                archive.writestr(path, content)
            info = f"{name}-1.0.dist-info"
            archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
            archive.writestr(
                f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
            )
            archive.writestr(f"{info}/RECORD", "")
        return wheel

    return make


def safetensors_bytes(values: int = 64) -> bytes:
    """A valid safetensors file of one float32 tensor."""
    header = json.dumps({"w": {"dtype": "F32", "shape": [values], "data_offsets": [0, 4 * values]}}).encode()
    return struct.pack("<Q", len(header)) + header + struct.pack(f"<{values}f", *range(values))


def make_model(weights: Weights, **fields: Any) -> ModelSpec:
    known: dict[str, Any] = {"title": "T", "slug": "t", "family": "encoder", "parameters": 1000}
    known |= {"use_case": "u", "licence": "MIT", "name": "tiny", "weights": weights}
    return ModelSpec(**(known | fields))


@pytest.fixture
def wheel_files() -> dict[str, bytes]:
    return {
        "tiny_pkg/__init__.py": b"raise SystemExit('the package was imported')",
        "tiny_pkg/model/config.json": CONFIG,
        "tiny_pkg/model/tokenizer.json": b"{}",
        "tiny_pkg/model/README.md": b"not wanted",
        "tiny_pkg/model/1_Pooling/config.json": b"not wanted either",
        "tiny_pkg/model/model.safetensors": safetensors_bytes(),
    }


@pytest.fixture
def wheel_model(make_wheel: MakeWheel, wheel_files: dict[str, bytes]) -> ModelSpec:
    """A model whose package lies in the index."""
    make_wheel("tiny_pkg", wheel_files)
    digest = hashlib.sha256(wheel_files["tiny_pkg/model/model.safetensors"]).hexdigest()
    weights = WheelWeights(packages=("tiny-pkg==1.0",), members=("tiny_pkg/model/*",), sha256=digest)
    return make_model(weights)


@pytest.fixture
def make() -> Callable[..., ModelSpec]:
    return make_model


@pytest.fixture
def safetensors() -> Callable[..., bytes]:
    return safetensors_bytes
