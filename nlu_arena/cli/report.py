"""`nlu-arena report`: the answers of a whole ledger, with tables and pictures, in a folder."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from nlu_arena.cli.options import Json, Results
from nlu_arena.cli.terminal import end_with_the_pipe, narrate, print_json, print_lines

DEFAULT_OUT = Path("analysis")


def report(
    out: Annotated[
        Path,
        typer.Option("--out", metavar="DIR", help="The folder of the report; replaces an earlier one there."),
    ] = DEFAULT_OUT,
    as_json: Json = False,
    results: Results = None,
) -> None:
    """Write a report of everything that is finished.

    Five questions answered by tests, with tables and pictures: report.html can be sent on as it is.
    """
    end_with_the_pipe()
    from nlu_arena.paths import results_dir
    from nlu_arena.report.analysis import write_report
    from nlu_arena.views.text import clean

    narrate("reading the ledger and drawing: some seconds")
    material, files = write_report(results_dir(results), out)
    narrate(clean(f"wrote {len(files)} files into {out}: open {out / 'report.html'}"))
    if as_json:
        from nlu_arena.report.record import report_document

        print_json(report_document(material, files))
    elif sys.stdout.isatty():
        from nlu_arena.views.findings import finding_lines

        print_lines(finding_lines(material.findings, material.criteria))
    else:
        from nlu_arena.views.findings import TSV_COLUMNS, finding_records
        from nlu_arena.views.tsv import tsv_lines

        print_lines(tsv_lines(TSV_COLUMNS, finding_records(material.findings, material.criteria)))
