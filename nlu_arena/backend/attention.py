"""Attention over a shared prefix and each row's own tokens.

The prefix holds the same keys and values for all rows. A short one is copied before every row's own: one
call of the kernel is then quicker than two. A long one is met by all queries of a batch as one long row,
without a copy. Their own tokens are attended to apart, and the two results are joined by their log-sum-exp,
which is exact: softmax over a union is the mean of the parts' softmaxes, weighted by their sums of
exponentials (Dao et al. 2022, arXiv 2205.14135, section 3.1; Juravsky et al. 2024, arXiv 2402.05099).

Queries that share a head of keys are stacked behind each other: nothing is repeated for them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, NamedTuple

import torch
from torch import Tensor
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel

NAME = "nlu_arena_shared_prefix"
# The fused CPU kernel behind torch's scaled_dot_product_attention; unlike that, it also returns the
# log-sum-exp of each query. It has no gradient through it, so training goes another way.
fused_attention = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
# Up to this many tokens, and two more for each of a row's own, a prefix is copied to every row: measured on a
# CPU over 1 to 32 rows of 20 to 80 tokens, heads of 64 and 256, in both precisions.
SHORT_PREFIX = 64
# More tokens of their own are masked by the kernel itself, which then leaves out half of the products: a mask
# over the square of a long text would take more memory than its states.
LONGEST_STACKED = 256


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
    attention_mask: Tensor | None,
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
        attention_mask: None: only a layer that sees other tokens than these has one.
        shared_prefix: Each layer's prefix.
        scaling: What scores are multiplied by.

    Raises:
        ValueError: The layer has a mask of its own.
    """
    if attention_mask is not None:
        raise ValueError("a mask of the layer's own is not heeded here")
    prefix = shared_prefix[module.layer_idx]
    tokens = query.shape[2]
    if tokens <= LONGEST_STACKED and prefix.keys.shape[2] <= SHORT_PREFIX + 2 * tokens:
        joined = _attend_joined(query, key, value, prefix, scaling)
    else:
        joined = _attend_apart(query, key, value, prefix, scaling)
    return joined.transpose(1, 2), None


def _attend_joined(query: Tensor, key: Tensor, value: Tensor, prefix: LayerStates, scaling: float) -> Tensor:
    """Return the attention with the prefix copied before every row's own tokens, shaped as the queries."""
    rows = key.shape[0]
    keys = torch.cat([prefix.keys.expand(rows, -1, -1, -1), key], dim=2)
    values = torch.cat([prefix.values.expand(rows, -1, -1, -1), value], dim=2)
    return _attend_causally(query, keys, values, scaling)[0]


def _attend_apart(query: Tensor, key: Tensor, value: Tensor, prefix: LayerStates, scaling: float) -> Tensor:
    """Return the attention with the prefix met once by the queries of all rows, shaped as the queries."""
    rows, heads, tokens, size = query.shape
    attend_own = _attend_causally if tokens <= LONGEST_STACKED else _attend_long
    own, own_sum = attend_own(query, key, value, scaling)
    # One row for each head of keys, with the queries of its group of heads.
    stacked = query.transpose(0, 1).reshape(1, key.shape[1], -1, size)
    shared, shared_sum = fused_attention(stacked, *prefix, is_causal=False, scale=scaling)
    shared = shared.reshape(heads, rows, tokens, size).transpose(0, 1)
    shared_sum = shared_sum.reshape(heads, rows, tokens).transpose(0, 1)
    # exp(a) / (exp(a) + exp(b)) is the share of the prefix in the whole softmax.
    share = torch.sigmoid(shared_sum - own_sum)[..., None]
    return torch.lerp(own, shared, share.to(query.dtype))


def _attend_causally(query: Tensor, key: Tensor, value: Tensor, scaling: float) -> tuple[Tensor, Tensor]:
    """Return the attention and its log-sum-exp where the queries are the last of the keys' tokens.

    Rows are padded on the right: a causal mask alone keeps every real token from the padding.
    """
    rows, heads, tokens, size = query.shape
    groups = heads // key.shape[1]
    mask = _causal_mask(tokens, key.shape[2], groups, query.dtype)
    stacked = query.reshape(rows, key.shape[1], groups * tokens, size)
    states, sums = fused_attention(stacked, key, value, attn_mask=mask, scale=scaling)
    return states.reshape(rows, heads, tokens, size), sums.reshape(rows, heads, tokens)


def _attend_long(query: Tensor, key: Tensor, value: Tensor, scaling: float) -> tuple[Tensor, Tensor]:
    """Return the same for as many queries as keys, with keys and values repeated for each head."""
    groups = query.shape[1] // key.shape[1]
    keys, values = (states.repeat_interleave(groups, dim=1) for states in (key, value))
    found: tuple[Tensor, Tensor] = fused_attention(query, keys, values, is_causal=True, scale=scaling)
    return found


@lru_cache(maxsize=2)  # the layers of a batch ask for the same
def _causal_mask(tokens: int, whole: int, groups: int, dtype: torch.dtype) -> Tensor:
    """Return what is added to the scores of stacked queries, [1, 1, groups * tokens, whole]."""
    mask = torch.full((tokens, whole), float("-inf"), dtype=dtype).triu(whole - tokens + 1)
    return mask.repeat(groups, 1)[None, None]


AttentionInterface.register(NAME, attend)
# `attend` masks by itself: the library need not build a mask.
AttentionMaskInterface.register(NAME, lambda *_, **__: None)
