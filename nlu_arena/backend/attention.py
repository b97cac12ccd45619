"""Attention over a shared prefix and each row's own tokens, without a copy of the prefix for every row.

The prefix holds the same keys and values for all rows, so all queries of a batch meet it as one long row.
Their own tokens are attended to apart, and the two results are joined by their log-sum-exp, which is exact:
softmax over a union is the mean of the parts' softmaxes, weighted by their sums of exponentials
(Dao et al. 2022, arXiv 2205.14135, section 3.1; Juravsky et al. 2024, arXiv 2402.05099).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel

NAME = "nlu_arena_shared_prefix"
# The fused CPU kernel behind torch's scaled_dot_product_attention; unlike that, it also returns the
# log-sum-exp of each query. It has no gradient through it, so training goes another way.
fused_attention = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu


class LayerStates(NamedTuple):
    """Keys and values of one layer's prefix, each [1, heads of keys, prefix, size]."""

    keys: Tensor
    values: Tensor


def supports_shared_attention(model: PreTrainedModel, longest: int) -> bool:
    """Say whether a model's attention over `longest` tokens is the plain one that `attend` computes.

    A sliding window is plain as long as the whole prompt fits into it; capped scores never are. A model
    that does not ask the library for its attention would not see the prefix at all.
    """
    config = model.config.get_text_config()
    window = getattr(config, "sliding_window", None)
    return (
        model.device.type == "cpu"
        and model.is_backend_compatible()
        and config._attn_implementation == "sdpa"
        and not getattr(config, "attn_logit_softcapping", None)
        and (window is None or longest <= window)
    )


@contextmanager
def shared_attention(model: PreTrainedModel) -> Iterator[None]:
    """Let a model's layers call `attend`; they find their prefix in its argument `shared_prefix`."""
    before = model.config._attn_implementation
    model.config._attn_implementation = NAME
    try:
        yield
    finally:
        model.config._attn_implementation = before


def attend(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    _mask: None,
    *,
    shared_prefix: list[LayerStates],
    scaling: float,
    **_: Any,
) -> tuple[Tensor, None]:
    """Return the attention of a layer's queries, [rows, tokens, heads, size].

    Args:
        module: The layer, which knows its number.
        query: [rows, heads, tokens, size].
        key: The rows' own keys, [rows, heads of keys, tokens, size].
        value: The rows' own values, shaped as the keys.
        shared_prefix: Each layer's prefix.
        scaling: What scores are multiplied by.
    """
    rows, heads, tokens, size = query.shape
    prefix = shared_prefix[module.layer_idx]
    groups = heads // key.shape[1]
    # Rows are padded on the right: a causal mask alone keeps every real token from the padding.
    own, own_sum = fused_attention(
        query,
        key.repeat_interleave(groups, dim=1),
        value.repeat_interleave(groups, dim=1),
        is_causal=True,
        scale=scaling,
    )
    shared, shared_sum = fused_attention(
        query.transpose(0, 1).reshape(1, heads, rows * tokens, size),
        prefix.keys.repeat_interleave(groups, dim=1),
        prefix.values.repeat_interleave(groups, dim=1),
        is_causal=False,
        scale=scaling,
    )
    shared = shared.view(heads, rows, tokens, size).transpose(0, 1)
    shared_sum = shared_sum.view(heads, rows, tokens).transpose(0, 1)
    # exp(a) / (exp(a) + exp(b)) is the share of the prefix in the whole softmax.
    share = torch.sigmoid(shared_sum - own_sum)[..., None]
    joined = torch.lerp(own.float(), shared.float(), share).to(query.dtype)
    return joined.transpose(1, 2), None


AttentionInterface.register(NAME, attend)
# `attend` masks by itself: the library need not build a mask.
AttentionMaskInterface.register(NAME, lambda *_, **__: None)
