"""The token embeddings of a training: those of the tokens it reads, and one that stands for all others.

Most of a vocabulary never occurs in the rows of a training, and in a small model the table of embeddings is
most of the weights. The gradient of an absent token is 0, so AdamW does nothing to its embedding but decay
it; what that makes of a 1 it makes of every such weight. So a table with the occurring rows and a row of ones
is trained in its place: the same weights result, and gradients, moments and checkpoints are as small as the
table. Of the absent ones only the roundings of the decay differ: in 20,000 steps less than 0.001 of a weight.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

# The place of a token that the training does not read: looking it up is an error.
ABSENT = -1


@contextmanager
def occurring_embeddings(model: PreTrainedModel, tokens: set[int]) -> Iterator[None]:
    """Let a model train the embeddings of some tokens alone; at the end its table is whole again.

    Within it the model reads no other tokens: an IndexError says so on a CPU. Embeddings that are frozen, or
    shared with another part of the model, or no table of tokens, stay as they are.

    Args:
        model: The model, all of whose training happens within.
        tokens: The ids of all tokens that it will read, padding too.
    """
    module = _find_table(model)
    if module is None or not _can_shrink(model, module):
        yield
        return
    whole, padding = module.weight, module.padding_idx
    ids = torch.tensor(sorted(tokens if padding is None else tokens | {padding}), device=whole.device)
    places = torch.full((len(whole),), ABSENT, device=whole.device)
    places[ids] = torch.arange(len(ids), device=whole.device)
    with torch.no_grad():
        module.weight = nn.Parameter(torch.cat([whole[ids], torch.ones_like(whole[:1])]))
    module.padding_idx = None if padding is None else int(places[padding])
    hook = module.register_forward_pre_hook(_Places(places), with_kwargs=True)
    try:
        yield
    finally:
        hook.remove()
        trained = module.weight.detach()
        with torch.no_grad():
            whole.mul_(trained[-1]).index_copy_(0, ids, trained[:-1])
        module.weight, module.padding_idx = whole, padding


def _find_table(model: PreTrainedModel) -> nn.Embedding | None:
    """Return a model's table of tokens, None where it reads them in another way."""
    try:
        module = model.get_input_embeddings()
    except NotImplementedError:
        # CANINE, for one, hashes characters into several tables.
        return None
    return module if isinstance(module, nn.Embedding) else None


def _can_shrink(model: PreTrainedModel, module: nn.Embedding) -> bool:
    """Say whether a model's table is trained, is read by its own module alone, and only looked up there."""
    uses = sum(weight is module.weight for _, weight in model.named_parameters(remove_duplicate=False))
    looked_up = module.max_norm is None and not module.scale_grad_by_freq and not module.sparse
    return module.weight.requires_grad and uses == 1 and looked_up


class _Places:
    """Gives a table the places of tokens in the place of their ids."""

    def __init__(self, places: Tensor) -> None:
        self._places = places

    def __call__(
        self, _: nn.Module, args: tuple[Any, ...], options: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        # A table takes the ids and nothing else, by whatever name.
        return tuple(self._places[ids] for ids in args), {n: self._places[ids] for n, ids in options.items()}
