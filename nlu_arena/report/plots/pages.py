"""A plot as pictures of bounded size: what does not fit into one goes on in the next."""

from __future__ import annotations

import itertools
import logging
import math
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from nlu_arena.replacement import replacing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Item = TypeVar("Item")

# matplotlib reports missing fonts and its font cache through logging, which would end up on the terminal.
logging.getLogger("matplotlib").addHandler(logging.NullHandler())


class Page(NamedTuple):
    """A picture that is drawn and not written yet, with a sentence that says what it shows."""

    figure: Figure
    caption: str


class Picture(NamedTuple):
    """A written picture: its file, and a sentence that says what it shows."""

    path: Path
    caption: str


def save_pages(pages: Iterable[Page], path: Path) -> list[Picture]:
    """Write pictures, the first under the given name, the others beside it with their numbers.

    Returns:
        what was written: nothing, and no file, where there is no page.
    """
    pictures = []
    for number, page in enumerate(pages, start=1):
        name = path if number == 1 else path.with_stem(f"{path.stem}_{number}")
        # What it warns of is how the picture looks: the reader sees that, and the terminal is another's.
        with replacing(name) as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            page.figure.savefig(file, format="png")
        pictures.append(Picture(name, page.caption))
    return pictures


def split_evenly(items: Sequence[Item], largest: int) -> list[Sequence[Item]]:
    """Return the items in parts of nearly equal length, none longer than the largest."""
    parts = math.ceil(len(items) / largest)
    cuts = [round(part * len(items) / parts) for part in range(parts + 1)] if parts else []
    return [items[low:high] for low, high in itertools.pairwise(cuts)]
