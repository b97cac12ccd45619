"""`nlu-arena compare`: everything against one baseline, on the same texts."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from nlu_arena.cli.options import Json, Results
from nlu_arena.cli.terminal import end_with_the_pipe, narrate, open_console, print_json, print_lines
from nlu_arena.errors import UsageError

if TYPE_CHECKING:
    from nlu_arena.comparing import Comparison


class MetricName(StrEnum):
    """What can be compared."""

    ACCURACY = "accuracy"
    MACRO_F1 = "macro_f1"
    MCC = "mcc"


class OrderName(StrEnum):
    """How the rows of the same texts can be ordered."""

    DIFFERENCE = "difference"
    ACCURACY = "accuracy"
    LATENCY = "latency"
    NAME = "name"


def compare(
    versus: Annotated[
        str,
        typer.Option(
            "--vs",
            metavar="MODEL[:MODE]",
            help="The baseline. (default: the first fine-tuned encoder of the ledger)",
            show_default=False,
        ),
    ] = "",
    task: Annotated[
        list[str] | None,
        typer.Option("--task", metavar="NAME", help="Only this task; again for more.", show_default=False),
    ] = None,
    mode: Annotated[
        list[str] | None,
        typer.Option(
            "--mode",
            metavar="NAME",
            help="Only this mode of the others; again for more.",
            show_default=False,
        ),
    ] = None,
    metric: Annotated[MetricName, typer.Option("--metric", help="What is compared.")] = MetricName.ACCURACY,
    margin: Annotated[
        float, typer.Option("--margin", metavar="POINTS", help="How much worse still matches.")
    ] = 2.0,
    sort: Annotated[
        OrderName, typer.Option("--sort", help="The order on the same texts.")
    ] = OrderName.DIFFERENCE,
    as_json: Json = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Write every field as CSV to stdout.")] = False,
    results: Results = None,
) -> None:
    """Compare every model and mode with a baseline.

    On the same texts: differences with intervals and paired tests, whether they match, and the costs.
    """
    end_with_the_pipe()
    if not 0 < margin < 50:
        raise UsageError(f"--margin {margin:g} is not above 0 and below 50", "It is in points of accuracy.")
    if as_json and as_csv:
        raise UsageError("--json and --csv are two forms of the same", "Choose one of them.")
    from nlu_arena.comparing import Wish
    from nlu_arena.comparing import compare as compare_all
    from nlu_arena.ledger.queries import Reader
    from nlu_arena.paths import ledger_path, results_dir

    wish = Wish(
        baseline=versus,
        tasks=tuple(task or ()),
        modes=tuple(mode or ()),
        metric=metric.value,
        margin=margin / 100,
        order=sort.value,
    )
    with Reader.open(ledger_path(results_dir(results))) as reader:
        comparison = compare_all(reader.finished(), reader.unfinished(), reader.labels, wish)
    _show(comparison, as_json=as_json, as_csv=as_csv)


def _show(comparison: Comparison, *, as_json: bool, as_csv: bool) -> None:
    """Write a comparison to stdout; what does not fit into lines of data goes to stderr."""
    from nlu_arena.views.compare_records import comparison_document, comparison_records, csv_lines

    if as_json:
        print_json(comparison_document(comparison))
    elif sys.stdout.isatty() and not as_csv:
        from nlu_arena.views.compare import CompareView

        open_console(sys.stdout).print(CompareView(comparison))
    else:
        from nlu_arena.views.compare_notes import doubt_lines, omission_lines
        from nlu_arena.views.text import clean
        from nlu_arena.views.tsv import tsv_lines

        rows = comparison_records(comparison)
        print_lines(csv_lines(rows) if as_csv else tsv_lines(list(rows[0]), rows))
        for line in [*doubt_lines(comparison), *omission_lines(comparison.left_out)]:
            narrate(clean(line))
