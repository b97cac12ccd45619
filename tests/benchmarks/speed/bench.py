"""What was asked for on the command line, as the parts read it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch

from nlu_arena.spec import Precision


class Bench(NamedTuple):
    """The options of a benchmark; `fast` is the precision that `run` takes on this device."""

    glue: Path
    device: torch.device
    fast: Precision
    repeats: int
    tasks: Sequence[str]
    examples: int | None
    train_rows: int | None
    before: str | None
    is_quick: bool
    is_full: bool
    has_peers: bool

    @property
    def precisions(self) -> list[Precision]:
        """Return the precisions that scoring is compared in."""
        return list(dict.fromkeys(["float32", self.fast]))

    def size(self, usual: int, quick: int) -> int:
        """Return how many examples are scored."""
        return self.examples or (quick if self.is_quick else usual)

    def rows(self, usual: int, quick: int) -> int:
        """Return how many examples are trained on."""
        return self.train_rows or (quick if self.is_quick else usual)


def say(text: str) -> None:
    """Narrate what is under way, on stderr: stdout is for the table."""
    print(text, file=sys.stderr, flush=True)
