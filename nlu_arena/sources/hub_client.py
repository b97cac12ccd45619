"""Talking to the model hub through its own client: a short question, and downloads with patience."""

from __future__ import annotations

import contextlib
import http.client
import os
import queue
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from nlu_arena.sources import cache, hub
from nlu_arena.sources.child import folder_size
from nlu_arena.sources.hub_errors import (
    asked_pause,
    describe,
    explain,
    find_passing,
    silence,
)
from nlu_arena.sources.progress import FetchProgress, Report

T = TypeVar("T")

# How long one question to an unknown network may take, in seconds; resolving a name has no limit of its own.
PROBE_SECONDS = 3.0
# The same before a download, which nobody asks for in a hurry: a proxy may be slow.
PATIENT_PROBE_SECONDS = 15.0
# Seconds between tries while a busy hub or a broken line lasts; a download that has grown gets them anew.
PAUSES = (1.0, 2.0, 4.0, 8.0)
# Before a sweep a busy hub is asked a little, a missing one not again.
SHORT_PAUSES = (0.5, 1.0, 2.0)
_POLL_SECONDS = 0.5


def hub_answers(timeout: float = PROBE_SECONDS) -> bool:
    """Say whether anything answers at the hub's address: one short question, never repeated."""
    said: queue.SimpleQueue[bool] = queue.SimpleQueue()
    # A thread of its own: looking up a name can hang longer than any limit given to it.
    threading.Thread(target=lambda: said.put(_knock(timeout)), daemon=True).start()
    try:
        return said.get(timeout=timeout)
    except queue.Empty:
        return False


def _knock(timeout: float) -> bool:
    request = urllib.request.Request(hub.endpoint(), method="HEAD")
    try:
        urllib.request.urlopen(request, timeout=timeout).close()
    except urllib.error.HTTPError:
        return True  # A refusal is an answer.
    except (OSError, ValueError, http.client.HTTPException) as error:
        # So is an unknown certificate: the client may have been told to trust it.
        return "CERTIFICATE_VERIFY_FAILED" in str(error)
    return True


def ask(repo: hub.Repo, pauses: tuple[float, ...] = SHORT_PAUSES) -> dict[str, int]:
    """Ask the hub for a repository without downloading anything.

    Args:
        repo: What is needed of it.
        pauses: Seconds between tries while the hub is busy.

    Returns:
        The names of all its files, with the bytes that would be fetched of each.

    Raises:
        CannotStartError: It is missing, gated, or the hub does not answer; says what to do.
    """
    _prepare_client()
    from huggingface_hub import HfApi
    from huggingface_hub.hf_api import RepoFile

    try:
        # A gated repository lists its files to everyone: access is tried with one of them.
        persist(lambda: _touch(repo), pauses=pauses)
        # The client tries a listing again by itself.
        tree = HfApi().list_repo_tree(repo.name, revision=repo.revision, repo_type=repo.kind, recursive=True)
        sizes = {file.path: file.size for file in tree if isinstance(file, RepoFile)}
    except Exception as error:  # the client raises errors of several libraries: each must end in plain words
        raise explain(repo, error) from error
    absent = {name for name in sizes if repo.needs(name) and not (repo.snapshot / name).is_file()}
    return {name: size if name in absent else 0 for name, size in sizes.items()}


def _touch(repo: hub.Repo) -> None:
    """Ask for the first file's metadata; one that a repository does not have is no obstacle."""
    from huggingface_hub import get_hf_file_metadata, hf_hub_url
    from huggingface_hub.errors import EntryNotFoundError

    address = hf_hub_url(repo.name, repo.first_file, revision=repo.revision, repo_type=repo.kind)
    with contextlib.suppress(EntryNotFoundError):
        get_hf_file_metadata(address)


def download(repo: hub.Repo, report: Report, check: Callable[[Collection[str]], None]) -> Path:
    """Download what the snapshot lacks and return its folder.

    Whole files are kept when the rest fails. The client goes on inside a file whose connection was closed,
    and begins it anew after other errors.

    Args:
        repo: What is needed.
        report: Told how much has come.
        check: Refuses a repository by the names of all its files, before anything is fetched.

    Raises:
        CannotStartError: It cannot be had; says why and what to do.
    """
    _prepare_client()
    from huggingface_hub import snapshot_download

    if not hub.is_offline() and not hub_answers(PATIENT_PROBE_SECONDS):
        raise silence(repo)
    sizes = ask(repo, PAUSES)
    check(sizes)
    hub.remove_abandoned(repo)
    total = sum(size for name, size in sizes.items() if repo.needs(name))
    cache.check_space(repo.owner, total, hub.hub_cache(), "HF_HOME")
    start = FetchProgress(repo.owner, f"downloading {repo.name}", 0, total)
    blobs = repo.folder / "blobs"

    def fetch() -> Path:
        folder = snapshot_download(
            repo.name,
            repo_type=repo.kind,
            revision=repo.revision,
            allow_patterns=list(repo.wanted),
            ignore_patterns=list(repo.unwanted),
        )
        return Path(folder)

    def wait(seconds: float, error: Exception) -> None:
        report(FetchProgress(repo.owner, f"{describe(error)}; trying again in {seconds:g} s", 0, None))
        time.sleep(seconds)

    try:
        with _watched(start, blobs, report):
            return persist(fetch, grown=lambda: folder_size(blobs), wait=wait)
    except Exception as error:  # as above
        raise explain(repo, error) from error


def persist(
    action: Callable[[], T],
    *,
    grown: Callable[[], int] = lambda: 0,
    wait: Callable[[float, Exception], None] = lambda seconds, _: time.sleep(seconds),
    pauses: tuple[float, ...] = PAUSES,
) -> T:
    """Do something with the hub, again after errors that may pass, with longer and longer pauses.

    Args:
        action: What to do; its last error is raised when all tries are used up.
        grown: A count that rises with what has been achieved: progress gives all tries back.
        wait: Waits some seconds because of an error.
        pauses: Seconds between tries.
    """
    left, size = list(pauses), grown()
    while True:
        try:
            return action()
        except Exception as error:
            passing = find_passing(error)
            if passing is None:
                raise
            if (now := grown()) > size:
                left, size = list(pauses), now
            if not left:
                raise
            wait(max(left.pop(0), asked_pause(passing)), passing)


def _prepare_client() -> None:
    """Set the client up before it is first used: plain HTTP, and neither bars nor warnings of its own."""
    # Its other way of transfer tells neither a full disk nor an error that may pass. The client reads the
    # variable when it is imported.
    os.environ.setdefault("HF_HUB_DISABLE_XET", "1")
    from huggingface_hub.utils import logging
    from huggingface_hub.utils.tqdm import disable_progress_bars

    disable_progress_bars()  # ours is shown
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]


@contextmanager
def _watched(start: FetchProgress, blobs: Path, report: Report) -> Iterator[None]:
    """Report how the repository's blobs grow while the client downloads."""
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
