"""What a training must be before its numbers count: a gate that fails ends the run with the reason.

Others stand where they look: label words and the one BOS in `encode`, a head's labels in `weights`, finite
scores in the scorers, the saved model in `proof`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from nlu_arena.backend.controls import Tokens
from nlu_arena.backend.score import LabelScorer
from nlu_arena.errors import RunError

# What PEFT puts into the name of a weight whose module it trains whole.
TRAINED_WHOLE = "modules_to_save.default."


def check_new_weights(model: nn.Module, new_weights: Sequence[str]) -> None:
    """Demand that every weight which the checkpoint did not have is trained.

    Raises:
        RunError: One of them would stay random for ever.
    """
    trained = {
        name.replace(TRAINED_WHOLE, "") for name, weight in model.named_parameters() if weight.requires_grad
    }
    frozen = [name for name in new_weights if name not in trained]
    if frozen:
        raise RunError(
            f"{len(frozen)} weights that the checkpoint does not have would stay random, first {frozen[0]}",
            "They are not among those that are trained: this is a fault in nlu-arena, report the model.",
        )


def measure_supervision(
    scorer: LabelScorer, rows: Sequence[Tokens], gold: Sequence[int], size: int
) -> dict[str, int | float]:
    """Find out by the loss's own gradient which tokens it looks at, on some rows, before training.

    Args:
        scorer: The scorer whose loss will be trained.
        rows: Training prompts.
        gold: Their labels.
        size: How many of them are tried.

    Returns:
        findings for the run: how many tokens the model reads in one such step, and their supervised share.

    Raises:
        RunError: The loss looks at nothing, or at more tokens than the answers have.
    """
    rows, gold = rows[:size], gold[:size]
    states: list[Tensor] = []

    def keep(_module: nn.Module, _inputs: object, output: Any) -> None:
        output.last_hidden_state.retain_grad()
        states.append(output.last_hidden_state)

    hook = scorer.model.base_model.register_forward_hook(keep)
    try:
        scorer.loss(rows, gold).backward()  # type: ignore[no-untyped-call]
    finally:
        hook.remove()
        scorer.model.zero_grad(set_to_none=True)
    read = sum(state.shape[0] * state.shape[1] for state in states)
    seen = sum(int(state.grad.any(dim=-1).sum()) for state in states if state.grad is not None)
    labels = scorer.labels
    answers = len(rows) if labels.single_position else sum(len(labels.ids[label]) for label in gold)
    if not 0 < seen <= answers:
        raise RunError(
            f"the training loss looks at {seen} of {read} tokens, where the answers have {answers}",
            "This is a fault in nlu-arena: report the model.",
        )
    return {"probed_tokens": read, "supervised_token_share": seen / read}
