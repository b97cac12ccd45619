"""Training checkpoints: all that a training that was killed needs to go on to the very same result."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import random
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

# Raised when what a checkpoint holds, or means, changes.
FORMAT = 2
RECORD = "checkpoint.json"
# What a checkpoint leaves free on its disk for the ledger and the logs.
SPARED_BYTES = 64 * 2**20


class Position(msgspec.Struct, kw_only=True):
    """How far a training is: the loss of every step, the held-out accuracy after every epoch, so far.

    `best_epoch` is the one whose weights are kept, 0 before there is one. `seconds` is the time worked.
    """

    micro_batch: int
    retries: int = 0
    losses: list[float] = []
    held_out: list[float] = []
    best_epoch: int = 0
    seconds: float = 0.0


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What is written last: under which circumstances, how far, and which bytes belong to it.

    `seal` hashes all the rest, as `sha256` does the tensors.
    """

    circumstances: dict[str, Any]
    position: Position
    file: str
    sha256: str
    seal: str = ""

    def sealed(self) -> Record:
        """Return the record with its seal."""
        bare = msgspec.structs.replace(self, seal="")
        return msgspec.structs.replace(self, seal=hashlib.sha256(msgspec.json.encode(bare)).hexdigest())


class Snapshot(NamedTuple):
    """A training between two steps: its position, and its weights, optimiser and random states by name."""

    position: Position
    tensors: Mapping[str, Tensor]


class UnusableError(Exception):
    """A checkpoint is torn or was made under other circumstances; the text says which."""


# ── What a snapshot holds ─────────────────────────────────────────────────────────────────────────────


def take_snapshot(
    position: Position, model: nn.Module, optimizer: torch.optim.Optimizer, best: Mapping[str, Tensor]
) -> Snapshot:
    """Return a training's state; the tensors are those that it goes on to change, so write it at once.

    Args:
        position: How far it is.
        model: Its trainable weights are taken: the others are those of the checkpoint it began from.
        optimizer: Its moments and step counts are taken, by the place of their weight.
        best: The weights of the best epoch so far, empty where the last one counts.
    """
    tensors = {f"model/{name}": w.detach() for name, w in model.named_parameters() if w.requires_grad}
    tensors |= {f"best/{name}": weight for name, weight in best.items()}
    for place, values in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer/{place}/{name}": value for name, value in values.items()}
    return Snapshot(position, tensors | _random_states(_device_of(model)))


def restore_snapshot(
    snapshot: Snapshot, model: nn.Module, optimizer: torch.optim.Optimizer
) -> dict[str, Tensor]:
    """Bring weights, optimiser and random states back to where a snapshot was taken.

    Returns:
        the weights of the best epoch so far, empty where the last one counts.
    """
    saved = _under("model", snapshot.tensors)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.requires_grad:
                weight.copy_(saved[name])
    moments: dict[int, dict[str, Tensor]] = {}
    for name, value in _under("optimizer", snapshot.tensors).items():
        place, key = name.split("/")
        # A copy: what is read lies in a mapped file, whose bytes stay on the disk as long as it is used.
        moments.setdefault(int(place), {})[key] = value.clone()
    # The settings in the groups are the experiment's own; the state alone comes from the snapshot.
    optimizer.load_state_dict({**optimizer.state_dict(), "state": moments})
    _set_random_states(_under("random", snapshot.tensors), _device_of(model))
    return {name: weight.clone() for name, weight in _under("best", snapshot.tensors).items()}


def _under(kind: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(f"{kind}/"): t for name, t in tensors.items() if name.startswith(f"{kind}/")}


def _device_of(model: nn.Module) -> torch.device:
    return next(model.parameters()).device


def _random_states(device: torch.device) -> dict[str, Tensor]:
    """Return the state of every generator that `seed_everything` seeds."""
    _, numbers, place, has_normal, normal = np.random.get_state()
    version, words, _ = random.getstate()
    states = {
        "torch": torch.get_rng_state(),
        "numpy": torch.tensor([*map(int, numbers), int(place), int(has_normal)], dtype=torch.int64),
        "numpy_normal": torch.tensor([float(normal)], dtype=torch.float64),
        "python": torch.tensor([version, *words], dtype=torch.int64),
    }
    if device.type == "cuda":
        states["device"] = torch.cuda.get_rng_state(device)
    elif device.type == "mps":
        states["device"] = torch.mps.get_rng_state()
    return {f"random/{name}": state for name, state in states.items()}


