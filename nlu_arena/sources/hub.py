"""Weights on the model hub at a pinned revision, in the hub client's own cache."""

from __future__ import annotations

import errno
import hashlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nlu_arena.errors import CannotStartError
from nlu_arena.sources import cache, layout
from nlu_arena.sources.child import clean_text, folder_size
from nlu_arena.sources.progress import FetchProgress, Report
from nlu_arena.spec import HubWeights, ModelSpec

_POLL_SECONDS = 0.5
_SHA256_DIGITS = 64
_SHA1_DIGITS = 40


def hub_cache() -> Path:
    """Return the hub client's cache folder, found as the client finds it but without importing it."""
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    home = os.environ.get("HF_HOME") or f"{base}/huggingface"
    folder = os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE") or f"{home}/hub"
    return Path(os.path.expandvars(folder)).expanduser()


def _repo_folder(weights: HubWeights) -> Path:
    return hub_cache() / f"models--{weights.repo.replace('/', '--')}"


def weights_dir(weights: HubWeights) -> Path | None:
    """Return the snapshot's folder when it is complete on this machine, else none."""
    folder = _repo_folder(weights) / "snapshots" / weights.revision
    if not folder.is_dir() or layout.find_problem(folder, allow_pickle=weights.allow_pickle):
        return None
    # Every repository we name has one; it holds the chat template, so a copy without it is half-fetched.
    return folder if (folder / "tokenizer_config.json").is_file() else None


def verify_weights(model: ModelSpec, weights: HubWeights) -> Path:
    """Compare every file of the snapshot with the hash that names its blob, and return the folder."""
    folder = weights_dir(weights)
    if folder is None:
        raise cache.absence(model)
    if damaged := _find_damaged(folder, weights):
        raise cache.damage(model, f"Weights file {damaged[0]} is damaged: its hash is not the hub's.")
    return folder


def _find_damaged(folder: Path, weights: HubWeights) -> list[Path]:
    """Return the files whose content is not what the hub's name for it says."""
    files = layout.find_files(folder, allow_pickle=weights.allow_pickle)
    return [file for file in files if not _is_whole(file)]


def _is_whole(file: Path) -> bool:
    """Compare a file with its blob's name: the SHA-256 of large files, git's SHA-1 of small ones."""
    name = file.resolve().name
    if len(name) == _SHA256_DIGITS:
        return cache.hash_file(file) == name
    if len(name) == _SHA1_DIGITS:
        content = file.read_bytes()
        return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest() == name
    # A copy without links (made by hand, or on a disk that has none) does not carry the hash.
    return file.suffix != ".safetensors" or not layout.find_damage(file)


def fetch_weights(model: ModelSpec, weights: HubWeights, report: Report) -> Path:
    """Download what is missing or damaged of the snapshot; the client resumes and locks by itself."""
    folder = weights_dir(weights)
    if folder is not None:
        damaged = _find_damaged(folder, weights)
        if not damaged:
            return folder
        for file in damaged:
            file.resolve().unlink()
            file.unlink(missing_ok=True)
    try:
        folder = _download(model, weights, report)
    except CannotStartError:
        raise
    except Exception as error:  # the client raises errors of several libraries: each must end in plain words
        raise _explain(model, weights, error) from error
    if problem := layout.find_problem(folder, allow_pickle=weights.allow_pickle):
        raise CannotStartError(f"{weights.repo} at {weights.revision} cannot be used: {problem}.")
    return folder


def _download(model: ModelSpec, weights: HubWeights, report: Report) -> Path:
    from huggingface_hub import get_hf_file_metadata, hf_hub_url, snapshot_download
    from huggingface_hub.utils.tqdm import disable_progress_bars

    disable_progress_bars()  # ours is shown
    # One question without retries: a hub that is away or refuses is told at once, not after half a minute.
    get_hf_file_metadata(hf_hub_url(weights.repo, layout.CONFIG, revision=weights.revision))
    # "*" also matches a slash: without the second list, onnx/model.safetensors would come along.
    allow, ignore = layout.wanted_patterns(allow_pickle=weights.allow_pickle), ["*/*"]
    planned = snapshot_download(
        weights.repo, revision=weights.revision, allow_patterns=allow, ignore_patterns=ignore, dry_run=True
    )
    total = sum(file.file_size or 0 for file in planned if file.will_download)
    cache.check_space(model, total, hub_cache(), "HF_HOME")
    with _watched(FetchProgress(model.name, f"downloading {weights.repo}", 0, total), weights, report):
        folder = snapshot_download(
            weights.repo, revision=weights.revision, allow_patterns=allow, ignore_patterns=ignore
        )
    return Path(folder)


@contextmanager
def _watched(start: FetchProgress, weights: HubWeights, report: Report) -> Iterator[None]:
    """Report how the repository's blobs grow while the client downloads."""
    blobs = _repo_folder(weights) / "blobs"
    before, ended = folder_size(blobs), threading.Event()

    def watch() -> None:
        while not ended.wait(_POLL_SECONDS):
            report(start._replace(done=min(folder_size(blobs) - before, start.total or 0)))

    report(start)
    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
    report(start._replace(done=start.total or 0))


def _explain(model: ModelSpec, weights: HubWeights, error: Exception) -> CannotStartError:
    """Return the error for a failed download: what the hub refused, and what to do."""
    from huggingface_hub import errors

    # The client's dry run wraps the reason; any other cause belongs to a message that names it already.
    wrapped = isinstance(error, errors.DryRunError) and isinstance(error.__cause__, Exception)
    cause = error.__cause__ if wrapped else error
    page = f"https://huggingface.co/{weights.repo}"
    message = f"The weights of {model.name} could not be downloaded: {weights.repo}"
    token = "set HF_TOKEN to a token of that account (or run: hf auth login)"
    if isinstance(cause, errors.GatedRepoError):
        hint = f"Sign in and accept the terms at {page}, then {token}."
        return CannotStartError(f"{message} is gated: only accounts that accepted its terms get it.", hint)
    if isinstance(cause, errors.RepositoryNotFoundError):
        hint = f"Check that {page} exists; if it needs an account, {token}."
        return CannotStartError(f"{message} does not exist on the hub, or it is private.", hint)
    if isinstance(cause, errors.RevisionNotFoundError):
        return CannotStartError(f"{message} has no revision {weights.revision}.", "Correct the manifest.")
    if isinstance(cause, errors.OfflineModeIsEnabled):
        return CannotStartError(
            f"{message}: HF_HUB_OFFLINE is set and it is not on this machine.", "Unset it."
        )
    if isinstance(cause, OSError) and cause.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        hint = "Free some space, or set HF_HOME to a folder on another disk."
        return CannotStartError(f"{message}: the disk of {hub_cache()} is full.", hint)
    lines = clean_text(str(cause)).strip().splitlines() or [type(cause).__name__]
    hint = f"Check the network (and HF_ENDPOINT, if set); then: nlu-arena pull --model {model.name}"
    return CannotStartError(f"{message}: {lines[0]}", hint)
