"""Attention with gradients on the CPU by matrix products: faster than torch's own where texts are short.

Torch's fused CPU kernel has no dropout, and its gradient is slow on short rows; what torch takes instead
computes in float32. Here the products run in the type of the queries and softmax in float32, as in the
library's eager attention.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from nlu_arena.backend.dropout import draw_kept, keep_rate

# The library's name for torch's own attention.
SDPA = "sdpa"
# Up to so many keys, the scores of all pairs of tokens are kept for the gradient; beyond it torch's fused
# kernel, which keeps none, is as fast.
MOST_KEYS = 256


@contextmanager
def dense_attention(model: PreTrainedModel) -> Iterator[None]:
    """Let a model's layers call `attend_dense` where they would call torch's attention on the CPU.

    The function changes and its name stays: some architectures mask, or leave the mask out, by the name.
    """
    before = ALL_ATTENTION_FUNCTIONS[SDPA]
    if model.device.type == "cpu":
        ALL_ATTENTION_FUNCTIONS[SDPA] = attend_dense
    try:
        yield
    finally:
        ALL_ATTENTION_FUNCTIONS[SDPA] = before


def attend_dense(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    dropout: float = 0.0,
    scaling: float | None = None,
    is_causal: bool | None = None,
    **options: Any,
) -> tuple[Tensor, None]:
    """Return the attention of a layer's queries, [rows, tokens, heads, size].

    Args:
        module: The layer.
        query: [rows, heads, tokens, size].
        key: [rows, heads of keys, keys, size].
        value: As the keys; its size may be another.
        attention_mask: Which keys a query sees, as True, broadcast to [rows, heads, tokens, keys].
        dropout: The share of the weights that is dropped.
        scaling: What scores are multiplied by.
        is_causal: Without a mask, whether a token sees those before it alone.
        options: What other attentions take; with any of a meaning here, torch's own computes.
    """
    # Some layers pass it by its name in the library.
    mask = attention_mask
    causal = getattr(module, "is_causal", True) if is_causal is None else is_causal
    tokens, size = query.shape[2:]
    plain = all(options.get(name) is None for name in ("softcap", "position_bias", "cache", "s_aux"))
    boolean = mask is None or mask.dtype == torch.bool
    short = dropout > 0 or key.shape[2] <= MOST_KEYS
    causal = causal and mask is None and tokens > 1
    if not (plain and boolean and short) or (causal and key.shape[2] != tokens):
        out: tuple[Tensor, None] = sdpa_attention_forward(
            module, query, key, value, mask, dropout=dropout, scaling=scaling, is_causal=is_causal, **options
        )
        return out
    if causal:
        mask = torch.ones(tokens, tokens, dtype=torch.bool, device=query.device).tril()
    if torch.is_autocast_enabled(query.device.type):
        dtype = torch.get_autocast_dtype(query.device.type)
        query, key, value = query.to(dtype), key.to(dtype), value.to(dtype)
    scale = size**-0.5 if scaling is None else scaling
    joined: Tensor = DenseAttention.apply(query, key, value, mask, scale, dropout)  # type: ignore[no-untyped-call]
    return joined.transpose(1, 2).contiguous(), None


class DenseAttention(torch.autograd.Function):
    """Softmax attention with dropout; groups of heads that share keys meet them in one product."""

    @staticmethod
    def forward(
        ctx: Any, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, scale: float, dropout: float
    ) -> Tensor:
        """Return [rows, heads, tokens, size of the values]; shapes as in `attend_dense`."""
        rows, heads, tokens, size = query.shape
        # How many heads of keys there are; the queries of each make one matrix.
        kinds = key.shape[1]
        grouped = query.reshape(rows * kinds, -1, size)
        keys, values = key.reshape(rows * kinds, -1, size), value.flatten(0, 1)
        scores = torch.bmm(grouped, keys.mT).float().mul_(scale)
        if mask is not None:
            pairs = scores.view(rows, heads, tokens, -1)
            # Not minus infinity: a query that sees no key shall not become a not-a-number.
            pairs.masked_fill_(~mask, torch.finfo(scores.dtype).min)
        weights = torch.softmax(scores, dim=-1).to(query.dtype)
        kept = draw_scale(weights, dropout) if dropout else None
        ctx.scale = scale
        ctx.save_for_backward(grouped, keys, values, weights, kept)
        used = weights if kept is None else weights * kept
        return torch.bmm(used, values).view(rows, heads, tokens, -1)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients of queries, keys and values."""
        grouped, keys, values, weights, kept = ctx.saved_tensors
        rows, heads, tokens, _ = gradient.shape
        kinds = len(keys) // rows
        gradient = gradient.reshape(len(keys), -1, gradient.shape[-1])
        used = weights if kept is None else weights * kept
        value = torch.bmm(used.mT, gradient)
        of_weights = torch.bmm(gradient, values.mT)
        if kept is not None:
            of_weights.mul_(kept)
        scores = torch._softmax_backward_data(of_weights, weights, -1, weights.dtype).mul_(ctx.scale)
        query, key = torch.bmm(scores, keys), torch.bmm(scores.mT, grouped)
        return (
            query.view(rows, heads, tokens, -1),
            key.view(rows, kinds, *key.shape[1:]),
            value.view(rows, kinds, *value.shape[1:]),
            None,
            None,
            None,
        )


def draw_scale(weights: Tensor, dropout: float) -> Tensor:
    """Return what weights are multiplied by: 0 where they are dropped."""
    return draw_kept(weights.shape, dropout).to(weights.dtype).mul_(1.0 / keep_rate(dropout))
