"""Made-up data in the layout of the GLUE download, as many rows as a test needs."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path

WORDS = (("dull", "awful", "clumsy"), ("lovely", "superb", "clever"))
# A share of wrong labels: the best epoch is then not the first one that knows every word.
NOISE = 0.2


def write_sentences(glue: Path, rows: Mapping[str, int]) -> None:
    """Write SST-2 with some number of rows in each split, no two of which are equal."""
    folder = glue / "SST-2"
    folder.mkdir(parents=True)
    generator = random.Random("sentences")
    for split, count in rows.items():
        lines = ["sentence\tlabel"]
        for number in range(count):
            opinion = number % 2
            said = " and ".join(generator.sample(WORDS[opinion], generator.randint(1, 3)))
            label = 1 - opinion if generator.random() < NOISE else opinion
            lines.append(f"the film number {number} of the evening was {said}\t{label}")
        (folder / f"{split}.tsv").write_text("\n".join([*lines, ""]), encoding="utf-8")
