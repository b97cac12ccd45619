"""A stand-in for the model hub: small repositories of the real formats, served by the real protocol."""

from __future__ import annotations

import functools

from tests.standin.faults import Faults
from tests.standin.repository import Repository
from tests.standin.server import Request, StandInHub

__all__ = ["Faults", "Repository", "Request", "StandInHub", "build_repositories"]


@functools.cache
def build_repositories() -> tuple[Repository, ...]:
    """Return the repositories that the full profile names, built once in a test session."""
    from tests.standin.checkpoints import build_models
    from tests.standin.glue import build_glue

    return (*build_models(), build_glue())
