"""Logits over the vocabulary in float32: of a few columns, or all of it without holding all of it."""

from __future__ import annotations

import torch
from torch import Tensor
from transformers import PreTrainedModel

from nlu_arena.backend.controls import Tokens
from nlu_arena.errors import RunError

# How many logits, and how many weights in float32, are in memory at once: 128 MiB of each.
MOST_NUMBERS = 2**25
# Any hidden state tells whether its logits are computed as the model does: a prompt's beginning will do.
CHECKED_TOKENS = 16


def label_logits(model: PreTrainedModel, hidden: Tensor, columns: Tensor | slice) -> Tensor:
    """Return the logits of hidden states in float32, of the given columns of the vocabulary alone.

    float32, because bfloat16 has 8 bits: near labels would tie, and ties go to the first label.

    Args:
        model: The decoder, whose output embedding is used.
        hidden: Hidden states after the last norm, [positions, size].
        columns: Token ids, [labels], or a part of the vocabulary.
    """
    head = model.get_output_embeddings()
    logits: Tensor = hidden.float() @ head.weight[columns].float().T
    bias = getattr(head, "bias", None)
    if bias is not None:
        logits = logits + bias[columns].float()
    cap: float | None = getattr(model.config.get_text_config(), "final_logit_softcapping", None)
    return logits if cap is None else cap * torch.tanh(logits / cap)


def check_label_logits(model: PreTrainedModel, row: Tokens) -> None:
    """Compare our label logits with the model's own at one position: an unknown scale or cap must not pass.

    Raises:
        RunError: They differ by more than the model's precision explains.
    """
    ids = torch.tensor([row[:CHECKED_TOKENS]], device=model.device)
    with torch.inference_mode():
        expected = model(input_ids=ids, logits_to_keep=1).logits[0, -1].float()
        hidden = model.base_model(input_ids=ids).last_hidden_state[0, -1:]
        found = torch.cat([label_logits(model, hidden, part)[0] for part in _parts(model, 1)])
    # One rounding of the model's own product to its type: 2^-8 of the largest logit in bfloat16.
    tolerance = 2 * torch.finfo(model.dtype).eps * expected.abs().max().clamp(min=1.0)
    if not torch.isfinite(expected).all():
        raise RunError(
            f"the model's logits are not finite in {str(model.dtype).removeprefix('torch.')}",
            "Its weights are damaged, or it does not work in this precision.",
        )
    if (found - expected).abs().max() > max(tolerance, 1e-4):
        raise RunError(
            "the model's own logits differ from the label logits: this architecture is not supported"
        )


def token_log_likelihoods(model: PreTrainedModel, hidden: Tensor, places: Tensor, tokens: Tensor) -> Tensor:
    """Return the log-likelihoods of tokens among the whole vocabulary, [tokens] in float32.

    Args:
        model: The decoder.
        hidden: Hidden states after the last norm, [positions, size].
        places: The position that predicts each token, [tokens].
        tokens: Token ids, [tokens].
    """
    used, columns = torch.unique(tokens, return_inverse=True)
    return label_logits(model, hidden, used)[places, columns] - _normalisers(model, hidden)[places]


def _normalisers(model: PreTrainedModel, hidden: Tensor) -> Tensor:
    """Return the logarithm of the sum of all exponentials at each position, part by part of the vocabulary.

    Part by part, because each part of a bfloat16 output layer is then converted to float32 once.
    """
    sums = [label_logits(model, hidden, part).logsumexp(dim=-1) for part in _parts(model, len(hidden))]
    return torch.stack(sums).logsumexp(dim=0)


def _parts(model: PreTrainedModel, positions: int) -> list[slice]:
    """Cut the vocabulary into parts whose logits and float32 weights fit the bound."""
    size, width = model.get_output_embeddings().weight.shape
    step = max(1, MOST_NUMBERS // max(positions, width))
    return [slice(start, min(start + step, size)) for start in range(0, size, step)]
