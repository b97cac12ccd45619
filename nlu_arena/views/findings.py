"""The findings of a report in short: lines for a terminal, records for a pipe."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from nlu_arena.findings import Criterion, Findings
from nlu_arena.views.text import clean
from nlu_arena.views.tsv import Record

WIDTH = 80
TSV_COLUMNS = ("kind", "key", "statement", "verdict", "detail")


def finding_lines(findings: Findings, criteria: Sequence[Criterion]) -> list[str]:
    """Return the answers, the headlines and what keeps a criterion from being met, in lines of 80 columns."""
    lines: list[str] = []
    for finding in findings.questions:
        lines += _wrap(finding.question, "")
        lines += _wrap(finding.answer, "  ")
    lines += ["", "headlines"]
    for headline in findings.headlines:
        lines += _wrap(f"{headline.statement}: {headline.standing}", "  ")
    unmet = [criterion for criterion in criteria if not criterion.is_met]
    lines += ["", "success criteria: " + ("not all met" if unmet else "all met")]
    for criterion in unmet:
        lines += _wrap(f"not met: {criterion.statement}: {criterion.sentence}", "  ")
    return lines


def finding_records(findings: Findings, criteria: Sequence[Criterion]) -> list[Record]:
    """Return a record for each question, headline and criterion."""
    return list(_records(findings, criteria))


def _records(findings: Findings, criteria: Sequence[Criterion]) -> Iterator[Record]:
    rows = [
        *(("question", f.key, f.question, f.verdict, f.summary) for f in findings.questions),
        *(("headline", h.key, h.statement, h.standing, h.sentence) for h in findings.headlines),
        *(("criterion", c.key, c.statement, "met" if c.is_met else "not met", c.sentence) for c in criteria),
    ]
    for row in rows:
        yield dict(zip(TSV_COLUMNS, row, strict=True))


def _wrap(text: str, indent: str) -> list[str]:
    return textwrap.wrap(
        clean(text),
        WIDTH,
        initial_indent=indent,
        subsequent_indent=f"{indent}  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
