"""The optimiser of a training: AdamW in one pass, and gradients kept from growing too large."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nlu_arena.spec import TrainSettings

# What torch's own clipping adds to a norm before it divides by it.
CLIP_GUARD = 1e-6
# Where the fused step divides gradients by a scale; on Apple's GPUs it takes one and does not look at it.
DIVIDES = ("cpu", "cuda")


def build_optimizer(model: nn.Module, settings: TrainSettings) -> torch.optim.AdamW:
    """Return a fused, bias-corrected AdamW (Loshchilov & Hutter 2019) over the trainable weights.

    Biases and norm weights, the one-dimensional ones, are not decayed: they set scales, not directions.
    """
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    groups = [
        {"params": [w for w in weights if w.ndim > 1], "weight_decay": settings.weight_decay},
        {"params": [w for w in weights if w.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=settings.lr, fused=True)


def measure_gradient(optimizer: torch.optim.Optimizer) -> Tensor:
    """Return the norm of all gradients together."""
    return nn.utils.get_total_norm(_gradients(optimizer))


def clip_gradient(optimizer: torch.optim.Optimizer, norm: float, limit: float, device: torch.device) -> None:
    """Let the next step use gradients whose norm is at most a limit.

    Args:
        optimizer: A fused AdamW.
        norm: The norm of its gradients.
        limit: The largest norm.
        device: Where the gradients are.
    """
    divisor = max(1.0, (norm + CLIP_GUARD) / limit)
    if device.type in DIVIDES:
        # On the way: clipping needs no pass of its own over the gradients.
        optimizer.grad_scale = torch.tensor(divisor)  # type: ignore[attr-defined]
    else:
        for gradient in _gradients(optimizer):
            gradient.div_(divisor)


def _gradients(optimizer: torch.optim.Optimizer) -> list[Tensor]:
    weights = [weight for group in optimizer.param_groups for weight in group["params"]]
    return [weight.grad for weight in weights if weight.grad is not None]
