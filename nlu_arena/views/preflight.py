"""What was found before a sweep, as a table for people and as records for programs."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text

from nlu_arena.preflight import Finding
from nlu_arena.views.text import clean
from nlu_arena.views.tsv import Record

KEYS = ("state", "check", "subject", "text", "remedy", "disk_bytes")
SIGNS = {"ok": ("✓ ok", "green"), "warning": ("! note", "yellow"), "failure": ("✗ fails", "red")}
SIGN_WIDTH = 7


class FindingsTable:
    """A line for each finding, and below it what to do; nothing is cut."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self._findings = findings

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Render the findings in their order; a text that is too long goes on in its column."""
        checks = max((len(finding.check) for finding in self._findings), default=0)
        subjects = max((cell_len(clean(finding.subject)) for finding in self._findings), default=0)
        for finding in self._findings:
            line = Grid.grid(padding=(0, 2, 0, 0))
            for width in (SIGN_WIDTH, checks, subjects):
                line.add_column(width=width)
            line.add_column(overflow="fold")
            sign, subject = Text(*SIGNS[finding.state]), Text(clean(finding.subject))
            line.add_row(sign, finding.check, subject, Text(clean(finding.text)))
            yield line
            if finding.remedy:
                style = "bold" if finding.state == "failure" else "dim"
                yield Padding(Text(f"→ {clean(finding.remedy)}", style=style), (0, 0, 0, SIGN_WIDTH + 2))


def finding_record(finding: Finding) -> Record:
    """Return a finding for programs."""
    return {
        "check": finding.check,
        "subject": finding.subject,
        "state": finding.state,
        "text": clean(finding.text),
        "remedy": clean(finding.remedy),
        "disk_bytes": None if finding.fetch is None else finding.fetch.size,
    }
