"""Repositories on the model hub at a pinned commit, in the client's own cache, read without the client."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from fnmatch import fnmatch
from pathlib import Path
from typing import Literal, NamedTuple

from nlu_arena.sources import cache, layout

DEFAULT_ENDPOINT = "https://huggingface.co"
# How long nobody has written to a half-written file that is then given up.
ABANDONED_SECONDS = 3600.0
_SHA256_DIGITS = 64
_SHA1_DIGITS = 40
_TRUE = {"1", "ON", "YES", "TRUE"}


class Repo(NamedTuple):
    """What one model or task needs of a repository.

    `owner` is the model or task, `use` names the files for messages ("the weights of bert-base"), `repair` is
    the command that fetches them; access is tried with `first_file`. A file is needed when it matches one of
    `wanted` and none of `unwanted`; a star also matches a slash, as it does for the client.
    """

    kind: Literal["model", "dataset"]
    name: str
    revision: str
    owner: str
    use: str
    repair: str
    first_file: str
    wanted: tuple[str, ...]
    unwanted: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        """Return the repository's folder in the client's cache."""
        return hub_cache() / f"{self.kind}s--{self.name.replace('/', '--')}"

    @property
    def snapshot(self) -> Path:
        """Return the folder of the pinned commit, which need not exist."""
        return self.folder / "snapshots" / self.revision

    @property
    def page(self) -> str:
        """Return the page that people open: terms are accepted at the hub itself, not at a mirror."""
        return f"{DEFAULT_ENDPOINT}/{'datasets/' if self.kind == 'dataset' else ''}{self.name}"

    def needs(self, file: str) -> bool:
        """Say whether a file of the repository is needed."""
        wanted = any(fnmatch(file, pattern) for pattern in self.wanted)
        return wanted and not any(fnmatch(file, pattern) for pattern in self.unwanted)


def endpoint() -> str:
    """Return the hub's address: HF_ENDPOINT or the public one."""
    return (os.environ.get("HF_ENDPOINT") or DEFAULT_ENDPOINT).rstrip("/")


def is_offline() -> bool:
    """Say whether the client's variables forbid it to use the network."""
    value = os.environ.get("HF_HUB_OFFLINE") or os.environ.get("TRANSFORMERS_OFFLINE") or ""
    return value.upper() in _TRUE


def hub_cache() -> Path:
    """Return the hub client's cache folder, found as the client finds it but without importing it."""
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    home = os.environ.get("HF_HOME") or f"{base}/huggingface"
    folder = os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE") or f"{home}/hub"
    return Path(os.path.expandvars(folder)).expanduser()


def list_files(repo: Repo) -> dict[str, str] | None:
    """Return the needed files and their hashes as the hub listed them, None where no listing was kept.

    The client keeps the listing of a commit beside its snapshots before it downloads the first file: with it
    a snapshot whose download was cut off is told from a whole one.
    """
    try:
        listing = json.loads((repo.folder / "trees" / f"{repo.revision}.json").read_text(encoding="utf-8"))
        entries = listing["files"].items()
        files = {name: str(entry.get("lfs_sha256") or entry["blob_id"]) for name, entry in entries}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return {name: digest for name, digest in files.items() if repo.needs(name)}


def is_cut_off(repo: Repo) -> bool:
    """Say whether the listing names a needed file that the snapshot does not have."""
    return any(not (repo.snapshot / name).is_file() for name in list_files(repo) or {})


def find_damaged(repo: Repo, files: list[Path]) -> list[Path]:
    """Return the files of the snapshot whose content is not what the hub's hash for it says."""
    digests = list_files(repo) or {}
    return [f for f in files if not _is_whole(f, digests.get(f.relative_to(repo.snapshot).as_posix()))]


def remove_files(files: list[Path]) -> None:
    """Remove files of a snapshot with the repository's own blobs, so that the client fetches them again."""
    for file in files:
        if file.is_symlink():
            (file.parent / file.readlink()).unlink(missing_ok=True)
        file.unlink(missing_ok=True)


def remove_abandoned(repo: Repo) -> None:
    """Remove half-written files of killed processes: the client gives each download a name of its own."""
    for part in (repo.folder / "blobs").glob("*.incomplete"):
        with contextlib.suppress(OSError):
            # One that is being written was touched a moment ago.
            if time.time() - part.stat().st_mtime > ABANDONED_SECONDS:
                part.unlink()


def _is_whole(file: Path, listed: str | None) -> bool:
    """Compare a file with its hash: the SHA-256 of large files, git's SHA-1 of small ones.

    Without a listing the blob's name is the hash.
    """
    # One link deep: what it leads to may be a link itself, into a store that names files by other hashes.
    digest = listed or (file.readlink().name if file.is_symlink() else file.name)
    if len(digest) == _SHA256_DIGITS:
        return cache.hash_file(file) == digest
    if len(digest) == _SHA1_DIGITS:
        blob = b"blob %d\0%b" % (file.stat().st_size, file.read_bytes())
        return hashlib.sha1(blob, usedforsecurity=False).hexdigest() == digest
    # A copy without links and listing (made by hand) does not carry the hash.
    return file.suffix != ".safetensors" or not layout.find_damage(file)
