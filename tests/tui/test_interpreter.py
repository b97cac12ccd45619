from __future__ import annotations

import gc
import sys
from collections.abc import Iterator

import pytest

from nlu_arena.tui.interpreter import hurry, putting_off_garbage, settle


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    interval = sys.getswitchinterval()
    yield
    gc.enable()
    sys.setswitchinterval(interval)


def test_garbage_waits_from_the_start_until_the_first_paint() -> None:
    hurry()
    assert not gc.isenabled()
    settle()
    assert gc.isenabled()


def test_a_thread_that_computes_soon_lets_the_keys_in() -> None:
    hurry()
    settle()
    # A key and its paint change threads a dozen times; 100 ms is what a person feels.
    assert 12 * sys.getswitchinterval() < 0.01


def test_garbage_waits_while_something_large_is_made_and_after_an_error_no_longer() -> None:
    found = []

    def fail() -> None:
        with putting_off_garbage():
            found.append(gc.isenabled())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert [*found, gc.isenabled()] == [False, True]


def test_what_was_made_meanwhile_is_not_searched_right_after() -> None:
    with putting_off_garbage():
        made = [[place] for place in range(5000)]
    assert not any(one is made[0] for one in gc.get_objects(generation=0))
    assert any(one is made[0] for one in gc.get_objects(generation=2))
