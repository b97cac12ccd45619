from __future__ import annotations

import csv

from nlu_arena.views.spreadsheet import csv_lines


def test_every_record_is_one_line_that_reads_back() -> None:
    records = [{"a": 'x,"y"\nz\x1b[31m', "b": None}, {"b": True, "c": 1}]
    lines = list(csv_lines(["a", "b"], records))
    assert len(lines) == 3
    assert list(csv.reader(lines)) == [["a", "b"], ['x,"y" z', ""], ["", "yes"]]
