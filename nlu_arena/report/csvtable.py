"""comparison_table.csv: one row for each contender, task and split, for a spreadsheet or pandas."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from nlu_arena.report.standings import Standing

# One text of a million is a difference in the sixth.
DIGITS = 6


def write_table(standings: Sequence[Standing], path: Path) -> None:
    """Write the rows with a header of the fields' names; what was not measured is empty."""
    columns = [field.name for field in msgspec.structs.fields(Standing)]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for standing in standings:
            writer.writerow([_plain(getattr(standing, column)) for column in columns])


def _plain(value: Any) -> Any:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case float():
            return round(value, DIGITS)
        case tuple():
            return "; ".join(map(str, value))
    return value
