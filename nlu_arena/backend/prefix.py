"""What all prompts share, run once: its keys and values, and the rows that follow it."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

import torch
from torch import Tensor
from transformers import PreTrainedModel
from transformers.cache_utils import Cache, DynamicCache, DynamicLayer

from nlu_arena.backend.attention import LayerStates, shared_attention, supports_shared_attention
from nlu_arena.backend.controls import Tokens


class PrefixLayer(DynamicLayer):  # type: ignore[misc]  # the library is not checked
    """Keys and values of one row's prefix, lent to every row of every batch.

    An update returns prefix and new tokens joined, and keeps nothing: the same cache serves the next batch
    without being copied or cut back. Gradients flow through it to what computed the prefix.
    """

    def __init__(self, keys: Tensor, values: Tensor) -> None:
        super().__init__()
        self.keys, self.values = keys, values
        self.dtype, self.device = keys.dtype, keys.device
        self.is_initialized = True

    def update(
        self,
        key_states: Tensor,
        value_states: Tensor,
        *_: object,
        **__: object,
    ) -> tuple[Tensor, Tensor]:
        """Return prefix and new keys and values, each [rows, heads, prefix + new, size]."""
        rows = key_states.shape[0]
        keys = torch.cat([self.keys.expand(rows, -1, -1, -1), key_states], dim=-2)
        values = torch.cat([self.values.expand(rows, -1, -1, -1), value_states], dim=-2)
        return keys, values


class Prefix(NamedTuple):
    """The tokens that all prompts share, and the keys and values that each layer has for them."""

    length: int
    layers: list[LayerStates]

    @property
    def cache(self) -> Cache:
        """Return the prefix as a cache that joins it to every row."""
        return Cache(layers=[PrefixLayer(*states) for states in self.layers])


def run_prefix(model: PreTrainedModel, prefix: Tokens) -> Prefix | None:
    """Run the shared tokens once, or return None where nothing is shared."""
    if not prefix:
        return None
    ids = torch.tensor([prefix], device=model.device)
    # Without the model's configuration every layer keeps the whole prefix; a sliding window is then applied
    # by the mask, which stays right for every later token.
    cache = DynamicCache()
    model.base_model(input_ids=ids, past_key_values=cache, use_cache=True)
    return Prefix(len(prefix), [LayerStates(layer.keys, layer.values) for layer in cache.layers])


def run_rows(model: PreTrainedModel, ids: Tensor, prefix: Prefix | None) -> Tensor:
    """Return the hidden states of rows that follow a prefix, [rows, tokens, size]."""
    options: dict[str, Any] = {"use_cache": False}
    attention: AbstractContextManager[None] = nullcontext()
    if prefix is not None:
        whole = prefix.length + ids.shape[1]
        if torch.is_grad_enabled() or not supports_shared_attention(model, whole):
            options = {"past_key_values": prefix.cache, "use_cache": True}
        else:
            attention = shared_attention(model)
            options["position_ids"] = torch.arange(prefix.length, whole, device=ids.device)[None]
            options["shared_prefix"] = prefix.layers
    with attention:
        hidden: Tensor = model.base_model(input_ids=ids, **options).last_hidden_state
    return hidden
