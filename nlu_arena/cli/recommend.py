"""`nlu-arena recommend`: which model and mode to use for a task, within limits."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from nlu_arena.cli.options import Json, Results
from nlu_arena.cli.terminal import end_with_the_pipe, narrate, print_json, print_lines
from nlu_arena.errors import NothingToShowError, UsageError

if TYPE_CHECKING:
    from nlu_arena.contender import Round
    from nlu_arena.ledger.queries import Reader
    from nlu_arena.ledger.rows import Cell


def recommend(
    task: Annotated[
        str, typer.Option("--task", metavar="NAME", help="A task that has runs.", show_default=False)
    ],
    max_latency_ms: Annotated[
        float | None,
        typer.Option(
            "--max-latency-ms",
            metavar="MS",
            min=0,
            help="The most that one text alone may take, in the median.",
            show_default=False,
        ),
    ] = None,
    max_memory_gb: Annotated[
        float | None,
        typer.Option(
            "--max-memory-gb",
            metavar="GB",
            min=0,
            help="The most memory that a run may need, training included: the GPU's where there was one, else"
            " the host's. 1 GB is 10^9 bytes.",
            show_default=False,
        ),
    ] = None,
    labels: Annotated[
        int | None,
        typer.Option(
            "--labels",
            metavar="N",
            min=0,
            help="How many labelled examples there are: zero-shot needs none, few-shot those of its prompt.",
            show_default=False,
        ),
    ] = None,
    as_json: Json = False,
    results: Results = None,
) -> None:
    """Recommend a model and a mode for a task.

    From all finished runs: what meets the limits and is worth its cost, how sure that is, and from how many
    labelled examples on training beats prompting.
    """
    end_with_the_pipe()
    from nlu_arena.learning_curve import find_crossings, find_curves
    from nlu_arena.ledger.queries import Reader
    from nlu_arena.limits import Limits
    from nlu_arena.paths import ledger_path, results_dir
    from nlu_arena.recommendation import recommend as decide
    from nlu_arena.views import recommend as view
    from nlu_arena.views.commands import name_folder
    from nlu_arena.views.limits import GB
    from nlu_arena.views.names import say_unfinished
    from nlu_arena.views.tsv import tsv_lines

    for option, value in (("--max-latency-ms", max_latency_ms), ("--max-memory-gb", max_memory_gb)):
        if value is not None and not math.isfinite(value):
            raise UsageError(f"{option}: {value} is no limit", "Give a number, or leave it out.")
    memory = None if max_memory_gb is None else max_memory_gb * GB
    limits = Limits(latency_ms=max_latency_ms, memory_bytes=memory, labels=labels)
    with Reader.open(ledger_path(results_dir(results))) as reader:
        cells, found, others = _find_round(reader, task)
        absent = [cell for cell in reader.unfinished() if cell.task == found.task]
        decided = decide(found, limits, cells, _name_devices())
        curves, crossings = find_curves(found), find_crossings(found)
    if all(candidate.misses for candidate in decided.candidates):
        raise NothingToShowError(*view.explain_refusal(decided))
    folder = "" if results is None else str(results)
    advice = view.advice_lines(decided, folder)
    if absent:
        advice.insert(0, name_folder(say_unfinished(absent), folder))
    if as_json:
        print_json(view.recommendation_document(decided, curves, crossings, others))
    elif sys.stdout.isatty():
        print_lines([*view.recommendation_lines(decided, curves, crossings, others), *advice])
    else:
        print_lines(tsv_lines(view.TSV_COLUMNS, view.recommendation_records(decided)))
        for line in advice:
            narrate(line)


def _find_round(reader: Reader, wanted: str) -> tuple[list[Cell], Round, list[Round]]:
    """Return a task's finished experiments, the round that stands for it, and its other rounds."""
    from nlu_arena.choice import choose_round, find_task
    from nlu_arena.contender import find_rounds
    from nlu_arena.registry import load_registry

    finished = reader.finished()
    registered = {n: task.name for task in load_registry().tasks.values() for n in (task.name, *task.aliases)}
    name = find_task(wanted, finished, reader.unfinished(), registered)
    # Of the whole ledger: a name tells settings apart, and is the same in each command.
    rounds = [found for found in find_rounds(finished, reader.labels) if found.task == name]
    chosen = choose_round(rounds)
    cells = [cell for cell in finished if cell.task == name]
    return cells, chosen, [other for other in rounds if other.is_main and other is not chosen]


def _name_devices() -> list[str]:
    """Return this machine's devices as runs name them, but for the threads of a CPU."""
    from nlu_arena.hardware import find_devices

    return [f"{device.kind} {device.title}".strip() for device in find_devices()]
