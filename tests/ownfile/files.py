"""Small files of rows for the tests of a person's own data."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

WORDS = ("warm", "dull", "loud", "late", "kind")


def write_csv(path: Path, header: Iterable[str], rows: Iterable[Iterable[object]]) -> Path:
    """Write a CSV file as a spreadsheet does."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
    return path


def write_reviews(path: Path, n_rows: int = 40, *, first: int = 0, labels: int = 3) -> Path:
    """Write reviews with stars from 1 to a number of labels; each text once."""
    rows = ((f"The {WORDS[n % 5]} place, visit {n}", n % labels + 1) for n in range(first, first + n_rows))
    return write_csv(path, ("review", "stars"), rows)
