"""What a training must be before its numbers count: a gate that fails ends the run with the reason.

Others stand where they look: label words and the one BOS in `encode`, a head's labels in `weights`, finite
scores in the scorers, the saved model in `proof`.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from nlu_arena.backend.controls import Tokens
from nlu_arena.backend.encode import LabelTokens
from nlu_arena.errors import RunError

# What PEFT puts into the name of a weight whose module it trains whole.
TRAINED_WHOLE = "modules_to_save.default."
# A prompt is longer than its answer: a larger share means that the loss looks at the prompt, or at padding.
LARGEST_SHARE = 0.5


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


def supervised_share(rows: Sequence[Tokens], gold: Sequence[int], labels: LabelTokens) -> float:
    """Return the share of the tokens of all prompts, with their answers, that the training loss looks at.

    Raises:
        RunError: It is none, or more than answers can be: the loss would learn nothing, or the prompts.
    """
    answers = [len(labels.ids[label]) for label in gold]
    supervised = len(rows) if labels.single_position else sum(answers)
    share = supervised / (sum(map(len, rows)) + sum(answers))
    if not 0 < share <= LARGEST_SHARE:
        raise RunError(f"{share:.0%} of the training tokens are supervised: only those of the answer may be")
    return share
