"""The stand-in hub for its own tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.standin import StandInHub, build_repositories


@pytest.fixture
def standin_hub() -> Iterator[StandInHub]:
    """A hub without faults and with an empty log."""
    with StandInHub(build_repositories()) as hub:
        yield hub
