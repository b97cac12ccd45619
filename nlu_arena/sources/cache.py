"""The cache of fetched weights: one folder a model, its marker written last, built under a lock."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from nlu_arena import paths
from nlu_arena.errors import CannotStartError
from nlu_arena.sources.progress import FetchProgress, Report
from nlu_arena.spec import ModelSpec, Spec

MARKER = "arena.json"
# Part of the marker: raise it when a conversion would write other weights than before.
FORMAT = 1


class FileSum(Spec, frozen=True):
    """The size and the SHA-256 of one file of a weights folder."""

    size: int
    sha256: str


class Marker(Spec, frozen=True):
    """What a weights folder holds and where it came from; a folder without it is not complete."""

    format: int
    source: str
    identity: str
    quantisation: str
    files: dict[str, FileSum]


def weights_folder(name: str, identity: str) -> Path:
    """Return the folder in the cache for a model of this name and these weights."""
    digest = hashlib.sha256(identity.encode()).hexdigest()[:12]
    return paths.cache_dir() / "models" / f"{name}-{digest}"


def hash_file(file: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def read_marker(folder: Path, identity: str) -> Marker | None:
    """Return the marker of a folder, or none when it is absent, unreadable or of other weights."""
    try:
        marker = msgspec.json.decode((folder / MARKER).read_bytes(), type=Marker)
    except (OSError, msgspec.MsgspecError):
        return None
    return marker if (marker.format, marker.identity) == (FORMAT, identity) else None


def write_marker(folder: Path, *, source: str, identity: str, quantisation: str) -> None:
    """Hash every file of a folder and write its marker."""
    files = {f.name: FileSum(size=f.stat().st_size, sha256=hash_file(f)) for f in sorted(folder.iterdir())}
    marker = Marker(format=FORMAT, source=source, identity=identity, quantisation=quantisation, files=files)
    (folder / MARKER).write_bytes(msgspec.json.format(msgspec.json.encode(marker), indent=2))


def check_files(model: ModelSpec, folder: Path, files: dict[str, FileSum]) -> None:
    """Compare every file of a weights folder with what it must be.

    Raises:
        CannotStartError: a file is missing, truncated or damaged; names it and the repairing command.
    """
    for name, expected in files.items():
        file = folder / name
        if not file.is_file():
            raise damage(model, f"Weights file {file} is missing.")
        size = file.stat().st_size
        if size < expected.size:
            raise damage(model, f"Weights file {file} is truncated: {size} of {expected.size} bytes.")
        if (found := hash_file(file)) != expected.sha256:
            what = f"its SHA-256 is {found} but {expected.sha256} is expected"
            raise damage(model, f"Weights file {file} is damaged: {what}.")


def absence(model: ModelSpec) -> CannotStartError:
    """Return the error for weights that were never fetched."""
    return CannotStartError(
        f"The weights of {model.name} are not on this machine.",
        hint=f"Fetch them with: nlu-arena pull --model {model.name}",
    )


def damage(model: ModelSpec, message: str) -> CannotStartError:
    """Return the error for weights that must be fetched again."""
    return CannotStartError(message, hint=f"Repair it with: nlu-arena pull --model {model.name}")


@contextmanager
def hold_lock(folder: Path, model: ModelSpec, report: Report) -> Iterator[int]:
    """Hold the lock of one weights folder, waiting for another process that fetches it.

    Yields:
        The lock's descriptor: a child that inherits it keeps the lock as long as it still writes.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report(FetchProgress(model.name, "waiting for another process that fetches it", 0, None))
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock.fileno()


@contextmanager
def build_folder(folder: Path) -> Iterator[Path]:
    """Give a temporary sibling to build in; its subfolder `weights` becomes the folder at the end.

    The lock must be held: any other temporary sibling then belongs to a dead process and is removed.
    """
    for leftover in folder.parent.glob(f"{folder.name}.tmp-*"):
        shutil.rmtree(leftover)
    temporary = Path(tempfile.mkdtemp(prefix=f"{folder.name}.tmp-", dir=folder.parent))
    try:
        built = temporary / "weights"
        built.mkdir()
        yield temporary
        if folder.exists():
            folder.rename(temporary / "replaced")
        built.rename(folder)
    finally:
        # What cannot be removed now (a child still writes) is removed by the next fetch.
        shutil.rmtree(temporary, ignore_errors=True)


def check_space(owner: str, needed: int, target: Path, variable: str) -> None:
    """Refuse to begin when a disk cannot hold what will be written.

    Args:
        owner: the model or task whose files will be fetched.
        needed: bytes.
        target: the folder, which need not exist yet.
        variable: what moves that folder to another disk.
    """
    existing = next(folder for folder in (target, *target.absolute().parents) if folder.exists())
    free = shutil.disk_usage(existing).free
    if free < needed:
        raise CannotStartError(
            f"Fetching {owner} needs about {needed / 1e6:,.0f} MB in {target}, "
            f"but only {free / 1e6:,.0f} MB are free.",
            hint=f"Free some space, or set {variable} to a folder on another disk.",
        )
