"""The run that would make a comparison possible."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from nlu_arena.ledger.rows import Cell
from nlu_arena.spec import MODES_OF_FAMILY, TRAINED_MODES, Family, Mode

# Each of its family the smallest there is.
SMALLEST: dict[Family, tuple[str, Mode]] = {
    "encoder": ("minilm", "fine-tune"),
    "decoder": ("smollm2-135m", "zero-shot"),
}


def name_run(model: str, mode: Mode, like: Cell) -> str:
    """Return the command that runs a model in a mode on the texts of an experiment."""
    words = ["nlu-arena", "run", "--model", model]
    # A file's task is named after it: where it is, only its owner knows.
    words += ["--task", "FILE" if like.data_source == "file" else like.task, "--mode", mode]
    if like.data_source != "file":
        words += ["--data", "DIR" if like.data_source == "glue-dir" else like.data_source]
    if like.subset.dev is not None:
        words += ["--limit", str(like.subset.dev)]
    if like.subset.train is not None and mode in TRAINED_MODES:
        words += ["--train-limit", str(like.subset.train)]
    return f"`{shlex.join(words)}`"


def name_other_run(baseline: Cell, modes: Sequence[str]) -> str:
    """Return the command that runs something else on a baseline's texts, in one of the modes if it can."""
    family: Family = "decoder" if baseline.family == "encoder" else "encoder"
    model, usual = SMALLEST[family]
    return name_run(model, next((m for m in MODES_OF_FAMILY[family] if m in modes), usual), baseline)
