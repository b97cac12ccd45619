"""A repository of the hub at one commit: its files, named by the hashes that git and git-lfs give them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any, Literal

Kind = Literal["models", "datasets"]
LFS_SUFFIXES = {".safetensors", ".bin", ".h5", ".msgpack", ".ot", ".onnx", ".model", ".parquet"}


@dataclass(frozen=True)
class Blob:
    """One file's content with its names."""

    path: str
    content: bytes

    @cached_property
    def sha256(self) -> str:
        """The name of a large file; empty for a small one, which lies in git itself."""
        is_large = PurePosixPath(self.path).suffix in LFS_SUFFIXES
        return hashlib.sha256(self.content).hexdigest() if is_large else ""

    @cached_property
    def oid(self) -> str:
        """Git's name of the file, which for a large one is that of the pointer to it."""
        return git_hash(self._pointer if self.sha256 else self.content)

    @property
    def etag(self) -> str:
        return self.sha256 or self.oid

    def entry(self) -> dict[str, Any]:
        """Describe the file as a tree listing does."""
        entry = {"type": "file", "oid": self.oid, "size": len(self.content), "path": self.path}
        if not self.sha256:
            return entry
        size = {"size": len(self.content), "pointerSize": len(self._pointer)}
        return entry | {"lfs": {"oid": self.sha256, **size}}

    @property
    def _pointer(self) -> bytes:
        lines = f"oid sha256:{self.sha256}\nsize {len(self.content)}\n"
        return f"version https://git-lfs.github.com/spec/v1\n{lines}".encode()


@dataclass(frozen=True)
class Repository:
    """A repository at its one commit, which the branch "main" also names."""

    name: str
    revision: str
    files: dict[str, bytes]
    kind: Kind = "models"
    gated: bool = False

    @cached_property
    def blobs(self) -> dict[str, Blob]:
        return {path: Blob(path, content) for path, content in sorted(self.files.items())}

    def tree(self, folder: str, *, recursive: bool) -> list[dict[str, Any]]:
        """List a folder as the hub does; an empty list where there is none."""
        return list(self._walk(f"{folder}/" if folder else "", recursive=recursive))

    def info(self) -> dict[str, Any]:
        """Describe the repository as the hub's API does."""
        return {
            "_id": git_hash(self.name.encode())[:24],
            "id": self.name,
            "modelId": self.name,
            "sha": self.revision,
            "private": False,
            "gated": "manual" if self.gated else False,
            "disabled": False,
            "downloads": 0,
            "likes": 0,
            "tags": [],
            "createdAt": "2024-01-01T00:00:00.000Z",
            "lastModified": "2024-01-01T00:00:00.000Z",
            "siblings": [{"rfilename": path} for path in self.blobs],
        }

    def _walk(self, prefix: str, *, recursive: bool) -> Iterator[dict[str, Any]]:
        seen: set[str] = set()
        for path, blob in self.blobs.items():
            if not path.startswith(prefix):
                continue
            *folders, _ = path.removeprefix(prefix).split("/")
            for depth in range(1, len(folders) + 1 if recursive else min(len(folders), 1) + 1):
                folder = prefix + "/".join(folders[:depth])
                if folder not in seen:
                    seen.add(folder)
                    yield {"type": "directory", "oid": git_hash(folder.encode()), "size": 0, "path": folder}
            if recursive or not folders:
                yield blob.entry()


def git_hash(content: bytes) -> str:
    """Return git's SHA-1 of a file with this content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
