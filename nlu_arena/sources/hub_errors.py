"""What went wrong on the line or at the hub: what may pass by itself, and what a person must do."""

from __future__ import annotations

import errno
from collections.abc import Iterator

from nlu_arena.errors import CannotStartError
from nlu_arena.sources import hub
from nlu_arena.sources.child import clean_text

# What a hub may ask us to wait at most ("Retry-After"), in seconds.
LONGEST_PAUSE = 60.0
PASSING_STATUS = {408, 425, 429, 500, 502, 503, 504}
_DISK_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def find_passing(error: BaseException) -> Exception | None:
    """Return the error in a chain of causes that may pass by itself: a busy hub, a broken line."""
    from huggingface_hub.errors import HfHubHTTPError

    for cause in _causes(error):
        if isinstance(cause, HfHubHTTPError):
            return cause if cause.response.status_code in PASSING_STATUS else None
        # The client's HTTP library is its own business; all of its line errors have this ancestor.
        is_line = any(ancestor.__name__ == "TransportError" for ancestor in type(cause).__mro__)
        if is_line or "Consistency check failed" in str(cause):
            return cause
    return None


def find_disk_error(error: BaseException) -> OSError | None:
    """Return the error in a chain of causes that says that a disk is full."""
    full = (c for c in _causes(error) if isinstance(c, OSError) and c.errno in _DISK_FULL)
    return next(full, None)


def asked_pause(error: Exception) -> float:
    """Return how many seconds the hub asks us to wait, 0 where it does not say."""
    headers = getattr(getattr(error, "response", None), "headers", {})
    asked = str(headers.get("Retry-After", ""))
    return min(float(asked), LONGEST_PAUSE) if asked.isdecimal() else 0.0


def describe(error: Exception) -> str:
    """Say in a few words what went wrong on the line or at the hub."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status is not None:
        return f"the hub answers {status} ({'too many requests' if status == 429 else 'busy or down'})"
    if "Consistency check" in str(error):
        return "the hub broke off a file"
    return f"the connection to the hub failed ({_first_line(error)})"


def silence(repo: hub.Repo) -> CannotStartError:
    """Return the error for a hub that does not answer at all."""
    return CannotStartError(
        f"{_begin(repo)}: {hub.endpoint()} does not answer",
        f"Check the network (and HF_ENDPOINT, if set); then: {repo.repair}",
    )


def explain(repo: hub.Repo, error: Exception) -> CannotStartError:
    """Return the error for a request that failed: what the hub refused, and what to do."""
    message = _begin(repo)
    for cause in _causes(error):
        if refusal := _explain_refusal(repo, cause):
            return CannotStartError(f"{message}{refusal[0]}", refusal[1])
    if (full := find_disk_error(error)) is not None:
        where = full.filename or hub.hub_cache()
        return CannotStartError(
            f"{message}: the disk is full ({where}). Nothing half-written was kept.",
            "Free some space, or set HF_HOME to a folder on another disk.",
        )
    passing = find_passing(error)
    reason = _first_line(error) if passing is None else describe(passing)
    again = f"Check the network (and HF_ENDPOINT, if set); then: {repo.repair}"
    return CannotStartError(f"{message}: {reason}", again)


def _begin(repo: hub.Repo) -> str:
    return f"{repo.use[0].upper()}{repo.use[1:]} could not be downloaded: {repo.name}"


def _explain_refusal(  # noqa: PLR0911 - a table of refusals
    repo: hub.Repo, cause: BaseException
) -> tuple[str, str] | None:
    """Return the end of the message and the hint for what no patience changes, None for other errors."""
    from huggingface_hub import errors

    token = "set HF_TOKEN to a token of that account (or run: hf auth login)"
    match cause:
        case errors.GatedRepoError():
            said = f" is gated: only accounts that accepted its terms get it{_quote(cause)}."
            return said, f"Sign in and accept the terms at {repo.page}, then {token}."
        case errors.RepositoryNotFoundError():
            said = " does not exist on the hub, or it is private."
            return said, f"Check that {repo.page} exists; if it needs an account, {token}."
        case errors.RevisionNotFoundError():
            return f" has no revision {repo.revision}.", f"Correct the manifest of {repo.owner}."
        case errors.OfflineModeIsEnabled():
            return ": HF_HUB_OFFLINE is set and it is not on this machine.", "Unset it."
        case errors.HfHubHTTPError() if cause.response.status_code == 401:
            said = f": the hub does not accept the token{_quote(cause)}."
            return said, "Correct HF_TOKEN, or unset it: public repositories need none (hf auth logout)."
        case errors.HfHubHTTPError() if cause.response.status_code == 403:
            said = f": access is forbidden{_quote(cause)}."
            return said, "Check what the token (HF_TOKEN) may read, and the proxy if there is one."
        case _:
            return None


def _quote(error: Exception) -> str:
    """Return the hub's own reason in brackets, where it gives one."""
    said = clean_text(str(getattr(error, "server_message", None) or "")).strip().rstrip(".")
    return f" (the hub says: {' '.join(said.split())})" if said else ""


def _first_line(error: BaseException) -> str:
    lines = clean_text(str(error)).strip().splitlines() or [type(error).__name__]
    return lines[0]


def _causes(error: BaseException) -> Iterator[Exception]:
    """Return an error and what caused it: the client wraps the reason, sometimes twice."""
    cause: BaseException | None = error
    while isinstance(cause, Exception):
        yield cause
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
