"""Options that several commands have in common."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Display(StrEnum):
    """How a sweep is shown while it runs."""

    AUTO = "auto"
    RICH = "rich"
    PLAIN = "plain"
    NONE = "none"


Results = Annotated[
    Path | None,
    typer.Option(
        "--results",
        metavar="DIR",
        file_okay=False,
        help="The folder of the ledger and the run folders. (default: $NLU_ARENA_RESULTS or ./results)",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Write one JSON document to stdout.")]
JsonLines = Annotated[
    bool, typer.Option("--json", help="Write the sweep's events to stdout, one JSON object a line.")
]
Data = Annotated[
    str | None,
    typer.Option(
        "--data",
        metavar="hub|starter|DIR",
        help="Where the examples come from: the pinned GLUE on the hub, the small starter sets of this"
        " package, or a folder in the layout of the GLUE download. (default: $NLU_ARENA_DATA)",
        show_default=False,
    ),
]
ModelsDir = Annotated[
    Path | None,
    typer.Option(
        "--models-dir",
        metavar="DIR",
        help="A folder of local copies of weights, one folder a model in the layout of its hub repository."
        " (default: $NLU_ARENA_MODELS)",
        show_default=False,
    ),
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="train.KEY=VALUE",
        help="Change a training setting, as in train.lr=1e-5 or train.lora.rank=8; give it again for more.",
        show_default=False,
    ),
]
SkipUnavailable = Annotated[
    bool,
    typer.Option("--skip-unavailable", help="Leave out what cannot be had here, say so, and do the rest."),
]
TextColumn = Annotated[
    str | None,
    typer.Option(
        "--text",
        metavar="COLUMN",
        help="The column of the texts of a file. (default: text)",
        show_default=False,
    ),
]
PairColumn = Annotated[
    str | None,
    typer.Option(
        "--text-pair",
        metavar="COLUMN",
        help="The column of the second texts, for pairs. (default: pair, if there is one and no --text)",
        show_default=False,
    ),
]
LabelColumn = Annotated[
    str | None,
    typer.Option(
        "--label", metavar="COLUMN", help="The column of the labels. (default: label)", show_default=False
    ),
]
DevFile = Annotated[
    Path | None,
    typer.Option(
        "--dev",
        metavar="FILE",
        help="The dev split of a file, with the same columns. (default: a fifth of the file itself)",
        show_default=False,
    ),
]
Seeds = Annotated[
    list[int] | None,
    typer.Option("--seed", metavar="N", min=0, help="The seed; give it again for more.", show_default=False),
]
Limit = Annotated[
    int | None,
    typer.Option("--limit", metavar="N", min=1, help="At most N examples of each dev split."),
]
TrainLimit = Annotated[
    int | None,
    typer.Option("--train-limit", metavar="N", min=1, help="At most N training rows where a mode trains."),
]
Device = Annotated[
    str | None,
    typer.Option("--device", metavar="NAME", help="cpu, cuda:0, mps, … (default: the fastest here)"),
]
Jobs = Annotated[
    int, typer.Option("--jobs", metavar="N", min=1, help="Share the plan among N GPUs of this machine.")
]
Fresh = Annotated[bool, typer.Option("--fresh", help="Repeat what is done already.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Show the plan in order with the expected times, and do nothing.")
]
DisplayOption = Annotated[
    Display,
    typer.Option(
        "--display", help="A live table, plain lines, or nothing, on stderr. auto: by the terminal."
    ),
]
