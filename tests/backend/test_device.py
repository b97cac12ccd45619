"""The C library's memory during a training: freed blocks are kept, and given back whatever ends it."""

from __future__ import annotations

import platform
import resource
from contextlib import suppress
from pathlib import Path

import pytest
import torch

from nlu_arena.backend.device import freed_memory_kept

BLOCK = 64 * 2**20


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def touch_and_free() -> None:
    torch.ones(BLOCK, dtype=torch.uint8)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has the means")
def test_freed_memory_is_kept_while_it_lasts_and_given_back_also_after_an_error() -> None:
    touch_and_free()
    before = resident()
    with suppress(MemoryError), freed_memory_kept():
        touch_and_free()
        assert resident() - before > BLOCK // 2
        raise MemoryError
    assert resident() - before < BLOCK // 4
    # Large blocks are taken from the system and returned to it again, as before.
    touch_and_free()
    assert resident() - before < BLOCK // 4
