"""The optimiser: what is decayed, and the same clipping wherever it runs."""

from __future__ import annotations

import pytest
import torch

from nlu_arena.backend.optimizer import build_optimizer, clip_gradient, measure_gradient
from nlu_arena.spec import TrainSettings


def test_biases_and_norms_are_not_decayed() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.LayerNorm(4))
    groups = build_optimizer(model, TrainSettings(weight_decay=0.1)).param_groups
    assert [(len(g["params"]), g["weight_decay"]) for g in groups] == [(1, 0.1), (3, 0.0)]


@pytest.mark.parametrize("device", ["cpu", "mps"])
@pytest.mark.parametrize("limit", [0.05, 100.0])
def test_a_step_uses_gradients_as_torch_clips_them(device: str, limit: float) -> None:
    """A kernel that divides leaves the divided gradients behind; the other gets them divided."""

    def differentiate() -> torch.nn.Module:
        torch.manual_seed(3)
        model = torch.nn.Linear(4, 4)
        model(torch.ones(2, 4)).square().sum().backward()
        return model

    expected, model = differentiate(), differentiate()
    torch.nn.utils.clip_grad_norm_(expected.parameters(), limit)
    optimizer = build_optimizer(model, TrainSettings())
    norm = float(measure_gradient(optimizer))
    clip_gradient(optimizer, norm, limit, torch.device(device))
    # Only a kernel that heeds the scale may be left to it.
    assert hasattr(optimizer, "grad_scale") == (device == "cpu")
    optimizer.step()
    for one, other in zip(model.parameters(), expected.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad)
