"""What the checks before a sweep found, on a terminal and for programs."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from nlu_arena.preflight import Finding
from nlu_arena.preflight.finding import Fetch
from nlu_arena.views.preflight import FindingsTable, finding_record

FINDINGS = [
    Finding("device", "cpu", "ok", "A processor, 8.0 GiB, bfloat16"),
    Finding("data", "mnli", "warning", "matched: 500 rows, GLUE has 9,815", "Results are labelled."),
    Finding(
        "weights", "deberta-base", "failure", "not on this machine", "nlu-arena pull --model deberta-base"
    ),
]


def render(findings: list[Finding], width: int = 80) -> str:
    out = io.StringIO()
    Console(file=out, width=width, color_system=None).print(FindingsTable(findings))
    return out.getvalue()


def test_each_finding_has_its_line_and_below_it_what_to_do() -> None:
    assert [line.rstrip() for line in render(FINDINGS).splitlines()] == [
        "✓ ok     device   cpu           A processor, 8.0 GiB, bfloat16",
        "! note   data     mnli          matched: 500 rows, GLUE has 9,815",
        "         → Results are labelled.",
        "✗ fails  weights  deberta-base  not on this machine",
        "         → nlu-arena pull --model deberta-base",
    ]


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_nothing_is_cut_and_no_line_is_too_long(width: int) -> None:
    long = Finding("disk", "space", "failure", "needed for " + "/a/long/path" * 12, "Free " + "space " * 30)
    lines = render([*FINDINGS, long], width).splitlines()
    assert max(map(cell_len, lines)) <= width
    assert "".join("".join(lines).split()).count("/a/long/path") >= 1
    assert "".join(lines).count("space") >= 30


def test_what_a_terminal_obeys_is_taken_out() -> None:
    text = render([Finding("data", "mine", "failure", "label '\x1b[31mred\x07'", "[bold]x[/bold]")])
    assert "\x1b" not in text
    assert "[bold]x[/bold]" in text


def test_a_record_has_everything_for_programs() -> None:
    fetched = FINDINGS[0]._replace(fetch=Fetch(12, Path("/cache")))
    assert finding_record(fetched) == {
        "check": "device",
        "subject": "cpu",
        "state": "ok",
        "text": "A processor, 8.0 GiB, bfloat16",
        "remedy": "",
        "disk_bytes": 12,
    }
