"""`nlu-arena errors`: what goes wrong on a task."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nlu_arena.cli.options import Json, Results
from nlu_arena.cli.terminal import end_with_the_pipe, narrate, print_lines, survive_closed_streams
from nlu_arena.errors import CannotStartError, UsageError

if TYPE_CHECKING:
    from nlu_arena.ledger.queries import Reader
    from nlu_arena.ledger.rows import Cell
    from nlu_arena.mistakes.review import Question, Review


class SetChoice(StrEnum):
    """The sets of texts that can be listed."""

    ALL_WRONG = "all-wrong"
    LLMS_WRONG = "llms-wrong"
    ENCODERS_WRONG = "encoders-wrong"
    ANY_WRONG = "any-wrong"
    SUSPECTS = "suspects"


def errors(
    task: Annotated[
        str,
        typer.Argument(metavar="TASK", help="A task of the ledger, by name or alias.", show_default=False),
    ],
    of_set: Annotated[
        SetChoice | None,
        typer.Option(
            "--set",
            help="Which texts are listed: all contenders are wrong, all LLMs and no encoder, all encoders and"
            " no LLM, anybody, or the gold label is likely to be the mistake. (default: all-wrong)",
            show_default=False,
        ),
    ] = None,
    only: Annotated[
        str | None,
        typer.Option(
            "--only",
            metavar="A",
            help="List the texts on which A is wrong: MODEL, MODEL:MODE or a contender's name.",
            show_default=False,
        ),
    ] = None,
    other: Annotated[
        str | None,
        typer.Option(
            "--not", metavar="B", help="... and B is right. (default: everybody else)", show_default=False
        ),
    ] = None,
    label: Annotated[
        list[str] | None,
        typer.Option("--label", metavar="L", help="Only texts with this gold label; again for more."),
    ] = None,
    split: Annotated[
        str | None, typer.Option("--split", metavar="NAME", help="Only this split. (default: each)")
    ] = None,
    texts: Annotated[
        str | None,
        typer.Option(
            "--texts",
            metavar="ID",
            help="The texts to look at, by the beginning of their fingerprint. (default: those with the most"
            " runs)",
            show_default=False,
        ),
    ] = None,
    as_json: Json = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Write the listed answers as CSV to stdout.")] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="DIR",
            file_okay=False,
            help="Write pictures of confusions and slices, and CSV files, into this folder.",
            show_default=False,
        ),
    ] = None,
    results: Results = None,
) -> None:
    """Show what goes wrong on a task.

    All models and modes side by side: who is wrong how often, on which kinds of text, what is taken for what,
    and the texts with all answers.
    """
    _check(of_set, only, other, [as_json, as_csv, out is not None])
    from nlu_arena.ledger.queries import Reader
    from nlu_arena.mistakes.review import DEFAULT_SET, Question
    from nlu_arena.paths import ledger_path, results_dir

    question = Question(of_set.value if of_set else DEFAULT_SET, only, other, tuple(label or ()))
    folder = "" if results is None else str(results)
    with Reader.open(ledger_path(results_dir(results))) as reader:
        reviews, unfinished = _look(reader, task, split, texts, question)
        if out is not None:
            _write_files(reader, reviews, out)
        elif sys.stdout.isatty() and not as_json and not as_csv:
            from nlu_arena.cli.paging import show_paged
            from nlu_arena.views.errors import ErrorsView

            show_paged(ErrorsView(reviews, unfinished, folder))
        else:
            _write(reader, reviews, as_json=as_json, as_csv=as_csv)
            _narrate(reviews, unfinished, folder)


def _check(of_set: SetChoice | None, only: str | None, other: str | None, forms: list[bool]) -> None:
    """Refuse options that exclude each other."""
    if other is not None and only is None:
        raise UsageError("--not needs --only", "`--only A --not B` lists where A is wrong and B is right.")
    if only is not None and of_set is not None:
        raise UsageError("--only and --set both say which texts are listed", "Choose one of them.")
    if sum(forms) > 1:
        raise UsageError("--json, --csv and --out are forms of the same", "Choose one of them.")


def _look(
    reader: Reader, task: str, split: str | None, texts: str | None, question: Question
) -> tuple[list[Review], list[Cell]]:
    """Return what goes wrong on each split, and which experiments of the task are not done."""
    from nlu_arena.choice import find_task
    from nlu_arena.contender import find_rounds
    from nlu_arena.mistakes.occasions import choose_occasions
    from nlu_arena.mistakes.review import review
    from nlu_arena.registry import load_registry

    finished, unfinished = reader.finished(), reader.unfinished()
    registered = {n: t.name for t in load_registry().tasks.values() for n in (t.name, *t.aliases)}
    name = find_task(task, finished, unfinished, registered)
    rounds = [met for met in find_rounds(finished, reader.labels) if met.task == name]
    reviews = [
        review(
            occasion,
            reader.examples(occasion.round.fingerprint, occasion.round.split),
            question,
            reader.columns,
        )
        for occasion in choose_occasions(rounds, split, texts)
    ]
    return reviews, [cell for cell in unfinished if cell.task == name]


def _write_files(reader: Reader, reviews: list[Review], folder: Path) -> None:
    """Write the files and name them on stdout, each when it is there."""
    from nlu_arena.report.mistakes import write_mistakes

    # All files are to be there, whether or not anybody reads their names.
    survive_closed_streams()
    try:
        print_lines(str(path) for path in write_mistakes(reviews, folder, reader.columns))
    except OSError as error:
        message = f"{error.filename or folder} cannot be written: {error.strerror}"
        raise CannotStartError(message, "Name another folder with --out.") from error


def _write(reader: Reader, reviews: list[Review], *, as_json: bool, as_csv: bool) -> None:
    """Write the listed answers to stdout."""
    from nlu_arena.views.error_records import answer_columns, answer_records, document_lines
    from nlu_arena.views.spreadsheet import csv_lines
    from nlu_arena.views.tsv import tsv_lines

    # Not before a pager or a folder: what they leave half done must be cleaned up.
    end_with_the_pipe()
    if as_json:
        print_lines(document_lines(reviews, reader.columns))
    else:
        lines = csv_lines if as_csv else tsv_lines
        print_lines(lines(answer_columns(reviews), answer_records(reviews, reader.columns)))


def _narrate(reviews: list[Review], unfinished: list[Cell], results: str) -> None:
    """Say on stderr what was listed, and what is not here."""
    from nlu_arena.views.errors import absent_lines, condition_of, title_of

    for found in reviews:
        narrate(f"{title_of(found)}: {len(found.listed):,} on which {condition_of(found)}")
    for found in reviews:
        for line in absent_lines(found, unfinished if found is reviews[-1] else (), results):
            narrate(line)
