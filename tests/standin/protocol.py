"""What the hub answers: the repository interface, the file addresses, and the store of large files."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote

from tests.standin.repository import Blob, Repository

# An account that has accepted the terms of the gated repositories, and one that has not.
MEMBER = "hf_member"
STRANGER = "hf_stranger"

_API = re.compile(
    r"/api/(models|datasets)/([^/]+/[^/]+)(?:/(revision|tree|paths-info|auth-check)(?:/(.*))?)?"
)
_RESOLVE = re.compile(r"/(datasets/)?([^/]+/[^/]+)/resolve/([^/]+)/(.+)")
_CACHED = re.compile(r"/api/resolve-cache/(models|datasets)/([^/]+/[^/]+)/([^/]+)/(.+)")
_STORED = re.compile(r"/(models|datasets)/([^/]+/[^/]+)/([0-9a-f]{64})/(.+)")
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


@dataclass(frozen=True)
class Answer:
    """A response; `file` is "org/name/path" when its content is a file's."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes = b""
    file: str = ""


class RefusedError(Exception):
    """A request that is answered with an error."""

    def __init__(self, status: int, message: str, code: str = "", **headers: str) -> None:
        super().__init__(message)
        coded = {"X-Error-Code": code} if code else {}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        content = json.dumps({"error": message}).encode()
        told = {"X-Error-Message": message, "Content-Type": "application/json", **coded, **named}
        self.answer = Answer(status, told, content)


@dataclass(frozen=True)
class Site:
    """The hub's repositories, and the address of the host that stores its large files."""

    repositories: Sequence[Repository]
    store: str

    def answer(self, target: str, authorization: str, body: bytes) -> Answer:
        """Answer a request to the hub itself."""
        path, _, query = target.partition("?")
        account = _find_account(authorization)
        if path == "/api/whoami-v2":
            return _whoami(account)
        if match := _CACHED.fullmatch(path):
            repository = self._find(match[1], match[2], account)
            _check_access(repository, account)
            return _serve(repository, _find_blob(repository, unquote(match[4])))
        if match := _API.fullmatch(path):
            asked = parse_qs(query) | parse_qs(body.decode())
            repository = self._find(match[1], match[2], account)
            return _interface(repository, match[3] or "revision", match[4] or "", asked, account)
        if match := _RESOLVE.fullmatch(path):
            repository = self._find("datasets" if match[1] else "models", match[2], account)
            return self._resolve(repository, unquote(match[3]), unquote(match[4]), account)
        raise RefusedError(404, "Sorry, we can't find the page you are looking for.")

    def answer_store(self, target: str, authorization: str, body: bytes) -> Answer:
        """Answer a request to the store of large files, where an address is its own permission."""
        match = _STORED.fullmatch(target.partition("?")[0])
        if match is None:
            raise RefusedError(403, "AccessDenied")
        repository = self._find(match[1], match[2], MEMBER)
        return _serve(repository, _find_blob(repository, unquote(match[4])))

    def _find(self, kind: str, name: str, account: str) -> Repository:
        for repository in self.repositories:
            if (repository.kind, repository.name) == (kind, name):
                return repository
        # Who is not signed in could not know a private repository from an absent one.
        if account:
            raise RefusedError(404, "Repository not found", "RepoNotFound")
        raise RefusedError(401, "Invalid username or password.", "RepoNotFound")

    def _resolve(self, repository: Repository, revision: str, path: str, account: str) -> Answer:
        """Send to a file: a large one lies on another host, a small one at another address of this one."""
        _check_access(repository, account)
        _check_revision(repository, revision)
        blob = _find_blob(repository, path)
        here = f"/api/resolve-cache/{repository.kind}/{repository.name}/{repository.revision}/{path}"
        there = f"{self.store}/{repository.kind}/{repository.name}/{blob.sha256}/{path}"
        headers = {
            "Location": there if blob.sha256 else here,
            "X-Repo-Commit": repository.revision,
            "X-Linked-Size": str(len(blob.content)),
            "X-Linked-Etag": f'"{blob.etag}"',
        }
        return Answer(302 if blob.sha256 else 307, headers)


def select_range(answer: Answer, asked: str) -> Answer:
    """Return the part of a file that a Range header asks for; the answer itself where it asks for none."""
    match = _RANGE.fullmatch(asked)
    if match is None or not answer.file or answer.status != 200:
        return answer
    size = len(answer.content)
    start, end = int(match[1]), min(int(match[2] or size - 1), size - 1)
    if start > end:
        return Answer(416, {"Content-Range": f"bytes */{size}"})
    headers = answer.headers | {"Content-Range": f"bytes {start}-{end}/{size}"}
    return Answer(206, headers, answer.content[start : end + 1], answer.file)


def _find_account(authorization: str) -> str:
    """Return the token of a known account, or an empty text for nobody."""
    token = authorization.removeprefix("Bearer ")
    if token not in ("", MEMBER, STRANGER):
        raise RefusedError(401, "Invalid credentials in Authorization header")
    return token


def _check_access(repository: Repository, account: str) -> None:
    restricted = f"Access to model {repository.name} is restricted"
    if repository.gated and not account:
        told = f"{restricted}. You must have access to it and be authenticated to access it. Please log in."
        raise RefusedError(401, told, "GatedRepo")
    if repository.gated and account != MEMBER:
        page = f"https://huggingface.co/{repository.name}"
        told = f"{restricted} and you are not in the authorized list. Visit {page} to ask for access."
        raise RefusedError(403, told, "GatedRepo")


def _check_revision(repository: Repository, revision: str) -> None:
    if revision not in ("main", repository.revision):
        raise RefusedError(404, f"Invalid rev id: {revision}", "RevisionNotFound")


def _find_blob(repository: Repository, path: str) -> Blob:
    blob = repository.blobs.get(path)
    if blob is None:
        commit = repository.revision
        raise RefusedError(404, "Entry not found", "EntryNotFound", X_Repo_Commit=commit)
    return blob


def _serve(repository: Repository, blob: Blob) -> Answer:
    headers = {
        "ETag": f'"{blob.etag}"',
        "X-Repo-Commit": repository.revision,
        "Accept-Ranges": "bytes",
        "Content-Type": "application/octet-stream" if blob.sha256 else "text/plain; charset=utf-8",
    }
    return Answer(200, headers, blob.content, f"{repository.name}/{blob.path}")


def _interface(
    repository: Repository, what: str, rest: str, asked: dict[str, list[str]], account: str
) -> Answer:
    """Answer what the hub's API is asked about a repository: a gated one's file names are public."""
    revision, _, folder = rest.partition("/")
    _check_revision(repository, unquote(revision) or "main")
    if what == "auth-check":
        _check_access(repository, account)
        return Answer(200)
    if what == "revision":
        return _json(repository.info())
    if what == "paths-info":
        listed = repository.tree("", recursive=True)
        return _json([entry for entry in listed if entry["path"] in asked.get("paths", [])])
    recursive = asked.get("recursive", ["false"])[0].lower() in ("true", "1")
    found = repository.tree(unquote(folder), recursive=recursive)
    if not found:
        raise RefusedError(404, f"{unquote(folder)} does not exist on {revision!r}", "EntryNotFound")
    return _json(found)


def _whoami(account: str) -> Answer:
    if not account:
        raise RefusedError(401, "Invalid username or password.")
    return _json({"type": "user", "id": account, "name": account.removeprefix("hf_"), "orgs": []})


def _json(value: Any) -> Answer:
    return Answer(200, {"Content-Type": "application/json; charset=utf-8"}, json.dumps(value).encode())