def _set_random_states(states: Mapping[str, Tensor], device: torch.device) -> None:
    torch.set_rng_state(states["torch"])
    *numbers, place, has_normal = states["numpy"].tolist()
    normal = states["numpy_normal"].item()
    np.random.set_state(("MT19937", np.array(numbers, dtype=np.uint32), place, has_normal, normal))
    version, *words = states["python"].tolist()
    random.setstate((version, tuple(words), None))
    if device.type == "cuda":
        torch.cuda.set_rng_state(states["device"], device)
    elif device.type == "mps":
        torch.mps.set_rng_state(states["device"])


# ── On disk ───────────────────────────────────────────────────────────────────────────────────────────


class CheckpointFolder:
    """One run's newest checkpoint: a file of tensors, and a record that names it and is written last.

    Args:
        folder: Where it is; made with the first checkpoint.
        circumstances: What must be the same for a training to go on to the same result, as plain values.
    """

    def __init__(self, folder: Path, circumstances: Mapping[str, Any]) -> None:
        self.folder = folder
        self._circumstances = {"format": FORMAT, **circumstances}

    def write(self, snapshot: Snapshot) -> None:
        """Write a checkpoint and remove the one before; a kill at any moment leaves one of them whole.

        Raises:
            OSError: There is no room or no permission; the checkpoint before is kept.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / f"step_{len(snapshot.position.losses):08}.safetensors"
        part = file.with_suffix(".part")
        try:
            _check_room(snapshot.tensors, self.folder)
            _save(snapshot.tensors, part)
            record = Record(
                circumstances=self._circumstances,
                position=snapshot.position,
                file=file.name,
                sha256=_hash(part),
            )
            part.replace(file)
            _write_durably(self.folder / RECORD, msgspec.json.encode(record.sealed()))
        finally:
            part.unlink(missing_ok=True)
        for old in self.folder.glob("step_*"):
            if old != file:
                old.unlink()

    def read(self) -> Snapshot | None:
        """Return the newest checkpoint, None where there is none.

        Raises:
            UnusableError: It is torn, or was made under other circumstances.
        """
        path = self.folder / RECORD
        if not path.exists():
            return None
        try:
            record = msgspec.json.decode(path.read_bytes(), type=Record)
            self._check_circumstances(record.circumstances)
            file = self.folder / record.file
            if record != record.sealed() or _hash(file) != record.sha256:
                raise UnusableError("it is torn: its bytes are not those that were written")
            return Snapshot(record.position, load_file(file))
        except (OSError, msgspec.MsgspecError, SafetensorError) as error:
            raise UnusableError(f"it is torn ({type(error).__name__}: {error})") from error

    def set_aside(self, name: str) -> Path:
        """Move an unusable checkpoint to another name beside its own; what is there already goes."""
        aside = self.folder.with_name(name)
        shutil.rmtree(aside, ignore_errors=True)
        self.folder.rename(aside)
        return aside

    def _check_circumstances(self, found: Mapping[str, Any]) -> None:
        for name, wanted in self._circumstances.items():
            if found.get(name) != wanted:
                raise UnusableError(
                    f"its {name.replace('_', ' ')} is {found.get(name)!r}, here it is {wanted!r}"
                )


def _check_room(tensors: Mapping[str, Tensor], folder: Path) -> None:
    """Refuse to fill the disk to its last byte: the ledger is written there too."""
    needed = sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
    if shutil.disk_usage(folder).free < needed + SPARED_BYTES:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@contextlib.contextmanager
def _no_space_as_oserror() -> Iterator[None]:
    """Let a full disk be an OSError also where the library reports its own."""
    try:
        yield
    except SafetensorError as error:
        raise OSError(str(error)) from error


def _save(tensors: Mapping[str, Tensor], path: Path) -> None:
    with _no_space_as_oserror():
        save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path)
    with path.open("rb") as file:
        # A record must never name bytes that a power cut could still take.
        os.fsync(file.fileno())


def _write_durably(path: Path, content: bytes) -> None:
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
