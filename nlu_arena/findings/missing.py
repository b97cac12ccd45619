"""What to run where a question cannot be answered yet: commands that fit the texts of the ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from nlu_arena.comparing.suggestion import name_run
from nlu_arena.contender import Round
from nlu_arena.ledger.rows import Cell
from nlu_arena.spec import TRAINED_MODES, Mode

# What to add where a ledger has no encoder, or too few language models: what runs without a hub where the
# data come without one, else what the benchmark is about.
OFFLINE_ENCODER, OFFLINE_LLMS = "minilm", ("smollm2-135m", "gemma3-270m")
USUAL_ENCODER, USUAL_LLMS = "bert-base", ("qwen-0.5b", "qwen-1.5b", "gemma-2b")


def suggest_encoder(found: Round) -> str:
    """Return the encoder to fine-tune where none was."""
    return USUAL_ENCODER if found.data_source == "hub" else OFFLINE_ENCODER


def suggest_llms(found: Round) -> list[str]:
    """Return the language models of a round, and others to add to them."""
    known = [c.model for c in found.contenders if not c.is_encoder]
    others = USUAL_LLMS if found.data_source == "hub" else OFFLINE_LLMS
    return list(dict.fromkeys([*known, *others]))


def write_commands(
    rounds: Iterable[Round], choose: Callable[[Round], Sequence[str]], mode: Mode
) -> tuple[str, ...]:
    """Return the commands for models on each task; all its splits come with it.

    Args:
        rounds: The texts that they are for.
        choose: Gives the models for a round.
        mode: How they are used.
    """
    return tuple(
        name_run(model, mode, _choose_pattern(found, mode)).strip("`")
        for found in rounds
        if found.is_main
        for model in choose(found)
    )


def _choose_pattern(found: Round, mode: Mode) -> Cell:
    """Return an experiment whose subset the new one is to have: the most training rows where it trains."""
    cells = [contender.cells[0] for contender in found.contenders]
    trained = [cell for cell in cells if cell.mode in TRAINED_MODES]
    if mode not in TRAINED_MODES or not trained:
        return cells[0]
    return max(trained, key=lambda cell: (cell.subset.train is None, cell.subset.train or 0))
