"""The pass through a LoRA layer in the base's own type, in few passes over the activations.

PEFT converts what enters each layer to the adapter's float32 and what leaves it back. Here the small matrices
are converted to the type of the base instead; they, their gradients and the optimiser stay in float32.
Behind a prompt, training and scoring compute alike: what answers is the very function that was trained.
"""

from __future__ import annotations

from typing import Any

import torch
from peft.tuners.lora import Linear
from torch import Tensor, nn
from torch.nn.functional import linear

ADAPTER = "default"


def quicken(model: nn.Module) -> int:
    """Give all plain LoRA layers of a model the quick forward pass, until they are taken off.

    Returns:
        how many there are.
    """
    layers: list[Any] = [module for module in model.modules() if _is_plain(module)]
    for layer in layers:
        # A function of its own would hold the layer in a circle, and with it the weights of its base: they
        # would stay in memory after both are given up, until the collector comes by.
        layer.__class__ = QuickLinear
    return len(layers)


def _is_plain(module: Any) -> bool:
    """Say whether a layer is x W' + s (x A') B' with frozen W and nothing else in it."""
    return (
        type(module) is Linear
        and type(module.base_layer) is nn.Linear
        # A quantised checkpoint may put a product of its own in the place of the class's.
        and "forward" not in vars(module.base_layer)
        and not any(weight.requires_grad for weight in module.base_layer.parameters())
        and module.active_adapters == [ADAPTER]
        and ADAPTER not in module.lora_variant
        and not module.lora_bias[ADAPTER]
        and not module.merged
        and not module.disable_adapters
    )


class QuickLinear(Linear):  # type: ignore[misc]  # the library is not checked
    """A plain LoRA layer that computes in the type of its base."""

    def forward(self, values: Tensor, *others: Any, **options: Any) -> Tensor:
        """Return what the layer makes of its input, [..., outputs] in the input's type."""
        base, dropout = self.base_layer, self.lora_dropout[ADAPTER]
        # Under autocast the type to compute in is not the base's to say.
        if values.dtype != base.weight.dtype or torch.is_autocast_enabled(values.device.type):
            plain: Tensor = super().forward(values, *others, **options)
            return plain
        down, up = (matrix[ADAPTER].weight for matrix in (self.lora_A, self.lora_B))
        scale = self.scaling[ADAPTER]
        if isinstance(dropout, nn.Identity) or not self.training:
            adapted: Tensor = LowRank.apply(  # type: ignore[no-untyped-call]
                values, base.weight, base.bias, down, up, scale
            )
            return adapted
        inner = linear(dropout(values), down.to(values.dtype))
        return torch.add(base(values), linear(inner, up.to(values.dtype)), alpha=scale)


class LowRank(torch.autograd.Function):
    """x W' + b + s (x A') B' in one step: sums are made where the larger product lies."""

    @staticmethod
    def forward(
        ctx: Any, values: Tensor, weight: Tensor, bias: Tensor | None, down: Tensor, up: Tensor, scale: float
    ) -> Tensor:
        """Return the output, [..., outputs]; `down` is [rank, inputs], `up` [outputs, rank]."""
        flat = values.flatten(0, -2)
        small_down, small_up = down.to(values.dtype), up.to(values.dtype)
        inner = flat @ small_down.T
        out = linear(flat, weight, bias).addmm_(inner, small_up.T, alpha=scale)
        ctx.scale = scale
        ctx.save_for_backward(flat, weight, small_down, small_up, inner)
        return out.view(*values.shape[:-1], len(weight))

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients of the input and of the adapter; the base has none."""
        flat, weight, down, up, inner = ctx.saved_tensors
        shape = (*gradient.shape[:-1], flat.shape[-1])
        gradient = gradient.flatten(0, -2)
        of_inner = (gradient @ up).mul_(ctx.scale)
        of_input = None
        if ctx.needs_input_grad[0]:
            of_input = (gradient @ weight).addmm_(of_inner, down).view(shape)
        of_up = (gradient.T @ inner).float().mul_(ctx.scale)
        return of_input, None, None, (of_inner.T @ flat).float(), of_up, None
